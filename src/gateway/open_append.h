// OpenAppend collects records for the next append: one batch per partition, split where it grows
// too large. Finished batches are compressed where that is worth it. Batches that come back from
// the log, and those that were compressed, give their memory to the next ones.
//
// Threads   belongs to one event loop.
// Lifetime  OpenBatches outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/units.h"
#include "log/types.h"
#include "os/clock.h"
#include "record/record_batch.h"

namespace penstock::gateway {

// The batch that one partition's next records go into.
struct OpenBatch {
  TopicPartition to;
  RecordBatchBuilder builder{};
  bool listed = false;  // has records of this append
};

class OpenAppend {
 public:
  OpenAppend(const os::Clock& clock, Compression compression)
      : clock_(clock), compressor_(compression) {}

  OpenAppend(const OpenAppend&) = delete;
  OpenAppend& operator=(const OpenAppend&) = delete;

  // `key` and `value` are copied.
  void add(OpenBatch& batch, Timestamp timestamp, std::optional<std::string_view> key,
           std::optional<std::string_view> value, std::span<const HeaderView> headers = {}) {
    const std::size_t before = batch.builder.size_bytes();
    if (before == 0 || !headers.empty()) [[unlikely]] {
      add_with_headers(batch, timestamp, key, value, headers);
    } else {
      batch.builder.append(timestamp, to_view(key), to_view(value));
    }
    added(batch, before);
  }

  // The same for nearly all events. Views instead of optionals: one of those goes through memory in
  // parts and comes back whole, which the processor waits for, once per event.
  void add(OpenBatch& batch, Timestamp timestamp, ByteView key, ByteView value) {
    const std::size_t before = batch.builder.size_bytes();
    if (before == 0) [[unlikely]] {
      add_with_headers(batch, timestamp, as_text(key), as_text(value), {});
    } else {
      batch.builder.append(timestamp, key, value);
    }
    added(batch, before);
  }

  [[nodiscard]] bool empty() const { return open_.empty() && finished_.empty(); }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  // Everything added since the last take(), in order per partition.
  [[nodiscard]] std::vector<log::PartitionBatch> take();

  void recycle(std::vector<log::PartitionBatch> batches);

 private:
  static constexpr std::size_t kBatchBytesMax = 1 * kMiB;
  static constexpr std::size_t kRecycledBytesMax = 16 * kMiB;

  [[nodiscard]] static std::optional<ByteView> to_view(const std::optional<std::string_view>& t) {
    return t.has_value() ? std::optional(as_bytes(*t)) : std::nullopt;
  }

  void added(OpenBatch& batch, std::size_t size_before) {
    bytes_ += batch.builder.size_bytes() - size_before;
    if (batch.builder.size_bytes() >= kBatchBytesMax) [[unlikely]] {
      finish(batch);
    }
  }

  void add_with_headers(OpenBatch& batch, Timestamp timestamp, std::optional<std::string_view> key,
                        std::optional<std::string_view> value, std::span<const HeaderView> headers);
  void finish(OpenBatch& batch);
  void keep_memory(RecordBatch unused);

  const os::Clock& clock_;
  BatchCompressor compressor_;
  std::vector<OpenBatch*> open_;
  std::vector<log::PartitionBatch> finished_;
  std::size_t bytes_ = 0;
  std::vector<RecordBatch> recycled_;
  std::size_t recycled_bytes_ = 0;
};

}  // namespace penstock::gateway
