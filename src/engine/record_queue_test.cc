// What a queue does where the log has offsets without records: it moves over them and counts them.
#include "engine/record_queue.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "record/record_batch.h"

namespace penstock::engine {
namespace {

constexpr TopicPartition kFrom{TopicId(1), PartitionId(0)};

struct Memory final : RefCounted {
  explicit Memory(RecordBatch batch) : bytes(std::move(batch.bytes)) {}

  Buffer bytes;
};

// `records` records and then `skipped` offsets without one.
log::FetchedBatch batch(std::int64_t base, int records, std::uint32_t skipped) {
  RecordBatchBuilder builder;
  for (int i = 0; i < records; ++i) {
    builder.append(Timestamp(1), std::nullopt, as_bytes(std::string("v")));
  }
  builder.skip_offsets(skipped);
  RecordBatch built = builder.finish();
  set_base_offset({built.bytes.data(), built.bytes.size()}, Offset(base));
  const auto memory = make_ref<Memory>(std::move(built));
  return {kFrom, memory->bytes, memory, records == 0};
}

void process(RecordQueue& queue) {
  while (*queue.has_records()) {
    queue.pop(queue.head(RecordQueue::kRunMax, std::nullopt).size());
  }
  ASSERT_TRUE(queue.pass_over().has_value());
}

TEST(RecordQueue, CountsLostOffsetsBetweenRecords) {
  RecordQueue queue(kFrom, Offset(0), Offset(0), kNoTimestamp);
  queue.push(batch(0, 2, 0));
  queue.push(batch(2, 0, 5));
  queue.push(batch(7, 3, 0));

  process(queue);

  EXPECT_EQ(queue.position(), Offset(10));
  EXPECT_EQ(queue.record_count(), 5U);
  EXPECT_EQ(queue.missing_count(), 5U);
}

TEST(RecordQueue, MovesOverLostOffsetsAtTheEnd) {
  RecordQueue queue(kFrom, Offset(0), Offset(0), kNoTimestamp);
  queue.push(batch(0, 2, 0));
  queue.push(batch(2, 0, 5));

  process(queue);

  EXPECT_EQ(queue.position(), Offset(7));
  EXPECT_EQ(queue.missing_count(), 5U);
  EXPECT_TRUE(queue.has_uncommitted());
  queue.commit();
  EXPECT_FALSE(queue.has_uncommitted());
  process(queue);
  EXPECT_EQ(queue.missing_count(), 0U);  // once
}

TEST(RecordQueue, TakesLostOffsetsBackWithTheRest) {
  RecordQueue queue(kFrom, Offset(0), Offset(0), kNoTimestamp);
  queue.push(batch(0, 2, 0));
  process(queue);
  queue.commit();
  queue.push(batch(2, 0, 5));
  process(queue);

  queue.rewind();
  EXPECT_EQ(queue.position(), Offset(2));
  EXPECT_EQ(queue.missing_count(), 0U);
  process(queue);
  EXPECT_EQ(queue.position(), Offset(2));  // nothing was fetched since
  queue.push(batch(2, 0, 5));
  process(queue);

  EXPECT_EQ(queue.position(), Offset(7));
  EXPECT_EQ(queue.missing_count(), 5U);
}

}  // namespace
}  // namespace penstock::engine
