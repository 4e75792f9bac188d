// A decimal number's text as PostgreSQL's binary `numeric`: exact, whatever its size.
//
// Four numbers of 16 bits (count of digits, weight of the first, sign, digits behind the point),
// then digits to the base of 10000, 16 bits each, all big-endian.
// Source: PostgreSQL 15, src/backend/utils/adt/numeric.c, numeric_recv()
//
// Threads   any.
#pragma once

#include <string>
#include <string_view>

namespace penstock::sinks {

// Appends it to `out`. False, and nothing appended, if `text` is not a number as JSON writes it, or
// larger or finer than the type can hold (131072 digits before the point, 16383 behind it).
[[nodiscard]] bool append_numeric(std::string& out, std::string_view text);

}  // namespace penstock::sinks
