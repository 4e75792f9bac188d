#include "compress/zstd_decoder.h"

#include <string>

#include <zstd.h>

#include "core/check.h"

namespace penstock::compress {

namespace {

constexpr int kWindowLogMax = 23;

}  // namespace

void ZstdDecoder::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

ZstdDecoder::ZstdDecoder() : context_(ZSTD_createDCtx()) {
  PENSTOCK_CHECK(context_ != nullptr);
  PENSTOCK_CHECK(ZSTD_isError(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax,
                                                     kWindowLogMax)) == 0);
}

ZstdDecoder::~ZstdDecoder() = default;

void ZstdDecoder::reset() {
  PENSTOCK_CHECK(ZSTD_isError(ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only)) == 0);
  inside_frame_ = true;  // an empty body is not a frame
  room_.reset();
}

Result<Decoder::Progress> ZstdDecoder::decode(ByteView& piece, PaddedBuffer& out,
                                              std::size_t output_size_max) {
  for (;;) {
    std::span<std::byte> room;
    if (!room_.lend(out, output_size_max, room)) {
      return Progress::kOutputFull;
    }
    ZSTD_inBuffer input{piece.data(), piece.size(), 0};
    ZSTD_outBuffer output{room.data(), room.size(), 0};
    const std::size_t hint = ZSTD_decompressStream(context_.get(), &output, &input);
    if (ZSTD_isError(hint) != 0) {
      return Error(ErrorCode::kInvalid,
                   std::string("the zstd body is damaged (") + ZSTD_getErrorName(hint) + ")");
    }
    piece = piece.subspan(input.pos);
    room_.take_back(out, room, output.pos);
    if (input.pos > 0 || output.pos > 0) {
      inside_frame_ = hint != 0;
    }
    if (piece.empty() && output.pos < output.size) {
      return Progress::kNeedsInput;
    }
  }
}

Status ZstdDecoder::finish() {
  if (inside_frame_) {
    return Error(ErrorCode::kInvalid, "the zstd body ends too early");
  }
  return {};
}

std::size_t ZstdDecoder::memory_bytes() const {
  return ZSTD_sizeof_DCtx(context_.get());
}

}  // namespace penstock::compress
