#include "sinks/runtime/sink_batch.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "record/record_batch.h"

namespace penstock::sinks {
namespace {

struct Memory final : RefCounted {
  explicit Memory(RecordBatch contents) : batch(std::move(contents)) {}

  RecordBatch batch;
};

log::FetchedBatch compressed_batch(Offset base, int record_count) {
  RecordBatchBuilder builder;
  for (int i = 0; i < record_count; ++i) {
    const std::string value = "{\"user\":\"somebody\",\"number\":" + std::to_string(i) + "}";
    builder.append(Timestamp(i), std::nullopt, as_bytes(value));
  }
  BatchCompressor compressor(Compression::kLz4);
  auto memory = make_ref<Memory>(builder.finish(compressor));
  set_base_offset(memory->batch.bytes, base);
  return {{TopicId(1), PartitionId(0)}, memory->batch.bytes, memory};
}

TEST(SinkBatch, KeepsTheRecordsOfCompressedBatches) {
  SinkBatch batch;
  batch.clear({Offset(0)});

  ASSERT_TRUE(batch.add(compressed_batch(Offset(0), 100)));
  ASSERT_TRUE(batch.add(compressed_batch(Offset(100), 100)));

  ASSERT_EQ(batch.records().size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(as_text(*batch.records()[i].record.value),
              "{\"user\":\"somebody\",\"number\":" + std::to_string(i % 100) + "}");
  }
}

}  // namespace
}  // namespace penstock::sinks
