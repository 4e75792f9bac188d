#include "sinks/sqlite/result_code.h"

#include <sqlite3.h>

namespace penstock::sinks {

ErrorCode code_of_sqlite_result(int code) {
  constexpr int kPrimary = 0xff;
  switch (code & kPrimary) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return ErrorCode::kInvalid;
    default:
      return ErrorCode::kRetry;
  }
}

}  // namespace penstock::sinks
