// Sizes in bytes, as constants and as text: kMiB, parse_bytes("64MiB"), format_bytes(1536).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace penstock {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

// "1024", "64KiB", "8MiB", "2GiB"; also "64kb", "8m" (always powers of 1024). kInvalid otherwise.
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);

// "1.5 KiB", "64 MiB": for people.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

// A whole number and one of ms, s, m, h, d: "250ms", "10s", "1h", "7d". kInvalid otherwise.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// The largest unit that divides it: 3600000 ms -> "1h".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

}  // namespace penstock
