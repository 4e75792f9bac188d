#include "os/random.h"

#include <cerrno>

#include <sys/random.h>

#include "core/bytes.h"
#include "core/check.h"

namespace penstock::os {

std::uint64_t Random::below(std::uint64_t bound) {
  PENSTOCK_CHECK(bound > 0);
  // Numbers past the last whole multiple of `bound` would favour the small results.
  const std::uint64_t excess = (0 - bound) % bound;  // 2^64 mod bound
  std::uint64_t number = next();
  while (number < excess) {
    number = next();
  }
  return number % bound;
}

std::array<std::byte, 16> Random::uuid() {
  std::array<std::byte, 16> bytes;
  store_be(bytes.data(), next());
  store_be(bytes.data() + 8, next());
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};  // version 4
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};  // variant of RFC 9562
  return bytes;
}

SeededRandom::SeededRandom(std::uint64_t seed) {
  // splitmix64, as the authors of xoshiro advise, so that close seeds give unlike states.
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    word = mixed ^ (mixed >> 31);
  }
}

std::uint64_t SeededRandom::next() {
  const auto rotate_left = [](std::uint64_t word, int bits) {
    return (word << bits) | (word >> (64 - bits));
  };
  const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate_left(state_[3], 45);
  return result;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  while (::getrandom(&seed, sizeof(seed), 0) != static_cast<ssize_t>(sizeof(seed))) {
    PENSTOCK_CHECK(errno == EINTR);
  }
  return seed;
}

}  // namespace penstock::os
