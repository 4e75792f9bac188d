// Bytes: the owning buffer, the view, and big-endian and little-endian loads and stores.
//
// `ByteView` is for parameters; a struct that stores one says whose memory it is.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace penstock {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes to_bytes(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

namespace internal {

template <std::integral T>
[[nodiscard]] inline T byte_swap(T value) {
  if constexpr (sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  } else {
    return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
  }
}

}  // namespace internal

// `at` must have sizeof(T) readable (load) or writable (store) bytes.
template <std::integral T>
[[nodiscard]] inline T load_le(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return std::endian::native == std::endian::little ? value : internal::byte_swap(value);
}

template <std::integral T>
[[nodiscard]] inline T load_be(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return std::endian::native == std::endian::big ? value : internal::byte_swap(value);
}

template <std::integral T>
inline void store_le(std::byte* at, T value) {
  if constexpr (std::endian::native != std::endian::little) {
    value = internal::byte_swap(value);
  }
  std::memcpy(at, &value, sizeof(T));
}

template <std::integral T>
inline void store_be(std::byte* at, T value) {
  if constexpr (std::endian::native != std::endian::big) {
    value = internal::byte_swap(value);
  }
  std::memcpy(at, &value, sizeof(T));
}

}  // namespace penstock
