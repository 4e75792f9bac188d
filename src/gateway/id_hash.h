// IdHash is what the gateway remembers of an event id: 128 bits of SipHash-2-4 under a secret key.
//
// Keyed, because ids come from outside: without the key nobody can make two ids that collide, and
// 128 bits of chance are nothing to worry about. The key lives as long as the process; windows are
// rebuilt from the log, not stored.
// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), 128-bit variant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/bytes.h"

namespace penstock::gateway {

struct IdHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend bool operator==(const IdHash&, const IdHash&) = default;
};

class IdHasher {
 public:
  explicit IdHasher(const std::array<std::byte, 16>& key)
      : key_low_(load_le<std::uint64_t>(key.data())),
        key_high_(load_le<std::uint64_t>(key.data() + 8)) {}

  [[nodiscard]] IdHash operator()(ByteView id) const;

 private:
  std::uint64_t key_low_;
  std::uint64_t key_high_;
};

}  // namespace penstock::gateway
