// Record headers of Penstock itself: their names begin with `__penstock.` and are shown to nobody.
//
// `__penstock.ingest_us` is the time of acceptance: microseconds since the epoch, 8 bytes
// big-endian, on the first record of each batch that the gateway builds. It holds for the records
// that follow in that partition, up to the next such header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/bytes.h"

namespace penstock {

inline constexpr std::string_view kInternalHeaderPrefix = "__penstock.";
inline constexpr std::string_view kIngestTimeHeader = "__penstock.ingest_us";

[[nodiscard]] inline bool is_internal_header(std::string_view name) {
  return name.starts_with(kInternalHeaderPrefix);
}

[[nodiscard]] inline std::array<std::byte, 8> encode_ingest_time(std::int64_t microseconds) {
  std::array<std::byte, 8> bytes{};
  store_be(bytes.data(), microseconds);
  return bytes;
}

// Nothing if the header's value is not of this form.
[[nodiscard]] inline std::optional<std::int64_t> decode_ingest_time(std::optional<ByteView> value) {
  if (!value.has_value() || value->size() != sizeof(std::int64_t)) {
    return std::nullopt;
  }
  return load_be<std::int64_t>(value->data());
}

}  // namespace penstock
