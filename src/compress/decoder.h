// Decoder undoes one content encoding, piece by piece, and never writes more than it is allowed.
//
// Request bodies come compressed and in pieces of any size; what comes out goes straight into the
// buffer that is scanned. A body that would grow past the limit (a "bomb") is refused before the
// memory is taken. One decoder serves many bodies: reset() keeps its tables.
//
//   decoder.reset(limit);
//   PENSTOCK_TRY(decoder.decode(piece, out));   // for each piece
//   PENSTOCK_TRY(decoder.finish());
//
// gzip: any number of members (RFC 1952). deflate: with the zlib wrapper, as RFC 9110 says, or
// bare, as some clients send it. zstd: any number of frames (RFC 8878), window at most 8 MiB.
//
// Threads   belongs to one thread at a time.
// Errors    kInvalid  the bytes are not this encoding, damaged, or end too early
//           kBusy     the output limit is reached; what was written so far stays in `out`
//           After an error only reset() is of use.
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
  virtual ~Decoder() = default;

  // Begins a new body of at most `output_size_max` bytes after decoding.
  virtual void reset(std::size_t output_size_max) = 0;

  // Appends what `piece` decodes to.
  [[nodiscard]] virtual Status decode(ByteView piece, PaddedBuffer& out) = 0;

  // After the last piece: kInvalid if the encoded body is not complete.
  [[nodiscard]] virtual Status finish() = 0;
};

[[nodiscard]] std::unique_ptr<Decoder> make_decoder(Encoding encoding);

}  // namespace penstock::compress
