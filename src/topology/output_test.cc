#include "topology/output.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::topology {
namespace {

std::string update(int i) {
  return R"({"key":["u)" + std::to_string(i) + R"("],"window_start":"2026-05-17T10:00:00.000Z"})";
}

void append(Output& output, int count) {
  for (int i = 0; i < count; ++i) {
    output.append(Timestamp(1000), as_bytes("k" + std::to_string(i % 7)), as_bytes(update(i)));
  }
}

std::vector<std::string> values_of(const std::vector<OutputBatch>& batches) {
  std::vector<std::string> values;
  for (const OutputBatch& batch : batches) {
    const auto view = RecordBatchView::parse(batch.batch.bytes, RecordBatchView::Verify::kChecksum);
    EXPECT_TRUE(view.has_value());
    RecordReader reader(*view);
    for (RecordView record; reader.next(record);) {
      values.emplace_back(as_text(*record.value));
    }
    EXPECT_TRUE(reader.status().has_value());
  }
  return values;
}

std::size_t bytes_of(const std::vector<OutputBatch>& batches) {
  std::size_t bytes = 0;
  for (const OutputBatch& batch : batches) {
    bytes += batch.batch.bytes.size();
  }
  return bytes;
}

TEST(Output, CompressedBatchesHoldTheSameRecords) {
  Output plain(3, std::nullopt);
  Output compressed(3, std::nullopt, Compression::kLz4);
  append(plain, 300);
  append(compressed, 300);

  const auto expected = plain.take();
  const auto batches = compressed.take();

  EXPECT_EQ(values_of(batches), values_of(expected));
  EXPECT_LT(bytes_of(batches), bytes_of(expected) / 2);
}

// So that what a commit may hold does not depend on how well its first batches compress.
TEST(Output, ItsSizeIsThatBeforeCompression) {
  Output plain(1, std::nullopt);
  Output compressed(1, std::nullopt, Compression::kLz4);
  const int enough_for_two_batches = 20'000;
  append(plain, enough_for_two_batches);
  append(compressed, enough_for_two_batches);

  EXPECT_GT(plain.size_bytes(), Output::kBatchSizeMax);
  EXPECT_EQ(compressed.size_bytes(), plain.size_bytes());
  EXPECT_EQ(values_of(compressed.take()).size(), std::size_t{enough_for_two_batches});
  EXPECT_EQ(compressed.size_bytes(), 0U);
}

TEST(Output, GoesOnAfterEachTake) {
  Output output(2, PartitionId(1), Compression::kLz4);
  for (const int count : {200, 1, 300, 0, 50}) {
    append(output, count);

    const auto batches = output.take();

    EXPECT_EQ(values_of(batches).size(), static_cast<std::size_t>(count));
    EXPECT_EQ(batches.size(), count == 0 ? 0U : 1U);
  }
}

}  // namespace
}  // namespace penstock::topology
