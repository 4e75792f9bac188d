// Variable-length integers as Kafka's record format v2 has them: zigzag, 7 bits a byte, low first.
//
// Source: Protocol Buffers encoding; Kafka "message format" (records use signed varint/varlong).
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock {

inline constexpr std::size_t kVarintSizeMax = 10;

[[nodiscard]] constexpr std::uint64_t zigzag_encode(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

[[nodiscard]] constexpr std::int64_t zigzag_decode(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Bytes that put_varint(value) writes: 1 to 10.
[[nodiscard]] constexpr std::size_t varint_size(std::int64_t value) {
  const int bits = 64 - __builtin_clzll(zigzag_encode(value) | 1);
  return static_cast<std::size_t>((bits + 6) / 7);
}

// Writes `value` at `to`, which has kVarintSizeMax writable bytes; returns the end.
[[nodiscard]] inline std::byte* put_varint(std::byte* to, std::int64_t value) {
  std::uint64_t rest = zigzag_encode(value);
  while (rest >= 0x80) {
    *to++ = static_cast<std::byte>(rest | 0x80);
    rest >>= 7;
  }
  *to++ = static_cast<std::byte>(rest);
  return to;
}

// Reads a varint at `from`, never at or past `end`. Returns the byte after it, or nullptr where
// it is cut short or longer than 64 bits.
[[nodiscard]] inline const std::byte* get_varint(const std::byte* from, const std::byte* end,
                                                 std::int64_t& value) {
  std::uint64_t bits = 0;
  for (unsigned shift = 0; shift < 64 && from != end; shift += 7) {
    const auto byte = static_cast<std::uint64_t>(*from++);
    if (shift == 63 && byte > 1) {
      return nullptr;
    }
    bits |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      value = zigzag_decode(bits);
      return from;
    }
  }
  return nullptr;
}

}  // namespace penstock
