// ZstdDecoder undoes zstd frames, with windows of at most 8 MiB as RFC 8878 recommends.
//
// Threads   belongs to one thread at a time.
// Errors    as Decoder.
#pragma once

#include <memory>

#include "compress/decoder.h"
#include "compress/output_room.h"

struct ZSTD_DCtx_s;

namespace penstock::compress {

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder();
  ~ZstdDecoder() override;

  void reset() override;
  [[nodiscard]] Result<Progress> decode(ByteView& piece, PaddedBuffer& out,
                                        std::size_t output_size_max) override;
  [[nodiscard]] Status finish() override;
  [[nodiscard]] std::size_t memory_bytes() const override;

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };

  const std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  bool inside_frame_ = true;
  OutputRoom room_;
};

}  // namespace penstock::compress
