// What a sink does about an error of PostgreSQL, by its SQLSTATE.
//
// Source: PostgreSQL 15, appendix A, "PostgreSQL Error Codes"
//
// Threads   any.
#pragma once

#include <string_view>

#include "core/result.h"

namespace penstock::sinks {

// kInvalid: the server refuses the data (class 22, class 23, a view's check, a trigger's exception,
// a row that is too large). Everything else may pass, be it because somebody mends it: kRetry.
[[nodiscard]] ErrorCode code_of_sql_state(std::string_view state);

}  // namespace penstock::sinks
