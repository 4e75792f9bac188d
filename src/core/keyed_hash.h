// keyed_hash() is the hash of hash tables whose keys come from outside.
//
// Under a secret random seed nobody can send keys that all fall into one place. Not a cryptographic
// hash: equal hashes do not mean equal keys, and it is never stored.
// Source: multiply and fold, as in Wang Yi's wyhash.
#pragma once

#include <cstdint>

#include "core/bytes.h"

namespace penstock {

// Both halves of the product, folded: each input bit reaches every output bit.
[[nodiscard]] inline std::uint64_t mix_words(std::uint64_t left, std::uint64_t right) {
  __extension__ using Product = unsigned __int128;
  const Product product = static_cast<Product>(left) * right;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline constexpr std::uint64_t kHashSecret1 = 0x9e37'79b9'7f4a'7c15;
inline constexpr std::uint64_t kHashSecret2 = 0xd1b5'4a32'd192'ed03;

[[nodiscard]] inline std::uint64_t keyed_hash(ByteView bytes, std::uint64_t seed) {
  // Secret as well: who knew it could choose words that make the product zero.
  const std::uint64_t factor = mix_words(seed ^ kHashSecret1, kHashSecret2);
  std::uint64_t hash = seed;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 16; at += 16, left -= 16) {
    hash = mix_words(load_le<std::uint64_t>(at) ^ hash, load_le<std::uint64_t>(at + 8) ^ factor);
  }
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (left >= 8) {  // the two words may overlap
    first = load_le<std::uint64_t>(at);
    last = load_le<std::uint64_t>(at + left - 8);
  } else if (left >= 4) {
    first = load_le<std::uint32_t>(at);
    last = load_le<std::uint32_t>(at + left - 4);
  } else {
    for (std::size_t i = 0; i < left; ++i) {
      first |= std::to_integer<std::uint64_t>(at[i]) << (8 * i);
    }
  }
  return mix_words(mix_words(first ^ hash, last ^ factor), seed ^ kHashSecret2 ^ bytes.size());
}

}  // namespace penstock
