// Decoder undoes one content encoding, piece by piece, and never writes more than it is allowed.
//
// Request bodies come compressed and in pieces of any size; what comes out goes straight into the
// buffer that is scanned. A body that would grow past the limit (a "bomb") is noticed before the
// memory for it is taken. One decoder serves many bodies, one after the other: reset() keeps its
// tables.
//
//   decoder.reset();
//   for each piece: while (decode(piece, out, limit) says kOutputFull) raise the limit or give up;
//   PENSTOCK_TRY(decoder.finish());
//
// gzip: any number of members (RFC 1952). deflate: with the zlib wrapper, as RFC 9110 says, or
// bare, as some clients send it. zstd: any number of frames (RFC 8878), window at most 8 MiB.
//
// Threads   belongs to one thread at a time.
// Errors    kInvalid  the bytes are not this encoding, damaged, or end too early; only reset() is
//                     of use after it
//           kBusy     (decode_all) the decoded body is larger than allowed
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "core/bytes.h"
#include "core/padded_buffer.h"
#include "core/result.h"

namespace penstock::compress {

enum class Encoding { kGzip, kDeflate, kZstd };

// "gzip", "x-gzip", "deflate", "zstd" in any case, as in Content-Encoding; absent for all others.
[[nodiscard]] std::optional<Encoding> encoding_from_name(std::string_view name);
[[nodiscard]] std::string_view to_string(Encoding encoding);

class Decoder {
 public:
  enum class Progress {
    kNeedsInput,  // `piece` is used up and everything it gave is in `out`
    kOutputFull,  // `out` has `output_size_max` bytes and there is at least one more to come
  };

  virtual ~Decoder() = default;

  // Begins a new body.
  virtual void reset() = 0;

  // Appends what `piece` decodes to, until `out` has `output_size_max` bytes, and cuts from `piece`
  // what was used. Never makes out.capacity() larger than `output_size_max`.
  [[nodiscard]] virtual Result<Progress> decode(ByteView& piece, PaddedBuffer& out,
                                                std::size_t output_size_max) = 0;

  // After the last piece: kInvalid if the encoded body is not complete.
  [[nodiscard]] virtual Status finish() = 0;

  // What it has allocated for itself; depends on what the sender asks for (zstd's window).
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;
};

[[nodiscard]] std::unique_ptr<Decoder> make_decoder(Encoding encoding);

// Decodes one whole body.
[[nodiscard]] Status decode_all(Decoder& decoder, ByteView body, PaddedBuffer& out,
                                std::size_t output_size_max);

}  // namespace penstock::compress
