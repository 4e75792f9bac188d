#include "record/record_batch.h"

#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/crc32c.h"
#include "core/varint.h"
#include "testing/random.h"

namespace penstock {
namespace {

using Verify = RecordBatchView::Verify;

// One record as plain values, to compare with.
struct Plain {
  std::int64_t timestamp = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;

  friend bool operator==(const Plain&, const Plain&) = default;
};

std::optional<ByteView> view(const std::optional<std::string>& text) {
  return text.has_value() ? std::optional(as_bytes(*text)) : std::nullopt;
}

std::optional<std::string> text(const std::optional<ByteView>& bytes) {
  return bytes.has_value() ? std::optional(std::string(as_text(*bytes))) : std::nullopt;
}

void append(RecordBatchBuilder& builder, const Plain& record) {
  std::vector<HeaderView> headers;
  for (const auto& [key, value] : record.headers) {
    headers.push_back({key, view(value)});
  }
  builder.append(Timestamp(record.timestamp), view(record.key), view(record.value), headers);
}

RecordBatch encode(const std::vector<Plain>& records) {
  RecordBatchBuilder builder;
  for (const Plain& record : records) {
    append(builder, record);
  }
  return builder.finish();
}

Plain plain(const RecordView& record) {
  Plain result{record.timestamp.value(), text(record.key), text(record.value), {}};
  HeaderReader reader(record);
  HeaderView header;
  while (reader.next(header)) {
    result.headers.emplace_back(header.key, text(header.value));
  }
  return result;
}

// All records; the test fails if the batch does not end cleanly.
std::vector<Plain> decode(ByteView bytes) {
  std::vector<Plain> records;
  const auto batch = RecordBatchView::parse(bytes, Verify::kChecksum);
  EXPECT_TRUE(batch.has_value());
  if (batch.has_value()) {
    RecordReader reader(*batch);
    RecordView record;
    while (reader.next(record)) {
      records.push_back(plain(record));
    }
    EXPECT_TRUE(reader.status().has_value());
  }
  return records;
}

// Writes a batch field by field as Kafka's documentation has it, independent of the builder.
class HandBatch {
 public:
  template <typename T>
  HandBatch& put(T value) {
    std::array<std::byte, sizeof(T)> raw;
    store_be(raw.data(), value);
    bytes_.insert(bytes_.end(), raw.begin(), raw.end());
    return *this;
  }

  HandBatch& put_raw(std::initializer_list<int> raw) {
    for (const int byte : raw) {
      bytes_.push_back(static_cast<std::byte>(byte));
    }
    return *this;
  }

  // Fills in the batch's length and checksum.
  Bytes seal() {
    store_be(bytes_.data() + 8, static_cast<std::int32_t>(bytes_.size() - 12));
    store_be(bytes_.data() + 17, crc32c(ByteView(bytes_).subspan(21)));
    return bytes_;
  }

 private:
  Bytes bytes_;
};

// A header with every number explicit; records follow.
HandBatch hand_header(std::int16_t attributes, std::int32_t last_delta, std::int32_t count) {
  HandBatch batch;
  batch.put(std::int64_t{0}).put(std::int32_t{0}).put(std::int32_t{-1}).put(std::int8_t{2});
  batch.put(std::uint32_t{0}).put(attributes).put(last_delta);
  batch.put(std::int64_t{1000}).put(std::int64_t{1003}).put(std::int64_t{-1});
  batch.put(std::int16_t{-1}).put(std::int32_t{-1}).put(count);
  return batch;
}

Bytes hand_batch() {
  HandBatch batch = hand_header(0, 1, 2);
  // length 9: attributes, timestamp +0, offset 0, key "k", value "vw", no headers
  batch.put_raw({18, 0, 0, 0, 2, 'k', 4, 'v', 'w', 0});
  // length 13: attributes, timestamp +3, offset 1, null key, null value, headers h=x and i=null
  batch.put_raw({26, 0, 6, 2, 1, 1, 4, 2, 'h', 2, 'x', 2, 'i', 1});
  return batch.seal();
}

const std::vector<Plain> kHandRecords = {
    {1000, "k", "vw", {}},
    {1003, std::nullopt, std::nullopt, {{"h", "x"}, {"i", std::nullopt}}},
};

TEST(RecordBatch, IsEncodedByteForByteAsKafkaDocumentsIt) {
  const RecordBatch batch = encode(kHandRecords);

  EXPECT_EQ(as_text(batch.bytes), as_text(hand_batch()));
}

TEST(RecordBatch, ReadsABatchWrittenByHandFromTheDocumentation) {
  EXPECT_EQ(decode(hand_batch()), kHandRecords);
}

TEST(RecordBatch, HeaderFieldsComeBackAsGiven) {
  RecordBatchBuilder builder;
  append(builder, {500, "a", "1", {}});
  append(builder, {400, "b", "2", {}});
  append(builder, {700, "c", "3", {}});
  RecordBatch batch = builder.finish(ProducerId(77), ProducerEpoch(5), 12);
  set_base_offset(batch.bytes, Offset(1'000'000'000'000));

  const auto parsed = RecordBatchView::parse(batch.bytes, Verify::kChecksum);

  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->base_offset(), Offset(1'000'000'000'000));
  EXPECT_EQ(parsed->last_offset(), Offset(1'000'000'000'002));
  EXPECT_EQ(parsed->record_count(), 3U);
  EXPECT_EQ(parsed->base_timestamp(), Timestamp(500));
  EXPECT_EQ(parsed->max_timestamp(), Timestamp(700));
  EXPECT_EQ(parsed->producer_id(), ProducerId(77));
  EXPECT_EQ(parsed->producer_epoch(), ProducerEpoch(5));
  EXPECT_EQ(parsed->base_sequence(), 12);
  EXPECT_FALSE(parsed->is_control());
  EXPECT_EQ(parsed->size_bytes(), batch.bytes.size());
}

TEST(RecordBatch, RecordsCarryTheOffsetsOfTheirBatch) {
  RecordBatch batch = encode({{1, {}, "a", {}}, {2, {}, "b", {}}});
  set_base_offset(batch.bytes, Offset(41));
  const auto parsed = RecordBatchView::parse(batch.bytes, Verify::kChecksum);
  ASSERT_TRUE(parsed.has_value());

  RecordReader reader(*parsed);
  RecordView record;

  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.offset, Offset(41));
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.offset, Offset(42));
  EXPECT_FALSE(reader.next(record));
  EXPECT_TRUE(reader.status().has_value());
}

TEST(RecordBatch, SkippedOffsetsAreLeftOut) {
  RecordBatchBuilder builder;
  builder.skip_offsets(2);
  builder.append(Timestamp(5), as_bytes("a"), as_bytes("1"));
  builder.skip_offsets(3);
  builder.append(Timestamp(6), as_bytes("b"), as_bytes("2"));
  builder.skip_offsets(1);
  RecordBatch batch = builder.finish();
  set_base_offset({batch.bytes.data(), batch.bytes.size()}, Offset(100));

  const auto view = RecordBatchView::parse(batch.bytes, Verify::kChecksum);

  ASSERT_TRUE(view);
  EXPECT_EQ(view->record_count(), 2U);
  EXPECT_EQ(view->last_offset(), Offset(107));
  RecordReader reader(*view);
  RecordView record;
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.offset, Offset(102));
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.offset, Offset(106));
  EXPECT_FALSE(reader.next(record));
  EXPECT_TRUE(reader.status());
}

TEST(RecordBatch, ABatchOfSkippedOffsetsOnlyHoldsNoRecords) {
  RecordBatchBuilder builder;
  builder.skip_offsets(7);
  const RecordBatch batch = builder.finish();

  const auto view = RecordBatchView::parse(batch.bytes, Verify::kChecksum);

  ASSERT_TRUE(view);
  EXPECT_EQ(view->record_count(), 0U);
  EXPECT_EQ(view->last_offset(), Offset(6));
  RecordReader reader(*view);
  RecordView record;
  EXPECT_FALSE(reader.next(record));
  EXPECT_TRUE(reader.status());
}

TEST(RecordBatch, EmptyAndNullAreNotTheSame) {
  const std::vector<Plain> records = {{0, "", std::nullopt, {{"", ""}}}, {0, std::nullopt, "", {}}};

  EXPECT_EQ(decode(encode(records).bytes), records);
}

TEST(RecordBatch, ExtremeTimestampsSurvive) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  const std::vector<Plain> records = {
      {kMin, {}, "a", {}}, {kMax, {}, "b", {}}, {0, {}, "c", {}}, {-1, {}, "d", {}}};

  EXPECT_EQ(decode(encode(records).bytes), records);
}

TEST(RecordBatch, SizeBytesIsWhatFinishGives) {
  RecordBatchBuilder builder;
  EXPECT_EQ(builder.size_bytes(), 0U);
  append(builder, {0, "key", "value", {{"h", "x"}}});
  append(builder, {1, {}, std::string(5000, 'x'), {}});

  const std::size_t expected = builder.size_bytes();

  EXPECT_EQ(builder.finish().bytes.size(), expected);
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(builder.size_bytes(), 0U);
}

TEST(RecordBatch, RecycledMemoryIsUsedAgain) {
  RecordBatchBuilder builder(64 * 1024);
  append(builder, {0, "key", "value", {}});
  RecordBatch batch = builder.finish();
  const std::byte* memory = batch.bytes.data();

  builder.recycle(std::move(batch));
  append(builder, {7, "other", "words", {}});
  const RecordBatch next = builder.finish();

  EXPECT_EQ(next.bytes.data(), memory);
  EXPECT_EQ(decode(next.bytes), (std::vector<Plain>{{7, "other", "words", {}}}));
}

TEST(RecordBatch, FindsTheFirstHeaderOfAName) {
  const RecordBatch batch = encode({{0, {}, {}, {{"a", "1"}, {"b", "2"}, {"b", "3"}, {"n", {}}}}});
  const auto parsed = RecordBatchView::parse(batch.bytes, Verify::kChecksum);
  ASSERT_TRUE(parsed.has_value());
  RecordReader reader(*parsed);
  RecordView record;
  ASSERT_TRUE(reader.next(record));

  EXPECT_EQ(text(find_header(record, "b")), "2");
  EXPECT_EQ(text(find_header(record, "n")), std::nullopt);
  EXPECT_EQ(text(find_header(record, "missing")), std::nullopt);
}

TEST(RecordBatch, MoreBytesMayFollow) {
  Bytes two = hand_batch();
  const std::size_t size = two.size();
  const Bytes again = hand_batch();
  two.insert(two.end(), again.begin(), again.end());

  const auto first = RecordBatchView::parse(two, Verify::kChecksum);

  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->size_bytes(), size);
  EXPECT_EQ(decode(ByteView(two).subspan(size)), kHandRecords);
}

Plain random_record(penstock::testing::SeededRandom& random) {
  const auto random_text = [&](std::size_t size_max) -> std::optional<std::string> {
    if (random.below(5) == 0) {
      return std::nullopt;
    }
    std::string bytes(random.below(size_max + 1), '\0');
    for (char& byte : bytes) {
      byte = static_cast<char>(random.next());
    }
    return bytes;
  };
  Plain record;
  record.timestamp = 1'700'000'000'000 + static_cast<std::int64_t>(random.below(20'000)) - 10'000;
  record.key = random_text(random.below(50) == 0 ? 300 : 20);
  record.value = random_text(random.below(50) == 0 ? 20'000 : 120);
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    record.headers.emplace_back(random_text(12).value_or("name"), random_text(80));
  }
  return record;
}

TEST(RecordBatch, WhateverIsWrittenIsReadBack) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    penstock::testing::SeededRandom random(seed);
    std::vector<Plain> records;
    for (std::uint64_t i = 0; i < 1 + random.below(150); ++i) {
      records.push_back(random_record(random));
    }

    ASSERT_EQ(decode(encode(records).bytes), records) << "seed " << seed;
  }
}

TEST(RecordBatch, TruncationIsRefusedAtEveryByte) {
  const Bytes whole = hand_batch();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A copy of its own, so that a sanitizer sees a read past it.
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));

    const auto parsed = RecordBatchView::parse(cut, Verify::kHeaderOnly);

    ASSERT_FALSE(parsed.has_value()) << size;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalid) << size;
  }
}

TEST(RecordBatch, EveryBitFlipUnderTheChecksumIsFound) {
  const Bytes whole = hand_batch();
  for (std::size_t bit = 21 * 8; bit < whole.size() * 8; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));

    const auto parsed = RecordBatchView::parse(flipped, Verify::kChecksum);

    ASSERT_FALSE(parsed.has_value()) << "bit " << bit;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kCorrupt) << "bit " << bit;
  }
}

TEST(RecordBatch, BitFlipsInLengthMagicAndChecksumAreFound) {
  const Bytes whole = hand_batch();
  for (std::size_t bit = 8 * 8; bit < 21 * 8; ++bit) {
    if (bit / 8 >= 12 && bit / 8 < 16) {
      continue;  // the leader epoch is the broker's, outside of any checksum
    }
    Bytes flipped = whole;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));

    EXPECT_FALSE(RecordBatchView::parse(flipped, Verify::kChecksum).has_value()) << "bit " << bit;
  }
}

// Reads everything there is; must neither crash nor read out of bounds, whatever the bytes are.
void read_all(ByteView bytes) {
  const auto batch = RecordBatchView::parse(bytes, Verify::kHeaderOnly);
  if (!batch.has_value()) {
    return;
  }
  RecordReader reader(*batch);
  RecordView record;
  Offset last = batch->base_offset() + -1;
  while (reader.next(record)) {
    ASSERT_GT(record.offset, last);
    ASSERT_LE(record.offset, batch->last_offset());
    last = record.offset;
    HeaderReader headers(record);
    HeaderView header;
    std::uint32_t count = 0;
    while (headers.next(header)) {
      ++count;
    }
    ASSERT_EQ(count, record.header_count);
  }
}

TEST(RecordBatch, DamagedBatchesAreReadWithoutHarm) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    penstock::testing::SeededRandom random(seed);
    Bytes bytes = hand_batch();
    for (std::uint64_t i = 1 + random.below(4); i > 0; --i) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
    }

    read_all(bytes);
    if (HasFatalFailure()) {
      FAIL() << "seed " << seed;
    }
  }
}

// The error of reading a batch with one record of these bytes, or "" if it is sound.
std::string error_of_record(std::initializer_list<int> raw) {
  const Bytes bytes = hand_header(0, 0, 1).put_raw(raw).seal();
  const auto batch = RecordBatchView::parse(bytes, Verify::kChecksum);
  if (!batch.has_value()) {
    return batch.error().message();
  }
  RecordReader reader(*batch);
  RecordView record;
  while (reader.next(record)) {
  }
  return reader.status().has_value() ? "" : reader.status().error().message();
}

TEST(RecordBatch, ASoundRecordIsNoError) {
  EXPECT_EQ(error_of_record({12, 0, 0, 0, 1, 1, 0}), "");
}

TEST(RecordBatch, MalformedRecordsAreNamed) {
  using ::testing::HasSubstr;

  EXPECT_THAT(error_of_record({14, 0, 0, 0, 1, 1, 0}), HasSubstr("length"));
  EXPECT_THAT(error_of_record({11, 0, 0, 0, 1, 1, 0}), HasSubstr("length"));
  EXPECT_THAT(error_of_record({12, 0, 0, 2, 1, 1, 0}), HasSubstr("offset"));
  EXPECT_THAT(error_of_record({12, 0, 0, 1, 1, 1, 0}), HasSubstr("offset"));
  EXPECT_THAT(error_of_record({12, 0, 0, 0, 8, 1, 0}), HasSubstr("key"));
  EXPECT_THAT(error_of_record({12, 0, 0, 0, 3, 1, 0}), HasSubstr("key"));
  EXPECT_THAT(error_of_record({12, 0, 0, 0, 1, 1, 2}), HasSubstr("header count"));
  EXPECT_THAT(error_of_record({12, 0, 0, 0, 1, 1, 1}), HasSubstr("header count"));
  EXPECT_THAT(error_of_record({16, 0, 0, 0, 1, 1, 2, 1, 1}), HasSubstr("headers do not fit"));
  EXPECT_THAT(error_of_record({14, 0, 0, 0, 1, 1, 0, 9}), HasSubstr("headers do not fit"));
  EXPECT_THAT(error_of_record({12, 0, 0, 0, 1, 1, 0, 9}), HasSubstr("left over"));
}

std::string error_of_header(std::int16_t attributes, std::int32_t last_delta, std::int32_t count) {
  HandBatch batch = hand_header(attributes, last_delta, count);
  batch.put_raw({18, 0, 0, 0, 2, 'k', 4, 'v', 'w', 0});
  const auto parsed = RecordBatchView::parse(batch.seal(), Verify::kChecksum);
  return parsed.has_value() ? "" : parsed.error().message();
}

TEST(RecordBatch, HeadersThatCannotBeRightAreRefused) {
  using ::testing::HasSubstr;

  EXPECT_EQ(error_of_header(0, 0, 1), "");
  EXPECT_EQ(error_of_header(0, 7, 1), "") << "compaction leaves gaps";
  EXPECT_THAT(error_of_header(4, 0, 1), HasSubstr("compressed with codec 4"));
  EXPECT_THAT(error_of_header(0, -1, 1), HasSubstr("offsets out of range"));
  EXPECT_THAT(error_of_header(0, 0, -1), HasSubstr("record count"));
  EXPECT_THAT(error_of_header(0, 0, 2), HasSubstr("record count"));
  EXPECT_THAT(error_of_header(0, 5, 2), HasSubstr("record count"));
  EXPECT_THAT(error_of_header(0, std::numeric_limits<std::int32_t>::max(),
                              std::numeric_limits<std::int32_t>::max()),
              HasSubstr("record count"));
}

TEST(RecordBatch, OffsetsThatWouldOverflowAreRefused) {
  Bytes batch = hand_batch();
  set_base_offset(batch, Offset(std::numeric_limits<std::int64_t>::max() - 1));

  EXPECT_FALSE(RecordBatchView::parse(batch, Verify::kHeaderOnly).has_value());
}

TEST(RecordBatch, ControlBatchesAreRecognised) {
  const Bytes bytes =
      hand_header(0x20 | 0x10, 0, 1).put_raw({20, 0, 0, 0, 8, 0, 0, 0, 1, 1, 0}).seal();

  const auto parsed = RecordBatchView::parse(bytes, Verify::kChecksum);

  ASSERT_TRUE(parsed.has_value());
  EXPECT_TRUE(parsed->is_control());
}

TEST(RecordBatchDeathTest, ABatchWithoutRecordsCannotBeFinished) {
  RecordBatchBuilder builder;

  EXPECT_DEATH(static_cast<void>(builder.finish()), "offsets > 0");
}

}  // namespace
}  // namespace penstock
