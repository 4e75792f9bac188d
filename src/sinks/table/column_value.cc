#include "sinks/table/column_value.h"

#include <optional>

#include "core/rfc3339.h"
#include "core/utf8.h"
#include "sinks/table/decimal.h"

namespace penstock::sinks {
namespace {

using config::ColumnType;

constexpr std::int64_t kTimeMsMax = 253'402'300'799'999;  // the end of 9999
constexpr std::int64_t kTimeMsMin = -62'167'219'200'000;  // the beginning of 0000

// A string's content, or anything else as it is written.
std::string_view text_of(const JsonValue& json, std::string& scratch) {
  return json.type == JsonType::kString ? string_text(json, scratch) : json.raw;
}

std::optional<ColumnValue> time_of(const JsonValue& json, std::string& scratch) {
  const auto time =
      json.type == JsonType::kString ? parse_rfc3339(string_text(json, scratch)) : json.as_int64();
  return time.has_value() && *time >= kTimeMsMin && *time <= kTimeMsMax
             ? std::optional<ColumnValue>(*time)
             : std::nullopt;
}

// JSON's own numbers have been checked.
std::optional<ColumnValue> numeric_of(const JsonValue& json, std::string& scratch) {
  const std::string_view text = text_of(json, scratch);
  const bool is_number = json.type == JsonType::kNumber ||
                         (json.type == JsonType::kString && parse_decimal(text).has_value());
  return is_number ? std::optional<ColumnValue>(text) : std::nullopt;
}

template <typename T>
std::optional<ColumnValue> of(const std::optional<T>& value) {
  return value.has_value() ? std::optional<ColumnValue>(*value) : std::nullopt;
}

std::optional<ColumnValue> typed(ColumnType type, const JsonValue& json, std::string& scratch) {
  switch (type) {
    case ColumnType::kText:
      return json.type == JsonType::kObject || json.type == JsonType::kArray
                 ? std::nullopt
                 : std::optional<ColumnValue>(text_of(json, scratch));
    case ColumnType::kTimestamptz:
      return time_of(json, scratch);
    case ColumnType::kNumeric:
      return numeric_of(json, scratch);
    case ColumnType::kBigint:
      return of(json.as_int64());
    case ColumnType::kDouble:
      return of(json.as_double());
    case ColumnType::kBoolean:
      return of(json.as_bool());
    case ColumnType::kJsonb:
      break;
  }
  return ColumnValue(json.json());
}

std::string_view wanted(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "a text";
    case ColumnType::kTimestamptz:
      return "a time: RFC 3339, or milliseconds since 1970";
    case ColumnType::kBigint:
      return "a whole number of 64 bits";
    case ColumnType::kBoolean:
      return "true or false";
    case ColumnType::kNumeric:
    case ColumnType::kDouble:
    case ColumnType::kJsonb:
      break;
  }
  return "a number";
}

bool is_storable(std::string_view text) {
  return text.find('\0') == std::string_view::npos && is_utf8(text);
}

}  // namespace

std::string why_not(const config::Column& column, const JsonValue& json, std::string_view wanted) {
  constexpr std::size_t kShown = 60;
  return column.pointer + " is " + std::string(to_string(json.type)) + " " +
         std::string(json.json().substr(0, kShown)) + ", not " + std::string(wanted);
}

std::string read_column(const config::Column& column, const JsonValue& json, std::string& scratch,
                        ColumnValue& value) {
  if (json.is_missing() || json.type == JsonType::kNull) {
    value = std::monostate();
    return column.not_null ? column.pointer + " is " + std::string(to_string(json.type)) : "";
  }
  const auto found = typed(column.type, json, scratch);
  if (!found.has_value()) {
    return why_not(column, json, wanted(column.type));
  }
  value = *found;
  if (column.type == ColumnType::kText && !is_storable(std::get<std::string_view>(value))) {
    return column.pointer + " holds characters that a text of a database cannot hold";
  }
  return {};
}

}  // namespace penstock::sinks
