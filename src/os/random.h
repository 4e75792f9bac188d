// Random is the only source of randomness, so that a simulated run can be repeated from its seed.
//
// Threads   one object belongs to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace penstock::os {

class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;

  // Uniform in [0, bound); bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);

  // A random (version 4) UUID's 16 bytes. Source: RFC 9562.
  [[nodiscard]] std::array<std::byte, 16> uuid();
};

// Seeded by the caller: xoshiro256** by Blackman and Vigna.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  [[nodiscard]] std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 4> state_{};
};

// Seeded by the operating system (getrandom), once.
[[nodiscard]] std::uint64_t random_seed();

}  // namespace penstock::os
