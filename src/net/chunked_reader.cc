#include "net/chunked_reader.h"

#include <algorithm>

namespace penstock::net {

namespace {

constexpr std::uint64_t kChunkSizeMax = std::uint64_t{1} << 60;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool is_text(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

}  // namespace

void ChunkedReader::reset() {
  state_ = State::kSizeFirst;
  left_ = 0;
  line_size_ = 0;
}

ChunkedReader::Step ChunkedReader::next(ByteView& in, ByteView& data) {
  for (;;) {
    if (state_ == State::kDone) {
      return Step::kEnd;
    }
    if (state_ == State::kMalformed) {
      return Step::kMalformed;
    }
    if (in.empty()) {
      return Step::kNeedsInput;
    }
    if (state_ == State::kData) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
      data = in.first(size);
      in = in.subspan(size);
      left_ -= size;
      if (left_ == 0) {
        state_ = State::kDataReturn;
      }
      return Step::kData;
    }
    state_ = step(static_cast<char>(in.front()));
    in = in.subspan(1);
  }
}

ChunkedReader::State ChunkedReader::step(char c) {
  switch (state_) {
    case State::kSizeFirst:
    case State::kSize:
      return step_size(c);
    case State::kExtension:
      if (c == '\r') {
        return State::kSizeEnd;
      }
      return is_text(c) && ++line_size_ <= kLineBytesMax ? State::kExtension : State::kMalformed;
    case State::kSizeEnd:
      line_size_ = 0;
      if (c != '\n') {
        return State::kMalformed;
      }
      return left_ > 0 ? State::kData : State::kTrailerFirst;
    case State::kDataReturn:
      return c == '\r' ? State::kDataEnd : State::kMalformed;
    case State::kDataEnd:
      return c == '\n' ? State::kSizeFirst : State::kMalformed;
    default:
      return step_trailer(c);
  }
}

ChunkedReader::State ChunkedReader::step_size(char c) {
  const int digit = hex_digit(c);
  if (digit >= 0) {
    // Leading zeros count towards the line, so that they end somewhere, too.
    if (left_ > kChunkSizeMax / 16 || ++line_size_ > kLineBytesMax) {
      return State::kMalformed;
    }
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return State::kSize;
  }
  if (state_ == State::kSizeFirst) {
    return State::kMalformed;
  }
  if (c == '\r') {
    return State::kSizeEnd;
  }
  return c == ';' ? State::kExtension : State::kMalformed;
}

ChunkedReader::State ChunkedReader::step_trailer(char c) {
  if (++line_size_ > kTrailerBytesMax) {
    return State::kMalformed;
  }
  switch (state_) {
    case State::kTrailerFirst:
      if (c == '\r') {
        return State::kEnd;
      }
      return is_text(c) && c != ' ' && c != '\t' ? State::kTrailer : State::kMalformed;
    case State::kTrailer:
      if (c == '\r') {
        return State::kTrailerEnd;
      }
      return is_text(c) ? State::kTrailer : State::kMalformed;
    case State::kTrailerEnd:
      return c == '\n' ? State::kTrailerFirst : State::kMalformed;
    case State::kEnd:
      return c == '\n' ? State::kDone : State::kMalformed;
    default:
      return State::kMalformed;
  }
}

}  // namespace penstock::net
