#include "core/utf8.h"

#include <cstddef>

namespace penstock {

namespace {

// What a first byte asks of the bytes after it: how many, and the range of the first of them.
struct Sequence {
  std::size_t continuation_count;
  unsigned char second_min;
  unsigned char second_max;
};

// Source: The Unicode Standard, table 3-7. A count of 4 stands for "no sequence begins like this".
Sequence sequence_of(unsigned char first) {
  if (first < 0x80) {
    return {0, 0, 0};
  }
  if (first >= 0xc2 && first <= 0xdf) {
    return {1, 0x80, 0xbf};
  }
  if (first >= 0xe0 && first <= 0xef) {
    const auto min = static_cast<unsigned char>(first == 0xe0 ? 0xa0 : 0x80);
    const auto max = static_cast<unsigned char>(first == 0xed ? 0x9f : 0xbf);
    return {2, min, max};
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const auto min = static_cast<unsigned char>(first == 0xf0 ? 0x90 : 0x80);
    const auto max = static_cast<unsigned char>(first == 0xf4 ? 0x8f : 0xbf);
    return {3, min, max};
  }
  return {4, 0, 0};
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  for (std::size_t at = 0; at < bytes.size();) {
    const Sequence sequence = sequence_of(byte(at));
    if (sequence.continuation_count >= bytes.size() - at || sequence.continuation_count > 3) {
      return false;
    }
    for (std::size_t i = 1; i <= sequence.continuation_count; ++i) {
      const unsigned char min = i == 1 ? sequence.second_min : 0x80;
      const unsigned char max = i == 1 ? sequence.second_max : 0xbf;
      if (byte(at + i) < min || byte(at + i) > max) {
        return false;
      }
    }
    at += sequence.continuation_count + 1;
  }
  return true;
}

}  // namespace penstock
