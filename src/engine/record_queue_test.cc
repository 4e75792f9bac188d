#include "engine/record_queue.h"

#include <string>

#include <gtest/gtest.h>

#include "core/ref_counted.h"

namespace penstock::engine {
namespace {

struct Memory final : RefCounted {
  explicit Memory(RecordBatch contents) : batch(std::move(contents)) {}

  RecordBatch batch;
};

const TopicPartition kPartition{TopicId(1), PartitionId(0)};

// A batch at `base` of `record_count` records, and so many offsets without one behind them.
log::FetchedBatch batch_at(Offset base, int record_count, std::uint32_t empty_count = 0) {
  RecordBatchBuilder builder;
  for (int i = 0; i < record_count; ++i) {
    builder.append(Timestamp(i), as_bytes("k"), as_bytes("v"));
  }
  builder.skip_offsets(empty_count);
  auto memory = make_ref<Memory>(builder.finish());
  set_base_offset(memory->batch.bytes, base);
  return {kPartition, memory->batch.bytes, memory};
}

// Offsets whose loss was accepted.
log::FetchedBatch lost_at(Offset base, std::uint32_t count) {
  log::FetchedBatch batch = batch_at(base, 0, count);
  batch.is_lost = true;
  return batch;
}

std::size_t drain(RecordQueue& queue) {
  std::size_t count = 0;
  while (*queue.has_records()) {
    const std::size_t run = queue.head(RecordQueue::kRunMax, std::nullopt).size();
    queue.pop(run);
    count += run;
  }
  return count;
}

TEST(RecordQueue, PassesOffsetsWithoutARecord) {
  RecordQueue queue(kPartition, Offset(0), Offset(0), Timestamp(0));
  queue.push(batch_at(Offset(0), 2, 1));
  queue.push(batch_at(Offset(3), 1));
  queue.push(batch_at(Offset(4), 0, 1));

  EXPECT_EQ(drain(queue), 3U);

  EXPECT_EQ(queue.position(), Offset(5));
  EXPECT_EQ(queue.record_count(), 3U);
  EXPECT_EQ(queue.empty_count(), 2U);
  EXPECT_EQ(queue.missing_count(), 0U);
  EXPECT_TRUE(queue.has_uncommitted());
}

TEST(RecordQueue, CountsApartWhatWasDeletedAndWhatNeverWasARecord) {
  RecordQueue queue(kPartition, Offset(0), Offset(0), Timestamp(0));
  queue.push(batch_at(Offset(10), 2, 3));

  EXPECT_EQ(drain(queue), 2U);

  EXPECT_EQ(queue.position(), Offset(15));
  EXPECT_EQ(queue.missing_count(), 10U);
  EXPECT_EQ(queue.empty_count(), 3U);
}

TEST(RecordQueue, TakesBackTheOffsetsThatItPassed) {
  RecordQueue queue(kPartition, Offset(0), Offset(0), Timestamp(0));
  queue.push(batch_at(Offset(0), 1, 1));
  EXPECT_EQ(drain(queue), 1U);
  queue.rewind();
  queue.push(batch_at(Offset(0), 1, 1));

  EXPECT_EQ(drain(queue), 1U);

  EXPECT_EQ(queue.position(), Offset(2));
  EXPECT_EQ(queue.empty_count(), 1U);
}

TEST(RecordQueue, CountsLostOffsetsBetweenRecords) {
  RecordQueue queue(kPartition, Offset(0), Offset(0), Timestamp(0));
  queue.push(batch_at(Offset(0), 2));
  queue.push(lost_at(Offset(2), 5));
  queue.push(batch_at(Offset(7), 3));

  drain(queue);

  EXPECT_EQ(queue.position(), Offset(10));
  EXPECT_EQ(queue.record_count(), 5U);
  EXPECT_EQ(queue.missing_count(), 5U);
}

TEST(RecordQueue, MovesOverLostOffsetsAtTheEnd) {
  RecordQueue queue(kPartition, Offset(0), Offset(0), Timestamp(0));
  queue.push(batch_at(Offset(0), 2));
  queue.push(lost_at(Offset(2), 5));

  drain(queue);

  EXPECT_EQ(queue.position(), Offset(7));
  EXPECT_EQ(queue.missing_count(), 5U);
  EXPECT_TRUE(queue.has_uncommitted());
  queue.commit();
  EXPECT_FALSE(queue.has_uncommitted());
  drain(queue);
  EXPECT_EQ(queue.missing_count(), 0U);  // once
}

TEST(RecordQueue, TakesLostOffsetsBackWithTheRest) {
  RecordQueue queue(kPartition, Offset(0), Offset(0), Timestamp(0));
  queue.push(batch_at(Offset(0), 2));
  drain(queue);
  queue.commit();
  queue.push(lost_at(Offset(2), 5));
  drain(queue);

  queue.rewind();
  EXPECT_EQ(queue.position(), Offset(2));
  EXPECT_EQ(queue.missing_count(), 0U);
  drain(queue);
  EXPECT_EQ(queue.position(), Offset(2));  // nothing was fetched since
  queue.push(lost_at(Offset(2), 5));
  drain(queue);

  EXPECT_EQ(queue.position(), Offset(7));
  EXPECT_EQ(queue.missing_count(), 5U);
}

}  // namespace
}  // namespace penstock::engine
