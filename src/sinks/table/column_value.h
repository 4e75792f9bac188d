// What an event's JSON value is in a column of a table: the rules that all databases share. How a
// database writes it down is the destination's business.
//
// Threads   any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "config/column.h"
#include "schema/json_value.h"

namespace penstock::sinks {

// Null, or the value as its column's type has it: boolean as bool; bigint as a number; timestamptz
// as milliseconds since 1970; text, jsonb and numeric, every digit of it, as text.
using ColumnValue = std::variant<std::monostate, bool, std::int64_t, double, std::string_view>;

// Empty: done; otherwise why it is no value of that column, for the dead letter.
//
// Lifetime  a text points into the event, or into `scratch`, which is overwritten.
[[nodiscard]] std::string read_column(const config::Column& column, const JsonValue& json,
                                      std::string& scratch, ColumnValue& value);

// "/amount is string "much", not a number", for what only one database refuses.
[[nodiscard]] std::string why_not(const config::Column& column, const JsonValue& json,
                                  std::string_view wanted);

}  // namespace penstock::sinks
