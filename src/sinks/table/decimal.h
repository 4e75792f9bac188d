// Decimal is a number as JSON writes it, taken apart into its digits: exact, whatever its size.
//
// Threads   plain values; any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::sinks {

struct Decimal {
  bool negative = false;
  std::string digits;      // without zeros in front
  std::int64_t point = 0;  // how many of them stand before the decimal point; may be negative
  std::int64_t scale = 0;  // digits behind the point, as written
};

// Nothing if `text` is not a number by JSON's grammar, or its exponent is beyond 32 bits.
[[nodiscard]] std::optional<Decimal> parse_decimal(std::string_view text);

}  // namespace penstock::sinks
