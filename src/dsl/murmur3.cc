#include "dsl/murmur3.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace penstock::dsl {

namespace {

constexpr std::uint64_t kC1 = 0x87c37b91114253d5;
constexpr std::uint64_t kC2 = 0x4cf5ad432745937f;
constexpr std::size_t kBlock = 16;

std::uint64_t mix_first(std::uint64_t value) {
  return std::rotl(value * kC1, 31) * kC2;
}

std::uint64_t mix_second(std::uint64_t value) {
  return std::rotl(value * kC2, 33) * kC1;
}

std::uint64_t finish(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

}  // namespace

Hash128 murmur3_128(ByteView bytes, std::uint64_t seed) {
  std::uint64_t first = seed;
  std::uint64_t second = seed;
  std::size_t at = 0;
  for (; at + kBlock <= bytes.size(); at += kBlock) {
    first ^= mix_first(load_le<std::uint64_t>(bytes.data() + at));
    first = (std::rotl(first, 27) + second) * 5 + 0x52dce729;
    second ^= mix_second(load_le<std::uint64_t>(bytes.data() + at + 8));
    second = (std::rotl(second, 31) + first) * 5 + 0x38495ab5;
  }
  std::array<std::byte, kBlock> tail{};
  const ByteView rest = bytes.subspan(at);
  std::copy(rest.begin(), rest.end(), tail.begin());
  second ^= mix_second(load_le<std::uint64_t>(tail.data() + 8));
  first ^= mix_first(load_le<std::uint64_t>(tail.data()));
  first ^= bytes.size();
  second ^= bytes.size();
  first += second;
  second += first;
  first = finish(first);
  second = finish(second);
  first += second;
  second += first;
  Hash128 hash{};
  store_be(hash.data(), first);
  store_be(hash.data() + 8, second);
  return hash;
}

}  // namespace penstock::dsl
