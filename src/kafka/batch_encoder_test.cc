#include "kafka/batch_encoder.h"

#include <vector>

#include <gtest/gtest.h>

namespace penstock::kafka {
namespace {

const TopicPartition kPartition{TopicId(1), PartitionId(2)};

TEST(BatchEncoder, CoversOffsetsWithoutRecords) {
  BatchEncoder encoder(kPartition, Offset(10));
  std::vector<log::FetchedBatch> batches;

  encoder.skip_to(Offset(13));
  encoder.finish(batches);

  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].from, kPartition);
  const auto batch = RecordBatchView::parse(batches[0].bytes, RecordBatchView::Verify::kChecksum);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->base_offset(), Offset(10));
  EXPECT_EQ(batch->last_offset(), Offset(12));
  EXPECT_EQ(batch->record_count(), 0U);
}

TEST(BatchEncoder, GivesNothingWhereNothingIsCovered) {
  BatchEncoder encoder(kPartition, Offset(10));
  std::vector<log::FetchedBatch> batches;

  encoder.skip_to(Offset(10));
  encoder.finish(batches);

  EXPECT_TRUE(batches.empty());
}

TEST(BatchEncoder, SplitsGapsThatNoBatchCanCover) {
  BatchEncoder encoder(kPartition, Offset(0));
  std::vector<log::FetchedBatch> batches;
  const Offset far(std::int64_t{5} << 31);

  encoder.skip_to(far);
  encoder.finish(batches);

  Offset next(0);
  for (const log::FetchedBatch& fetched : batches) {
    const auto batch = RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kChecksum);
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->base_offset(), next);
    next = batch->last_offset() + 1;
  }
  EXPECT_EQ(next, far);
}

}  // namespace
}  // namespace penstock::kafka
