#include "oracle/program.h"

namespace penstock::oracle {

Programs foreign_key_joins() {
  return {};
}

}  // namespace penstock::oracle
