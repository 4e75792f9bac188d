// A column of a table as one writes it in a sink's `columns`: where its value is in the event, its
// name, its type, and whether it must be there.
//
//   "/user/id:user_id:bigint:not null"     "/amount:amount:numeric"     ":event:jsonb"
//
// The JSON Pointer may hold colons; the empty one is the whole event. Names are those that need no
// quotes in SQL, lower case.
//
// Threads   plain values; any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace penstock::config {

enum class ColumnType { kText, kBigint, kDouble, kBoolean, kTimestamptz, kJsonb, kNumeric };

struct Column {
  std::string pointer;
  std::string name;
  ColumnType type = ColumnType::kText;
  bool not_null = false;

  friend bool operator==(const Column&, const Column&) = default;
};

// As SQL writes it: "double precision".
[[nodiscard]] std::string_view to_string(ColumnType type);

// Nothing if it is not of that form.
[[nodiscard]] std::optional<Column> parse_column(std::string_view text);

// Lower-case letters, digits and "_", no digit first, at most 63: an SQL name without quotes.
[[nodiscard]] bool is_sql_name(std::string_view text);

}  // namespace penstock::config
