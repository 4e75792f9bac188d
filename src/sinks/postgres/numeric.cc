#include "sinks/postgres/numeric.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "sinks/postgres/big_endian.h"

namespace penstock::sinks {
namespace {

constexpr std::int64_t kWholeDigitsMax = 131'072;
constexpr std::int64_t kFractionDigitsMax = 16'383;
constexpr std::int64_t kGroup = 4;  // decimal digits of one digit to the base of 10000

struct Decimal {
  bool negative = false;
  std::string digits;      // without zeros in front
  std::int64_t point = 0;  // how many of them stand before the decimal point; may be negative
  std::int64_t scale = 0;  // digits behind the point, as written
};

std::size_t count_digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

// Takes the exponent off the end of a number; 0 if there is none.
std::optional<std::int64_t> take_exponent(std::string_view& text) {
  const std::size_t at = text.find_first_of("eE");
  if (at == std::string_view::npos) {
    return 0;
  }
  std::string_view exponent = text.substr(at + 1);
  text = text.substr(0, at);
  if (exponent.starts_with('+')) {
    exponent.remove_prefix(1);
  }
  std::int32_t value = 0;
  const char* const begin = exponent.data();
  const char* const end = begin + exponent.size();
  const auto [after, error] = std::from_chars(begin, end, value);
  return error == std::errc() && after == end ? std::optional<std::int64_t>(value) : std::nullopt;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal decimal;
  decimal.negative = text.starts_with('-');
  text.remove_prefix(decimal.negative ? 1 : 0);
  const auto exponent = take_exponent(text);
  const std::size_t whole = count_digits(text);
  if (!exponent.has_value() || whole == 0 || (whole > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  decimal.digits = text.substr(0, whole);
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (text.empty()) {
      return std::nullopt;
    }
    decimal.digits += text;
  }
  if (count_digits(text) != text.size()) {
    return std::nullopt;
  }
  decimal.point = static_cast<std::int64_t>(whole) + *exponent;
  decimal.scale = std::max<std::int64_t>(0, static_cast<std::int64_t>(text.size()) - *exponent);
  const std::size_t zeros = std::min(decimal.digits.find_first_not_of('0'), decimal.digits.size());
  decimal.digits.erase(0, zeros);
  decimal.point -= static_cast<std::int64_t>(zeros);
  return decimal;
}

// Groups of four around the decimal point. Returns the weight: how many groups before the point
// there are, less one.
std::int64_t group(const Decimal& decimal, std::vector<std::int16_t>& groups) {
  const std::int64_t before =
      decimal.point >= 0 ? (decimal.point + kGroup - 1) / kGroup : -((-decimal.point) / kGroup);
  std::int64_t position = decimal.point - before * kGroup;  // of the first group, not above 0
  for (; position < static_cast<std::int64_t>(decimal.digits.size()); position += kGroup) {
    std::int16_t value = 0;
    for (std::int64_t i = position; i < position + kGroup; ++i) {
      const bool known = i >= 0 && i < static_cast<std::int64_t>(decimal.digits.size());
      const int digit = known ? decimal.digits[static_cast<std::size_t>(i)] - '0' : 0;
      value = static_cast<std::int16_t>(value * 10 + digit);
    }
    groups.push_back(value);
  }
  while (!groups.empty() && groups.back() == 0) {
    groups.pop_back();
  }
  return before - 1;
}

}  // namespace

bool append_numeric(std::string& out, std::string_view text) {
  const auto decimal = parse_decimal(text);
  if (!decimal.has_value() || decimal->scale > kFractionDigitsMax ||
      (!decimal->digits.empty() && decimal->point > kWholeDigitsMax)) {
    return false;
  }
  std::vector<std::int16_t> groups;
  const std::int64_t weight = decimal->digits.empty() ? 0 : group(*decimal, groups);
  const bool negative = decimal->negative && !groups.empty();
  append_be(out, static_cast<std::int16_t>(groups.size()));
  append_be(out, static_cast<std::int16_t>(weight));
  append_be(out, static_cast<std::int16_t>(negative ? 0x4000 : 0));
  append_be(out, static_cast<std::int16_t>(decimal->scale));
  for (const std::int16_t value : groups) {
    append_be(out, value);
  }
  return true;
}

}  // namespace penstock::sinks
