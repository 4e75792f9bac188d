#include "topology/output.h"

#include <utility>

#include "core/check.h"

namespace penstock::topology {

Output::Output(std::int32_t partition_count, std::optional<PartitionId> only,
               Compression compression)
    : only_(only),
      compressor_(compression),
      open_(static_cast<std::size_t>(partition_count)),
      expected_size_(open_.size()) {
  PENSTOCK_CHECK(partition_count > 0);
  PENSTOCK_CHECK(!only.has_value() || (only->value() >= 0 && only->value() < partition_count));
}

PartitionId Output::partition_of(const std::optional<ByteView>& key) {
  if (only_.has_value()) {
    return *only_;
  }
  if (key.has_value()) {
    return partition_for_key(*key, partition_count());
  }
  next_partition_ = (next_partition_ + 1) % partition_count();
  return PartitionId(next_partition_);
}

void Output::append(Timestamp timestamp, std::optional<ByteView> key, std::optional<ByteView> value,
                    std::span<const HeaderView> headers) {
  append_to(partition_of(key), timestamp, key, value, headers);
}

void Output::append_to(PartitionId partition, Timestamp timestamp, std::optional<ByteView> key,
                       std::optional<ByteView> value, std::span<const HeaderView> headers) {
  batch(partition).append(timestamp, key, value, headers);
}

void Output::append(const RecordSpan& records) {
  auto headers = records.headers.begin();
  for (std::size_t index = 0; index < records.size(); ++index) {
    std::vector<HeaderView> decoded;
    if (headers != records.headers.end() && headers->offset == records.offsets[index]) {
      decoded = decode_headers(*headers++);
    }
    append(records.timestamps[index], to_optional(records.keys[index]),
           to_optional(records.values[index]), decoded);
  }
}

RecordBatchBuilder& Output::batch(PartitionId partition) {
  const auto index = static_cast<std::size_t>(partition.value());
  RecordBatchBuilder& builder = open_[index];
  if (builder.size_bytes() >= kBatchSizeMax) {
    close(partition);
  }
  if (builder.empty()) {
    builder.reserve(std::exchange(expected_size_[index], 0));
  }
  return builder;
}

void Output::close(PartitionId partition) {
  const auto index = static_cast<std::size_t>(partition.value());
  const std::size_t size = open_[index].size_bytes();
  expected_size_[index] = size + size / 8;
  closed_bytes_ += size;
  closed_.push_back({partition, open_[index].finish(compressor_)});
}

std::size_t Output::size_bytes() const {
  std::size_t size = closed_bytes_;
  for (const RecordBatchBuilder& builder : open_) {
    size += builder.size_bytes();
  }
  return size;
}

std::vector<OutputBatch> Output::take() {
  for (std::int32_t partition = 0; partition < partition_count(); ++partition) {
    RecordBatchBuilder& builder = open_[static_cast<std::size_t>(partition)];
    if (!builder.empty()) {
      close(PartitionId(partition));
    } else {
      static_cast<void>(builder.release_memory());  // what is not written to holds no memory
    }
  }
  closed_bytes_ = 0;
  return std::exchange(closed_, {});
}

void Output::clear() {
  static_cast<void>(take());
}

}  // namespace penstock::topology
