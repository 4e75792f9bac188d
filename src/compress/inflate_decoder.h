// InflateDecoder undoes gzip and deflate with zlib.
//
// Threads   belongs to one thread at a time.
// Errors    as Decoder.
#pragma once

#include <memory>

#include "compress/decoder.h"
#include "compress/output_room.h"

struct z_stream_s;  // NOLINT(readability-identifier-naming): zlib's name

namespace penstock::compress {

class InflateDecoder final : public Decoder {
 public:
  explicit InflateDecoder(Encoding encoding);
  ~InflateDecoder() override;

  void reset() override;
  [[nodiscard]] Result<Progress> decode(ByteView& piece, PaddedBuffer& out,
                                        std::size_t output_size_max) override;
  [[nodiscard]] Status finish() override;
  [[nodiscard]] std::size_t memory_bytes() const override;

 private:
  enum class State {
    kStart,   // nothing of the body seen yet
    kInside,  // in a member
    kEnd,     // a member has ended; gzip may go on with another
  };

  [[nodiscard]] Status begin_member(ByteView piece);
  [[nodiscard]] Error damaged() const;

  const Encoding encoding_;
  const std::unique_ptr<z_stream_s> stream_;
  State state_ = State::kStart;
  OutputRoom room_;
};

}  // namespace penstock::compress
