// Where a malformed piece of a body ends, so that the scan can go on behind it. Room-private.
//
// The rules, with examples, are in README.md. Their ideas: a string never spans lines; brackets of
// the piece are paired as well as they can be; a line that is not indented deeper than the piece's
// own begins something new.
//
// Time is linear in the piece's size. Threads: belongs to one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace penstock {

class PieceEndFinder {
 public:
  enum class Place {
    kTop,     // between the values of the body
    kInList,  // inside a list of events
  };

  struct End {
    std::size_t position;  // of the first byte behind the piece; white space may be before it
    bool next_is_element;  // in a list: an element follows, although there is no comma
  };

  // `begin` is the position in `body` of the piece's first byte, which is not white space.
  [[nodiscard]] End find(std::string_view body, std::size_t begin, Place place);

 private:
  [[nodiscard]] End find_bracketed(std::string_view body, std::size_t begin, Place place);
  void open(char opener);
  void close(char closer);

  std::string open_;  // the piece's open brackets, outermost first
  std::size_t open_braces_ = 0;
};

}  // namespace penstock
