#include "oracle/program.h"

namespace penstock::oracle {

Programs versioned() {
  return {};
}

}  // namespace penstock::oracle
