#include "compress/decoder.h"

#include <algorithm>
#include <array>
#include <string>

#include "compress/inflate_decoder.h"
#include "compress/zstd_decoder.h"

namespace penstock::compress {

namespace {

struct Name {
  std::string_view text;
  Encoding encoding;
};

constexpr std::array kNames = {
    Name{"gzip", Encoding::kGzip},
    Name{"x-gzip", Encoding::kGzip},
    Name{"deflate", Encoding::kDeflate},
    Name{"zstd", Encoding::kZstd},
};

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

std::optional<Encoding> encoding_from_name(std::string_view name) {
  for (const Name& known : kNames) {
    if (std::equal(name.begin(), name.end(), known.text.begin(), known.text.end(),
                   [](char given, char wanted) { return to_lower(given) == wanted; })) {
      return known.encoding;
    }
  }
  return std::nullopt;
}

std::string_view to_string(Encoding encoding) {
  return std::find_if(kNames.begin(), kNames.end(),
                      [&](const Name& known) { return known.encoding == encoding; })
      ->text;
}

std::unique_ptr<Decoder> make_decoder(Encoding encoding) {
  if (encoding == Encoding::kZstd) {
    return std::make_unique<ZstdDecoder>();
  }
  return std::make_unique<InflateDecoder>(encoding);
}

Status decode_all(Decoder& decoder, ByteView body, PaddedBuffer& out, std::size_t output_size_max) {
  decoder.reset();
  PENSTOCK_TRY_ASSIGN(const Decoder::Progress progress, decoder.decode(body, out, output_size_max));
  if (progress == Decoder::Progress::kOutputFull) {
    return Error(ErrorCode::kBusy,
                 "the decoded body is larger than " + std::to_string(output_size_max) + " bytes");
  }
  return decoder.finish();
}

}  // namespace penstock::compress
