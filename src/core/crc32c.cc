#include "core/crc32c.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include <isa-l/crc.h>

namespace penstock {

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
  constexpr std::size_t kPieceMax = std::numeric_limits<int>::max();
  std::uint32_t state = ~seed;
  while (!bytes.empty()) {
    const ByteView piece = bytes.first(std::min(bytes.size(), kPieceMax));
    // ISA-L takes a mutable pointer and an int length, and reads only.
    auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(piece.data()));
    state = crc32_iscsi(data, static_cast<int>(piece.size()), state);
    bytes = bytes.subspan(piece.size());
  }
  return ~state;
}

}  // namespace penstock
