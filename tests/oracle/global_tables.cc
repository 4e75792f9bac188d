#include "oracle/program.h"

namespace penstock::oracle {

Programs global_tables() {
  return {};
}

}  // namespace penstock::oracle
