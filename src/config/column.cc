#include "config/column.h"

#include <algorithm>
#include <array>

#include "config/settings.h"

namespace penstock::config {
namespace {

constexpr std::string_view kNotNull = ":not null";

constexpr std::array kTypes = {ColumnType::kText,    ColumnType::kBigint,      ColumnType::kDouble,
                               ColumnType::kBoolean, ColumnType::kTimestamptz, ColumnType::kJsonb,
                               ColumnType::kNumeric};

// Takes what is behind the last colon off `text`.
std::optional<std::string_view> take_last(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view last = text.substr(colon + 1);
  text = text.substr(0, colon);
  return last;
}

}  // namespace

std::string_view to_string(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "text";
    case ColumnType::kBigint:
      return "bigint";
    case ColumnType::kDouble:
      return "double precision";
    case ColumnType::kBoolean:
      return "boolean";
    case ColumnType::kTimestamptz:
      return "timestamptz";
    case ColumnType::kJsonb:
      return "jsonb";
    case ColumnType::kNumeric:
      break;
  }
  return "numeric";
}

std::optional<Column> parse_column(std::string_view text) {
  Column column;
  if (text.ends_with(kNotNull)) {
    column.not_null = true;
    text.remove_suffix(kNotNull.size());
  }
  const auto type_name = take_last(text);
  const auto type = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](ColumnType known) { return to_string(known) == type_name; });
  const auto name = type_name ? take_last(text) : std::nullopt;
  if (type == kTypes.end() || !name || !is_sql_name(*name) ||
      (!text.empty() && !is_json_pointer(text))) {
    return std::nullopt;
  }
  column.pointer = text;
  column.name = *name;
  column.type = *type;
  return column;
}

bool is_sql_name(std::string_view text) {
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= 63 && !(text.front() >= '0' && text.front() <= '9') &&
         std::all_of(text.begin(), text.end(), legal);
}

}  // namespace penstock::config
