#include "gateway/id_hash.h"

#include <bit>

namespace penstock::gateway {

namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void rounds(int count) {
    for (; count > 0; --count) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  }

  void absorb(std::uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }

  [[nodiscard]] std::uint64_t folded() const { return v0 ^ v1 ^ v2 ^ v3; }
};

}  // namespace

IdHash IdHasher::operator()(ByteView id) const {
  State state{key_low_ ^ 0x736f6d6570736575, key_high_ ^ 0x646f72616e646f6d ^ 0xee,
              key_low_ ^ 0x6c7967656e657261, key_high_ ^ 0x7465646279746573};
  const std::size_t size = id.size();
  for (; id.size() >= 8; id = id.subspan(8)) {
    state.absorb(load_le<std::uint64_t>(id.data()));
  }
  std::uint64_t last = static_cast<std::uint64_t>(size) << 56;
  for (std::size_t i = 0; i < id.size(); ++i) {
    last |= std::to_integer<std::uint64_t>(id[i]) << (8 * i);
  }
  state.absorb(last);
  state.v2 ^= 0xee;
  state.rounds(4);
  IdHash hash;
  hash.low = state.folded();
  state.v1 ^= 0xdd;
  state.rounds(4);
  hash.high = state.folded();
  return hash;
}

}  // namespace penstock::gateway
