// ChunkedReader undoes the chunked transfer coding (RFC 9112 section 7.1), byte by byte where it
// must and in slices where it can. No socket, no memory of its own.
//
// Strict on purpose: sizes are hex digits only, every line ends in CRLF, extensions and trailers
// are bounded and skipped. What a lenient proxy in front reads differently is refused.
//
// Threads   belongs to one connection.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/bytes.h"

namespace penstock::net {

class ChunkedReader {
 public:
  enum class Step {
    kNeedsInput,  // `in` is used up
    kData,        // `data` is the next slice of the body, cut from `in`
    kEnd,         // the body is complete; what is left of `in` comes after it
    kMalformed,
  };

  void reset();
  [[nodiscard]] Step next(ByteView& in, ByteView& data);

 private:
  enum class State {
    kSizeFirst,     // the first hex digit of a chunk's size
    kSize,          // more of them
    kExtension,     // up to the end of the size's line
    kSizeEnd,       // its line feed
    kData,          // `left_` bytes of data
    kDataReturn,    // the CR after them
    kDataEnd,       // the LF after that
    kTrailerFirst,  // the first byte of a trailer line or of the last, empty line
    kTrailer,       // the rest of the line
    kTrailerEnd,    // its line feed
    kEnd,           // the last line feed
    kDone,
    kMalformed,
  };

  static constexpr std::size_t kLineBytesMax = 1024;     // size and extensions
  static constexpr std::size_t kTrailerBytesMax = 8192;  // all trailers together

  [[nodiscard]] State step(char c);
  [[nodiscard]] State step_size(char c);
  [[nodiscard]] State step_trailer(char c);

  State state_ = State::kSizeFirst;
  std::uint64_t left_ = 0;
  std::size_t line_size_ = 0;  // bytes of this line; in trailers, of all of them
};

}  // namespace penstock::net
