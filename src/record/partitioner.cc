#include "record/partitioner.h"

#include "core/check.h"

namespace penstock {

std::uint32_t murmur2(ByteView key) {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  const std::byte* at = key.data();
  std::size_t left = key.size();
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(left);
  for (; left >= 4; at += 4, left -= 4) {
    auto word = load_le<std::uint32_t>(at);
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash *= kMultiplier;
    hash ^= word;
  }
  if (left > 0) {
    for (std::size_t i = left; i > 0; --i) {
      hash ^= std::to_integer<std::uint32_t>(at[i - 1]) << (8 * (i - 1));
    }
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return hash;
}

PartitionId partition_for_key(ByteView key, std::int32_t partition_count) {
  PENSTOCK_DCHECK(partition_count > 0);
  const std::uint32_t positive = murmur2(key) & 0x7fffffff;
  return PartitionId(static_cast<std::int32_t>(positive) % partition_count);
}

}  // namespace penstock
