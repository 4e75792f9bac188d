// murmur3_128 is the 128-bit MurmurHash3 (x64) with the seed that Kafka Streams uses, big-endian:
// the hash by which a foreign-key join tells whether an answer still belongs to its question.
//
// Source: Austin Appleby's public domain MurmurHash3;
// org.apache.kafka.streams.state.internals.Murmur3.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/bytes.h"

namespace penstock::dsl {

using Hash128 = std::array<std::byte, 16>;

inline constexpr std::uint64_t kMurmur3Seed = 104729;

[[nodiscard]] Hash128 murmur3_128(ByteView bytes, std::uint64_t seed = kMurmur3Seed);

}  // namespace penstock::dsl
