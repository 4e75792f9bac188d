#include "core/keyed_hash.h"

#include <array>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(KeyedHash, DependsOnEveryByteAndOnTheLength) {
  for (std::size_t size = 0; size <= 40; ++size) {
    std::string text(size, 'x');
    std::set<std::uint64_t> seen = {keyed_hash(as_bytes(text), 1)};
    for (char& byte : text) {
      byte = 'y';
      seen.insert(keyed_hash(as_bytes(text), 1));
      byte = 'x';
    }
    text.push_back('\0');
    seen.insert(keyed_hash(as_bytes(text), 1));

    EXPECT_EQ(seen.size(), size + 2);
  }
}

TEST(KeyedHash, DependsOnTheSeed) {
  EXPECT_NE(keyed_hash(as_bytes("u00000001"), 1), keyed_hash(as_bytes("u00000001"), 2));
}

// A product of zero would forget everything before it.
TEST(KeyedHash, IsNotSilencedByWordsThatEqualTheConstants) {
  std::set<std::uint64_t> seen;
  for (const std::uint64_t word : {kHashSecret1, kHashSecret2}) {
    for (std::uint64_t first = 0; first < 100; ++first) {
      std::array<std::byte, 32> key{};
      store_le(key.data(), first);
      store_le(key.data() + 8, word);
      store_le(key.data() + 24, word);
      seen.insert(keyed_hash(key, 0x0123'4567'89ab'cdef));
    }
  }

  EXPECT_EQ(seen.size(), 200U);
}

TEST(KeyedHash, SpreadsSimilarKeysOverTheLowBits) {
  constexpr std::size_t kBuckets = 1024;
  std::array<int, kBuckets> counts{};
  for (int i = 0; i < 100 * static_cast<int>(kBuckets); ++i) {
    ++counts[keyed_hash(as_bytes("user-" + std::to_string(i)), 7) % kBuckets];
  }

  for (const int count : counts) {
    EXPECT_GT(count, 50);
    EXPECT_LT(count, 160);
  }
}

}  // namespace
}  // namespace penstock
