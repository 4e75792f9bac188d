#include "sinks/postgres/numeric.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sinks/postgres/big_endian.h"
#include "sinks/table/decimal.h"

namespace penstock::sinks {
namespace {

constexpr std::int64_t kWholeDigitsMax = 131'072;
constexpr std::int64_t kFractionDigitsMax = 16'383;
constexpr std::int64_t kGroup = 4;  // decimal digits of one digit to the base of 10000

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
