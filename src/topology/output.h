// Output collects the records that a task writes to one topic until the task's next commit.
//
// Records are encoded into batches as they come, one open batch per partition; a full one is set
// aside. The engine takes all batches at commit and appends them in the same transaction as the
// consumed offsets. Nothing virtual, so a processor may append record by record.
//
// Threads   one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "record/partitioner.h"
#include "record/record_batch.h"
#include "record/types.h"
#include "topology/record_span.h"

namespace penstock::topology {

struct OutputBatch {
  PartitionId partition;
  RecordBatch batch;
};

class Output {
 public:
  static constexpr std::size_t kBatchSizeMax = 1 << 20;  // a batch is closed when it reaches this

  // With `only` all records go to that partition, whatever their key.
  Output(std::int32_t partition_count, std::optional<PartitionId> only,
         Compression compression = Compression::kNone);

  // To the partition of the key (murmur2, as Kafka's clients); without a key, to each in turn.
  void append(Timestamp timestamp, std::optional<ByteView> key, std::optional<ByteView> value,
              std::span<const HeaderView> headers = {});

  void append_to(PartitionId partition, Timestamp timestamp, std::optional<ByteView> key,
                 std::optional<ByteView> value, std::span<const HeaderView> headers = {});

  void append(const RecordSpan& records);

  // The open batch of a partition, to append to directly; ask again after some hundred records.
  [[nodiscard]] RecordBatchBuilder& batch(PartitionId partition);

  [[nodiscard]] std::int32_t partition_count() const {
    return static_cast<std::int32_t>(open_.size());
  }

  // Before compression.
  [[nodiscard]] std::size_t size_bytes() const;

  // Everything appended since the last call, per partition in order.
  [[nodiscard]] std::vector<OutputBatch> take();

  void clear();

 private:
  void close(PartitionId partition);
  [[nodiscard]] PartitionId partition_of(const std::optional<ByteView>& key);

  std::optional<PartitionId> only_;
  BatchCompressor compressor_;
  std::vector<RecordBatchBuilder> open_;
  std::vector<std::size_t> expected_size_;  // of each one's next batch: that of its last
  std::vector<OutputBatch> closed_;
  std::size_t closed_bytes_ = 0;
  std::int32_t next_partition_ = 0;
};

}  // namespace penstock::topology
