#include "oracle/program.h"

namespace penstock::oracle {

Programs cogroups() {
  return {};
}

}  // namespace penstock::oracle
