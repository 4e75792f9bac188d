#include "core/units.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

namespace penstock {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kByteUnits = {
    Unit{"", 1},       Unit{"b", 1},     Unit{"k", kKiB},   Unit{"kb", kKiB},
    Unit{"kib", kKiB}, Unit{"m", kMiB},  Unit{"mb", kMiB},  Unit{"mib", kMiB},
    Unit{"g", kGiB},   Unit{"gb", kGiB}, Unit{"gib", kGiB},
};

constexpr std::array kTimeUnits = {
    Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000}, Unit{"ms", 1},
};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return lower;
}

// Splits "64MiB" into 64 and "mib" and multiplies by the unit of that name.
template <typename Units>
Result<std::uint64_t> parse_scaled(std::string_view text, const Units& units, const char* example) {
  std::uint64_t number = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc{}) {
    const std::string unit = lower_case(
        std::string_view(rest, static_cast<std::size_t>(text.data() + text.size() - rest)));
    for (const Unit& known : units) {
      if (known.name == unit && number <= std::numeric_limits<std::int64_t>::max() / known.factor) {
        return number * known.factor;
      }
    }
  }
  return Error(ErrorCode::kInvalid,
               "\"" + std::string(text) + "\" is not a number with a unit, such as " + example);
}

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
  return parse_scaled(text, kByteUnits, "64MiB (units: KiB, MiB, GiB)");
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array kSuffixes = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t suffix = 0;
  while (value >= 1024 && suffix + 1 < kSuffixes.size()) {
    value /= 1024;
    ++suffix;
  }
  std::array<char, 32> text{};
  const bool whole = value == static_cast<double>(static_cast<std::uint64_t>(value));
  std::snprintf(text.data(), text.size(), whole ? "%.0f %s" : "%.1f %s", value,
                kSuffixes.at(suffix));
  return text.data();
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  PENSTOCK_TRY_ASSIGN(const std::uint64_t count,
                      parse_scaled(text, kTimeUnits, "10s (units: ms, s, m, h, d)"));
  return std::chrono::milliseconds(static_cast<std::int64_t>(count));
}

std::string format_duration(std::chrono::milliseconds duration) {
  const std::int64_t count = duration.count();
  for (const Unit& unit : kTimeUnits) {
    const auto factor = static_cast<std::int64_t>(unit.factor);
    if (count != 0 && count % factor == 0) {
      return std::to_string(count / factor) + std::string(unit.name);
    }
  }
  return std::to_string(count) + "ms";
}

}  // namespace penstock
