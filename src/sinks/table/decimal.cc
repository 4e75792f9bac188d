#include "sinks/table/decimal.h"

#include <algorithm>
#include <charconv>

namespace penstock::sinks {
namespace {

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

}  // namespace

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

}  // namespace penstock::sinks
