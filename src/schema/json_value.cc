#include "schema/json_value.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/json_string.h"

namespace penstock {

namespace {

constexpr double kExactMax = 9007199254740992.0;  // 2^53

template <typename Number>
std::errc parse_whole(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at != end ? std::errc::invalid_argument : error;
}

}  // namespace

std::string_view to_string(JsonType type) {
  switch (type) {
    case JsonType::kMissing:
      return "missing";
    case JsonType::kNull:
      return "null";
    case JsonType::kBool:
      return "bool";
    case JsonType::kNumber:
      return "number";
    case JsonType::kString:
      return "string";
    case JsonType::kObject:
      return "object";
    case JsonType::kArray:
      return "array";
  }
  return "missing";
}

std::optional<bool> JsonValue::as_bool() const {
  if (type != JsonType::kBool) {
    return std::nullopt;
  }
  return raw == "true";
}

std::optional<std::int64_t> JsonValue::as_int64() const {
  if (type != JsonType::kNumber) {
    return std::nullopt;
  }
  std::int64_t number = 0;
  if (parse_whole(raw, number) == std::errc()) {
    return number;
  }
  const std::optional<double> wide = as_double();
  if (!wide || std::abs(*wide) > kExactMax || *wide != std::trunc(*wide)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*wide);
}

std::optional<double> JsonValue::as_double() const {
  if (type != JsonType::kNumber) {
    return std::nullopt;
  }
  double number = 0;
  const std::errc error = parse_whole(raw, number);
  if (error == std::errc::result_out_of_range) {
    number = std::strtod(std::string(raw).c_str(), nullptr);  // tells too large from too small
    return std::isinf(number) ? std::nullopt : std::optional(number);
  }
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::string_view string_text(const JsonValue& value, std::string& scratch) {
  if (!value.escaped) {
    return value.raw;
  }
  unescape_json(value.raw, scratch);
  return scratch;
}

std::optional<std::string_view> key_text(const JsonValue& value, std::string& scratch) {
  switch (value.type) {
    case JsonType::kString:
      return string_text(value, scratch);
    case JsonType::kNumber:
    case JsonType::kBool:
      return value.raw;
    default:
      return std::nullopt;
  }
}

}  // namespace penstock
