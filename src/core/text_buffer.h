// TextBuffer takes short texts one behind the other, with one check for room before them all.
//
// For text that is written per event: a std::string checks its room, and counts, with every piece.
// Whoever writes here says first how much may come, in characters, and may be generous.
//
// Threads   a value; no sharing.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/check.h"

namespace penstock {

class TextBuffer {
 public:
  static constexpr std::size_t kNumberSizeMax = 32;  // the longest double has 24 characters

  // What put_json_string() may write for so many characters.
  [[nodiscard]] static constexpr std::size_t json_string_size_max(std::size_t size) {
    return 6 * size + 2;
  }

  // Forgets the text; up to `size_max` characters may be put from now on.
  void clear(std::size_t size_max) {
    if (memory_.size() < size_max) {
      memory_.resize(size_max);
    }
    at_ = memory_.data();
  }

  void put(char character) {
    PENSTOCK_DCHECK(room() >= 1);
    *at_++ = character;
  }

  void put(std::string_view text) {
    PENSTOCK_DCHECK(room() >= text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  // Doubles as the shortest text that reads back as the same number; NaN and infinity as null.
  template <typename T>
  requires std::integral<T> || std::floating_point<T>

  void put_json_number(T number) {
    if constexpr (std::floating_point<T>) {
      if (number - number != 0) {
        put("null");
        return;
      }
    }
    PENSTOCK_DCHECK(room() >= kNumberSizeMax);
    at_ = std::to_chars(at_, at_ + kNumberSizeMax, number).ptr;
  }

  // In quotes, escaped as JSON wants it; `text` is UTF-8.
  void put_json_string(std::string_view text);

  [[nodiscard]] std::string_view text() const {
    return {memory_.data(), static_cast<std::size_t>(at_ - memory_.data())};
  }

 private:
  [[nodiscard]] std::size_t room() const {
    return static_cast<std::size_t>(memory_.data() + memory_.size() - at_);
  }

  std::vector<char> memory_;
  char* at_ = nullptr;
};

}  // namespace penstock
