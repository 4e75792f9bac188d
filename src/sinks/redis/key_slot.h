// The slot of Redis Cluster that a key is in: CRC16 of its hash tag, if it has one, or of all of
// it.
//
// Source: redis.io, "Redis cluster specification", "Key distribution model"; CRC-16/XMODEM
//
// Threads   any.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::sinks {

inline constexpr std::uint16_t kSlotCount = 16'384;

[[nodiscard]] std::uint16_t key_slot(std::string_view key);

}  // namespace penstock::sinks
