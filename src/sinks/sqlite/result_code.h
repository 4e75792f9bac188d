// What a sink does about an error of SQLite, by its result code.
//
// Source: sqlite.org/rescode.html, SQLite 3.40
//
// Threads   any.
#pragma once

#include "core/result.h"

namespace penstock::sinks {

// kInvalid: the database refuses the data (a constraint, a trigger's RAISE, a STRICT table's type,
// a row that is too large). Everything else may pass, be it because somebody mends it: kRetry.
// `code` may be an extended one.
[[nodiscard]] ErrorCode code_of_sqlite_result(int code);

}  // namespace penstock::sinks
