#include "compress/decoder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace penstock::compress {
namespace {

constexpr std::size_t kNoLimit = 64 * 1024 * 1024;

// Text that compresses well but not to nothing.
std::string sample_text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) {
    text +=
        "{\"user\":\"u" + std::to_string(i * 7919 % 1000) + "\",\"n\":" + std::to_string(i) + "}\n";
  }
  text.resize(size);
  return text;
}

std::string deflate_with(int window_bits, std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string gzip(std::string_view text) {
  return deflate_with(31, text);
}

std::string zstd(std::string_view text, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  ZSTD_inBuffer input{text.data(), text.size(), 0};
  ZSTD_outBuffer output{packed.data(), packed.size(), 0};
  EXPECT_EQ(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end), 0U);
  packed.resize(output.pos);
  ZSTD_freeCCtx(context);
  return packed;
}

struct Case {
  const char* name;
  Encoding encoding;
  std::string (*pack)(std::string_view);
};

const Case kCases[] = {
    {"Gzip", Encoding::kGzip, gzip},
    {"Zlib", Encoding::kDeflate, [](std::string_view text) { return deflate_with(15, text); }},
    {"BareDeflate", Encoding::kDeflate,
     [](std::string_view text) { return deflate_with(-15, text); }},
    {"Zstd", Encoding::kZstd, [](std::string_view text) { return zstd(text); }},
};

class EveryEncoding : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Decoder, EveryEncoding, testing::ValuesIn(kCases),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_P(EveryEncoding, GivesBackWhatWasPacked) {
  for (const std::size_t size : {0, 1, 100, 16384, 1000000}) {
    const std::string text = sample_text(size);
    const auto decoder = make_decoder(GetParam().encoding);
    PaddedBuffer out;

    const Status status = decode_all(*decoder, as_bytes(GetParam().pack(text)), out, kNoLimit);

    ASSERT_TRUE(status) << status.error().message();
    EXPECT_EQ(out.text(), text);
  }
}

TEST_P(EveryEncoding, TakesPiecesOfAnySize) {
  const std::string text = sample_text(50000);
  const std::string packed = GetParam().pack(text);
  const auto decoder = make_decoder(GetParam().encoding);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    decoder->reset();
    PaddedBuffer out;

    for (std::size_t at = 0; at < packed.size(); at += step) {
      ByteView piece = as_bytes(std::string_view(packed).substr(at, step));
      const auto progress = decoder->decode(piece, out, kNoLimit);
      ASSERT_TRUE(progress) << progress.error().message();
      ASSERT_EQ(*progress, Decoder::Progress::kNeedsInput);
      ASSERT_TRUE(piece.empty());
    }

    EXPECT_TRUE(decoder->finish());
    EXPECT_EQ(out.text(), text);
  }
}

TEST_P(EveryEncoding, StopsAtTheLimitAndGoesOnWhenItIsRaised) {
  const std::string text = sample_text(3000);
  const std::string packed = GetParam().pack(text);
  const auto decoder = make_decoder(GetParam().encoding);
  decoder->reset();
  PaddedBuffer out;
  ByteView piece = as_bytes(packed);
  std::size_t limit = 1;

  for (auto progress = decoder->decode(piece, out, limit);
       progress && *progress == Decoder::Progress::kOutputFull;
       progress = decoder->decode(piece, out, limit)) {
    ASSERT_EQ(out.size(), limit);
    ASSERT_LE(out.capacity(), limit);
    limit += 37;
  }

  EXPECT_TRUE(decoder->finish());
  EXPECT_EQ(out.text(), text);
}

TEST_P(EveryEncoding, ExactlyTheLimitIsAllowed) {
  const std::string text = sample_text(5000);
  const auto decoder = make_decoder(GetParam().encoding);
  PaddedBuffer exact;
  PaddedBuffer one_less;

  EXPECT_TRUE(decode_all(*decoder, as_bytes(GetParam().pack(text)), exact, text.size()));
  const Status refused =
      decode_all(*decoder, as_bytes(GetParam().pack(text)), one_less, text.size() - 1);

  EXPECT_EQ(exact.text(), text);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kBusy);
}

TEST_P(EveryEncoding, ABombIsStoppedBeforeItsMemoryIsTaken) {
  const std::string packed = GetParam().pack(std::string(32 * 1024 * 1024, '0'));
  const auto decoder = make_decoder(GetParam().encoding);
  PaddedBuffer out;

  const Status status = decode_all(*decoder, as_bytes(packed), out, 100000);

  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kBusy);
  EXPECT_LE(out.capacity(), 100000U);
}

TEST_P(EveryEncoding, EveryTruncationIsNoticed) {
  const std::string packed = GetParam().pack(sample_text(300));
  const auto decoder = make_decoder(GetParam().encoding);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    PaddedBuffer out;

    const Status status =
        decode_all(*decoder, as_bytes(std::string_view(packed).substr(0, size)), out, kNoLimit);

    ASSERT_FALSE(status) << size << " of " << packed.size();
    EXPECT_EQ(status.error().code(), ErrorCode::kInvalid);
  }
}

TEST_P(EveryEncoding, WhatIsSomethingElseIsRefused) {
  const auto decoder = make_decoder(GetParam().encoding);
  PaddedBuffer out;

  const Status status =
      decode_all(*decoder, as_bytes("{\"this\":\"is plain JSON\"}"), out, kNoLimit);

  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kInvalid);
}

TEST_P(EveryEncoding, IsUsableAgainAfterAnError) {
  const std::string text = sample_text(2000);
  const auto decoder = make_decoder(GetParam().encoding);
  PaddedBuffer out;
  ASSERT_FALSE(decode_all(*decoder, as_bytes("\x01\x02nonsense"), out, kNoLimit));
  out.clear();

  const Status status = decode_all(*decoder, as_bytes(GetParam().pack(text)), out, kNoLimit);

  EXPECT_TRUE(status);
  EXPECT_EQ(out.text(), text);
}

TEST(GzipDecoder, ReadsSeveralMembersAsOneBody) {
  const auto decoder = make_decoder(Encoding::kGzip);
  PaddedBuffer out;

  const Status status =
      decode_all(*decoder, as_bytes(gzip("one ") + gzip("") + gzip("two")), out, kNoLimit);

  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(out.text(), "one two");
}

TEST(GzipDecoder, ATruncatedSecondMemberIsNoticed) {
  const auto decoder = make_decoder(Encoding::kGzip);
  const std::string second = gzip("two");
  PaddedBuffer out;

  const Status status =
      decode_all(*decoder, as_bytes(gzip("one") + second.substr(0, 5)), out, kNoLimit);

  EXPECT_FALSE(status);
}

TEST(GzipDecoder, AWrongChecksumIsNoticed) {
  std::string packed = gzip(sample_text(1000));
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);
  const auto decoder = make_decoder(Encoding::kGzip);
  PaddedBuffer out;

  const Status status = decode_all(*decoder, as_bytes(packed), out, kNoLimit);

  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message(), "the gzip body is damaged (incorrect data check)");
}

TEST(DeflateDecoder, BytesBehindTheEndAreRefused) {
  const auto decoder = make_decoder(Encoding::kDeflate);
  PaddedBuffer out;

  const Status status =
      decode_all(*decoder, as_bytes(deflate_with(15, "one") + "two"), out, kNoLimit);

  EXPECT_FALSE(status);
}

TEST(ZstdDecoder, ReadsSeveralFramesAsOneBody) {
  const auto decoder = make_decoder(Encoding::kZstd);
  PaddedBuffer out;

  const Status status = decode_all(*decoder, as_bytes(zstd("one ") + zstd("two")), out, kNoLimit);

  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(out.text(), "one two");
}

TEST(ZstdDecoder, AWindowOverEightMebibytesIsRefused) {
  const std::string text = sample_text(20000000);
  const auto decoder = make_decoder(Encoding::kZstd);
  PaddedBuffer out;

  EXPECT_FALSE(decode_all(*decoder, as_bytes(zstd(text, 24)), out, kNoLimit));
  out.clear();
  EXPECT_TRUE(decode_all(*decoder, as_bytes(zstd(text, 23)), out, kNoLimit));
}

TEST(EncodingName, IsReadInAnyCase) {
  EXPECT_EQ(encoding_from_name("GZip"), Encoding::kGzip);
  EXPECT_EQ(encoding_from_name("x-gzip"), Encoding::kGzip);
  EXPECT_EQ(encoding_from_name("deflate"), Encoding::kDeflate);
  EXPECT_EQ(encoding_from_name("zstd"), Encoding::kZstd);
  EXPECT_EQ(encoding_from_name("br"), std::nullopt);
  EXPECT_EQ(encoding_from_name(""), std::nullopt);
}

}  // namespace
}  // namespace penstock::compress
