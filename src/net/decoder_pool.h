// DecoderPool keeps a few decoders of a loop for the next compressed bodies.
//
// Threads   belongs to its loop's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "compress/decoder.h"
#include "core/units.h"

namespace penstock::net {

class DecoderPool {
 public:
  [[nodiscard]] std::unique_ptr<compress::Decoder> take(compress::Encoding encoding) {
    for (Kept& kept : kept_) {
      if (kept.encoding == encoding) {
        std::unique_ptr<compress::Decoder> decoder = std::move(kept.decoder);
        std::swap(kept, kept_.back());
        kept_.pop_back();
        return decoder;
      }
    }
    return compress::make_decoder(encoding);
  }

  void put_back(compress::Encoding encoding, std::unique_ptr<compress::Decoder> decoder) {
    if (kept_.size() < kCountMax && decoder->memory_bytes() <= kBytesMax) {
      kept_.push_back({encoding, std::move(decoder)});
    }
  }

 private:
  static constexpr std::size_t kCountMax = 16;
  static constexpr std::size_t kBytesMax = 256 * kKiB;  // zstd with a large window goes

  struct Kept {
    compress::Encoding encoding;
    std::unique_ptr<compress::Decoder> decoder;
  };

  std::vector<Kept> kept_;
};

}  // namespace penstock::net
