#include "compress/inflate_decoder.h"

#include <algorithm>
#include <limits>
#include <string>

#include <zlib.h>

#include "core/check.h"

namespace penstock::compress {

namespace {

constexpr int kWindowBits = 15;
constexpr int kGzipWindowBits = 16 + kWindowBits;
constexpr int kBareWindowBits = -kWindowBits;

// State and window of zlib's inflate, as its documentation gives them (zconf.h).
constexpr std::size_t kInflateMemory = (1U << kWindowBits) + 7 * 1024;

// A zlib stream begins with compression method 8 and a window of at most 32 KiB (RFC 1950). A bare
// stream would begin so only with a stored block whose padding bits are not zero.
bool looks_like_zlib(std::byte first) {
  const auto bits = static_cast<unsigned>(first);
  return (bits & 0x0f) == Z_DEFLATED && (bits >> 4) <= kWindowBits - 8;
}

uInt clamp(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

}  // namespace

InflateDecoder::InflateDecoder(Encoding encoding)
    : encoding_(encoding), stream_(std::make_unique<z_stream_s>()) {
  // Fails only for lack of memory, or with another zlib than was compiled against.
  PENSTOCK_CHECK(inflateInit2(stream_.get(), kGzipWindowBits) == Z_OK);
}

InflateDecoder::~InflateDecoder() {
  inflateEnd(stream_.get());
}

void InflateDecoder::reset() {
  state_ = State::kStart;
  room_.reset();
}

Status InflateDecoder::begin_member(ByteView piece) {
  int window_bits = kGzipWindowBits;
  if (encoding_ == Encoding::kDeflate) {
    if (state_ == State::kEnd) {
      return Error(ErrorCode::kInvalid, "the deflate body has bytes behind its end");
    }
    window_bits = looks_like_zlib(piece.front()) ? kWindowBits : kBareWindowBits;
  }
  PENSTOCK_CHECK(inflateReset2(stream_.get(), window_bits) == Z_OK);
  state_ = State::kInside;
  return {};
}

Result<Decoder::Progress> InflateDecoder::decode(ByteView& piece, PaddedBuffer& out,
                                                 std::size_t output_size_max) {
  for (;;) {
    std::span<std::byte> room;
    if (!room_.lend(out, output_size_max, room)) {
      return Progress::kOutputFull;
    }
    if (state_ != State::kInside) {
      if (piece.empty()) {
        return Progress::kNeedsInput;
      }
      PENSTOCK_TRY(begin_member(piece));
    }
    const uInt given = clamp(piece.size());
    const uInt lent = clamp(room.size());
    // zlib does not write through next_in; its type lacks the const only without ZLIB_CONST.
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(piece.data()));
    stream_->avail_in = given;
    stream_->next_out = reinterpret_cast<Bytef*>(room.data());
    stream_->avail_out = lent;
    const int code = inflate(stream_.get(), Z_NO_FLUSH);
    piece = piece.subspan(given - stream_->avail_in);
    room_.take_back(out, room, lent - stream_->avail_out);
    if (code == Z_STREAM_END) {
      state_ = State::kEnd;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return damaged();
    } else if (piece.empty() && stream_->avail_out > 0) {
      return Progress::kNeedsInput;
    }
  }
}

Status InflateDecoder::finish() {
  if (state_ != State::kEnd) {
    return Error(ErrorCode::kInvalid,
                 "the " + std::string(to_string(encoding_)) + " body ends too early");
  }
  return {};
}

std::size_t InflateDecoder::memory_bytes() const {
  return kInflateMemory;
}

Error InflateDecoder::damaged() const {
  std::string message = "the " + std::string(to_string(encoding_)) + " body is damaged";
  if (stream_->msg != nullptr) {
    message += std::string(" (") + stream_->msg + ")";
  }
  return {ErrorCode::kInvalid, message};
}

}  // namespace penstock::compress
