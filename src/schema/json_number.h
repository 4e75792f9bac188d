// is_json_number checks the grammar of RFC 8259 numbers. Room-private, inlined into the walker.
//
// Integers and plain decimals of up to 16 characters, which is nearly all of them, are checked with
// one vector comparison; everything else by the grammar, character by character.
#pragma once

#include <cstddef>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace penstock {

// The grammar itself: no leading zeros, digits on both sides of the point, digits in the exponent.
[[nodiscard]] bool is_json_number_slow(const char* text, std::size_t size);

// `text` must have 16 readable bytes, whatever they are. Size 0 is no number.
[[nodiscard]] inline bool is_json_number(const char* text, std::size_t size) {
#if defined(__SSE2__)
  if (size - 1 < 16) [[likely]] {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
    // '0'..'9' become -128..-119, everything else is larger as a signed byte.
    const __m128i shifted = _mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(-128 - '0')));
    const auto others = static_cast<unsigned>(
        _mm_movemask_epi8(_mm_cmpgt_epi8(shifted, _mm_set1_epi8(static_cast<char>(-119)))));
    const unsigned odd = others & ((1U << size) - 1);
    if (odd == 0) [[likely]] {
      return text[0] != '0' || size == 1;
    }
    // Exactly one other character, a point with a digit before and behind it.
    if ((odd & (odd - 1)) == 0 && (odd & (1U | 1U << (size - 1))) == 0) {
      const bool is_point = text[__builtin_ctz(odd)] == '.';
      return is_point ? text[0] != '0' || odd == 2 : is_json_number_slow(text, size);
    }
  }
#endif
  return is_json_number_slow(text, size);
}

}  // namespace penstock
