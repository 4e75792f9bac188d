// CRC-32C (Castagnoli), the checksum of Kafka's record batches and of our log's frames.
//
// Computed by ISA-L, which picks the fastest instructions of this CPU (about 60 GB/s in cache).
// Source: RFC 3720 appendix B.4; crc32c("123456789") is 0xe3069283.
#pragma once

#include <cstdint>

#include "core/bytes.h"

namespace penstock {

// `seed` is the result of an earlier call (to continue over several pieces), or 0 to begin.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes, std::uint32_t seed = 0);

}  // namespace penstock
