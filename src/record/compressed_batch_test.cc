#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4frame.h>

#include "core/crc32c.h"
#include "record/lz4_frame.h"
#include "record/record_batch.h"
#include "testing/random.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;
using Verify = RecordBatchView::Verify;

constexpr std::size_t kAttributesAt = 21;

std::string event(int i) {
  return R"({"user":"u)" + std::to_string(i * 7919 % 1000) + R"(","type":"click","n":)" +
         std::to_string(i) + "}";
}

void add_events(RecordBatchBuilder& builder, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string key = "u" + std::to_string(i);
    builder.append(Timestamp(1000 + i), as_bytes(key), as_bytes(event(i)));
  }
}

RecordBatch compressed_events(int count) {
  BatchCompressor compressor(Compression::kLz4);
  RecordBatchBuilder builder;
  add_events(builder, count);
  return builder.finish(compressor);
}

std::vector<std::string> values_of(ByteView bytes) {
  std::vector<std::string> values;
  const auto batch = RecordBatchView::parse(bytes, Verify::kChecksum);
  EXPECT_TRUE(batch.has_value());
  if (batch) {
    RecordReader reader(*batch);
    for (RecordView record; reader.next(record);) {
      EXPECT_EQ(record.offset, batch->base_offset() + static_cast<std::int64_t>(values.size()));
      EXPECT_EQ(record.timestamp, batch->base_timestamp() + static_cast<int>(values.size()));
      values.emplace_back(as_text(*record.value));
    }
    EXPECT_TRUE(reader.status().has_value());
  }
  return values;
}

std::vector<std::string> events(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(event(i));
  }
  return all;
}

// Puts `payload` behind the header of `batch`, marked as LZ4.
Bytes with_payload(ByteView batch, ByteView payload) {
  Bytes bytes(batch.begin(), batch.begin() + kBatchHeaderSize);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  store_be(bytes.data() + 8, static_cast<std::int32_t>(bytes.size() - 12));
  store_be(bytes.data() + kAttributesAt, std::int16_t{3});
  store_be(bytes.data() + 17, crc32c(ByteView(bytes).subspan(kAttributesAt)));
  return bytes;
}

std::string error_of(ByteView bytes) {
  const auto batch = RecordBatchView::parse(bytes, Verify::kChecksum);
  if (!batch) {
    return batch.error().message();
  }
  RecordReader reader(*batch);
  for (RecordView record; reader.next(record);) {
  }
  return reader.status() ? "" : reader.status().error().message();
}

Bytes lz4_frame(ByteView contents, const LZ4F_preferences_t& wanted) {
  Bytes frame(LZ4F_compressFrameBound(contents.size(), &wanted));
  frame.resize(
      LZ4F_compressFrame(frame.data(), frame.size(), contents.data(), contents.size(), &wanted));
  return frame;
}

TEST(CompressedBatch, IsSmallerAndHoldsTheSameRecords) {
  RecordBatchBuilder plain;
  add_events(plain, 500);

  const RecordBatch batch = compressed_events(500);

  EXPECT_LT(batch.bytes.size(), plain.size_bytes() / 2);
  EXPECT_EQ(RecordBatchView::parse(batch.bytes, Verify::kChecksum)->compression(),
            Compression::kLz4);
  EXPECT_EQ(values_of(batch.bytes), events(500));
}

TEST(CompressedBatch, TakesNoMoreMemoryThanItNeeds) {
  const RecordBatch batch = compressed_events(500);

  EXPECT_EQ(batch.bytes.capacity(), batch.bytes.size());
}

TEST(CompressedBatch, ABuilderThatCompressesKeepsItsMemory) {
  BatchCompressor compressor(Compression::kLz4);
  RecordBatchBuilder builder;
  add_events(builder, 500);
  static_cast<void>(builder.finish(compressor));

  add_events(builder, 3);
  const RecordBatch plain = builder.finish();

  EXPECT_GT(plain.bytes.capacity(), 10'000U);
  EXPECT_EQ(values_of(plain.bytes), events(3));
}

TEST(CompressedBatch, SmallBatchesStayAsTheyAre) {
  const RecordBatch batch = compressed_events(2);

  EXPECT_EQ(RecordBatchView::parse(batch.bytes, Verify::kChecksum)->compression(),
            Compression::kNone);
  EXPECT_EQ(values_of(batch.bytes), events(2));
}

TEST(CompressedBatch, BatchesThatHardlyShrinkStayAsTheyAre) {
  testing::SeededRandom random(1);
  std::string noise(5000, '\0');
  for (char& byte : noise) {
    byte = static_cast<char>(random.next());
  }
  BatchCompressor compressor(Compression::kLz4);
  RecordBatchBuilder builder;
  builder.append(Timestamp(0), std::nullopt, as_bytes(noise));

  const RecordBatch batch = builder.finish(compressor);

  EXPECT_EQ(RecordBatchView::parse(batch.bytes, Verify::kChecksum)->compression(),
            Compression::kNone);
  EXPECT_EQ(values_of(batch.bytes), (std::vector{noise}));
}

TEST(CompressedBatch, WithoutCompressionBatchesStayAsTheyAre) {
  BatchCompressor compressor(Compression::kNone);
  RecordBatchBuilder builder;
  add_events(builder, 500);
  const std::size_t size = builder.size_bytes();

  EXPECT_EQ(builder.finish(compressor).bytes.size(), size);
}

// The first five records as one literal run, framed by hand from the description of the format.
TEST(CompressedBatch, AFrameWrittenByHandIsRead) {
  RecordBatchBuilder builder;
  add_events(builder, 5);
  const RecordBatch plain = builder.finish();
  const ByteView records = ByteView(plain.bytes).subspan(kBatchHeaderSize);
  ASSERT_LT(records.size(), 15U + 255 + 255);
  Bytes frame;
  const auto put = [&](std::initializer_list<std::size_t> bytes) {
    for (const std::size_t byte : bytes) {
      frame.push_back(static_cast<std::byte>(byte));
    }
  };
  const std::size_t block = 1 + records.size() / 255 + 1 + records.size();
  std::size_t left = records.size() - 15;
  put({0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82});
  std::vector<std::size_t> lengths;
  for (; left >= 255; left -= 255) {
    lengths.push_back(255);
  }
  lengths.push_back(left);
  const std::size_t size = 1 + lengths.size() + records.size();
  ASSERT_LE(size, block);
  put({size & 0xff, size >> 8, 0, 0, 0xf0});
  for (const std::size_t length : lengths) {
    put({length});
  }
  frame.insert(frame.end(), records.begin(), records.end());
  put({0, 0, 0, 0});

  EXPECT_EQ(values_of(with_payload(plain.bytes, frame)), events(5));
}

// Other clients write blocks of 64 KiB, let blocks refer to each other, add checksums.
TEST(CompressedBatch, FramesOfOtherWritersAreRead) {
  RecordBatchBuilder builder;
  add_events(builder, 5000);
  const RecordBatch plain = builder.finish();
  const ByteView records = ByteView(plain.bytes).subspan(kBatchHeaderSize);
  ASSERT_GT(records.size(), 3U * 65'536);
  for (const auto mode : {LZ4F_blockLinked, LZ4F_blockIndependent}) {
    for (const bool extras : {false, true}) {
      LZ4F_preferences_t wanted{};
      wanted.frameInfo.blockSizeID = LZ4F_max64KB;
      wanted.frameInfo.blockMode = mode;
      wanted.frameInfo.contentChecksumFlag =
          extras ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum;
      wanted.frameInfo.blockChecksumFlag =
          extras ? LZ4F_blockChecksumEnabled : LZ4F_noBlockChecksum;
      wanted.frameInfo.contentSize = extras ? 1 : 0;

      EXPECT_EQ(values_of(with_payload(plain.bytes, lz4_frame(records, wanted))), events(5000));
    }
  }
}

TEST(CompressedBatch, BlocksThatWereNotWorthCompressingAreRead) {
  testing::SeededRandom random(7);
  std::string noise(200'000, '\0');
  for (char& byte : noise) {
    byte = static_cast<char>(random.next());
  }
  RecordBatchBuilder builder;
  builder.append(Timestamp(1000), std::nullopt, as_bytes(noise));
  const RecordBatch plain = builder.finish();
  LZ4F_preferences_t wanted{};
  const Bytes frame = lz4_frame(ByteView(plain.bytes).subspan(kBatchHeaderSize), wanted);

  EXPECT_EQ(values_of(with_payload(plain.bytes, frame)), (std::vector{noise}));
}

TEST(CompressedBatch, OtherCodecsAreRefusedByName) {
  RecordBatch batch = compressed_events(500);
  store_be(batch.bytes.data() + kAttributesAt, std::int16_t{4});
  store_be(batch.bytes.data() + 17, crc32c(ByteView(batch.bytes).subspan(kAttributesAt)));

  EXPECT_THAT(error_of(batch.bytes), HasSubstr("codec 4"));
}

TEST(CompressedBatch, AFrameThatIsCutShortIsRefusedAtEveryByte) {
  const RecordBatch batch = compressed_events(40);
  const ByteView frame = ByteView(batch.bytes).subspan(kBatchHeaderSize);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_THAT(error_of(with_payload(batch.bytes, frame.first(size))), HasSubstr("LZ4 frame"))
        << size;
  }
}

TEST(CompressedBatch, BytesBehindAFrameAreRefused) {
  const RecordBatch batch = compressed_events(40);
  Bytes frame(batch.bytes.begin() + kBatchHeaderSize, batch.bytes.end());
  frame.push_back(std::byte{0});

  EXPECT_THAT(error_of(with_payload(batch.bytes, frame)), HasSubstr("behind its end"));
}

TEST(CompressedBatch, AFrameThatHoldsMoreThanItSaysIsRefused) {
  const RecordBatch batch = compressed_events(40);
  Bytes frame(batch.bytes.begin() + kBatchHeaderSize, batch.bytes.end());
  store_le(frame.data() + 6, load_le<std::uint64_t>(frame.data() + 6) - 1);

  EXPECT_THAT(error_of(with_payload(batch.bytes, frame)), HasSubstr("LZ4 frame"));
}

TEST(CompressedBatch, AFrameThatSaysMoreThanItsBytesCanHoldTakesNoMemory) {
  const RecordBatch batch = compressed_events(40);
  Bytes frame(batch.bytes.begin() + kBatchHeaderSize, batch.bytes.end());
  store_le(frame.data() + 6, std::uint64_t{100} << 20);

  EXPECT_THAT(error_of(with_payload(batch.bytes, frame)), HasSubstr("says that it holds"));
}

TEST(Lz4Frame, HoldsNoMoreThanTheReaderTakes) {
  const Bytes zeros(1 << 20);
  Bytes frame(lz4_frame_size_max(zeros.size()));
  frame.resize(write_lz4_frame(zeros, frame.data()));
  Buffer contents;

  EXPECT_FALSE(read_lz4_frame(frame, zeros.size() - 1, contents).has_value());
  EXPECT_TRUE(read_lz4_frame(frame, zeros.size(), contents).has_value());
  EXPECT_EQ(contents.size(), zeros.size());
}

TEST(CompressedBatch, DamageIsReadWithoutHarm) {
  const RecordBatch sound = compressed_events(60);
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    testing::SeededRandom random(seed);
    Bytes bytes(sound.bytes.begin(), sound.bytes.end());
    for (std::uint64_t i = 1 + random.below(4); i > 0; --i) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
    }
    const auto batch = RecordBatchView::parse(bytes, Verify::kHeaderOnly);
    if (!batch) {
      continue;
    }
    RecordReader reader(*batch);
    Offset last = batch->base_offset() + -1;
    for (RecordView record; reader.next(record);) {
      ASSERT_GT(record.offset, last) << "seed " << seed;
      ASSERT_LE(record.offset, batch->last_offset()) << "seed " << seed;
      last = record.offset;
    }
  }
}

}  // namespace
}  // namespace penstock
