// SplitMix64, and FNV-1a to seed it: what the Java side makes its inputs with
// (java/oracle/SplitMix).
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock::oracle {

inline constexpr std::uint64_t kFnvStart = 0xcbf29ce484222325;

[[nodiscard]] constexpr std::uint64_t fnv(std::string_view text, std::uint64_t hash = kFnvStart) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}

  [[nodiscard]] std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  // Not quite uniform; the same in both languages matters more here.
  [[nodiscard]] std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound));
  }

  [[nodiscard]] bool percent(std::int64_t share) { return below(100) < share; }

 private:
  std::uint64_t state_;
};

}  // namespace penstock::oracle
