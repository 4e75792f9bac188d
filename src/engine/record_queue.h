// RecordQueue holds fetched batches of one partition and gives out their records in runs.
//
// Batches stay as they were fetched until they are needed; then up to kRunMax records are decoded
// into columns. A run never spans two of the gateway's batches, so it has one time of acceptance:
// that of the latest `__penstock.ingest_us` header, which a batch's first record carries.
//
// Positions: `position` is the next record to process. What was processed since the last commit
// can be taken back: rewind() returns to the committed position and drops what was fetched.
//
// Records are counted as they are given out, offsets that the log no longer had as they are passed
// over, and those that never had a record or lost it to compaction: together they must be what the
// position moves by, which the pipeline's balance checks (docs/operations.md).
//
// Threads   one.
// Errors    kCorrupt  a batch that the log delivered cannot be decoded
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/result.h"
#include "log/types.h"
#include "record/record_batch.h"
#include "store/window.h"
#include "topology/record_span.h"

namespace penstock::engine {

class RecordQueue {
 public:
  static constexpr std::size_t kRunMax = 1024;
  static constexpr std::size_t kRunBytesMax = 1 << 20;  // and at most one record more

  // `committed` is where the group stands, 0 if it never committed; `position` may be later where
  // the log begins later. `stream_time` is what was committed.
  RecordQueue(TopicPartition from, Offset committed, Offset position, Timestamp stream_time);

  void push(log::FetchedBatch batch);

  // Decodes if needed. False when there is nothing more.
  [[nodiscard]] Result<bool> has_records();

  // After has_records(): whether it said false.
  [[nodiscard]] bool is_empty() const { return at_ == columns_.size(); }

  // Of the next record; has_records() must have said true.
  [[nodiscard]] Timestamp head_timestamp() const { return columns_.timestamps()[at_]; }

  // The next records: those already decoded, at most `count_max`, and of these only the first few
  // until one is later than `until`, but at least one. Valid until the next call of anything.
  [[nodiscard]] topology::RecordSpan head(std::size_t count_max,
                                          std::optional<Timestamp> until) const;
  // Moves past the first `count` of them.
  void pop(std::size_t count);
  // What is processed becomes committed, or is taken back.
  void commit();
  void rewind();

  [[nodiscard]] TopicPartition from() const { return from_; }

  [[nodiscard]] Offset position() const { return position_; }

  [[nodiscard]] Offset committed() const { return committed_; }

  [[nodiscard]] Timestamp stream_time() const { return stream_time_; }

  [[nodiscard]] bool has_uncommitted() const { return position_ != committed_; }

  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }

  // How many records were accepted when, of those processed since the last commit.
  struct Accepted {
    std::int64_t ingest_us = 0;
    std::uint64_t count = 0;
  };

  [[nodiscard]] const std::vector<Accepted>& accepted() const { return accepted_; }

  // When the records now at hand were accepted, if their batches say so.
  [[nodiscard]] const std::optional<std::int64_t>& latest_ingest_us() const { return ingest_us_; }

  // Processed since the last commit.
  [[nodiscard]] std::uint64_t record_count() const { return record_count_; }

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  // Offsets that were gone from the log when they were to be processed, since the last commit:
  // before the first position, and after it.
  [[nodiscard]] std::uint64_t missing_before_count() const { return missing_before_; }

  [[nodiscard]] std::uint64_t missing_count() const { return missing_; }

  // Offsets that batches cover without a record, since the last commit.
  [[nodiscard]] std::uint64_t empty_count() const { return empty_; }

 private:
  [[nodiscard]] Status open_batch();
  [[nodiscard]] Status decode();
  void close_batch();

  const TopicPartition from_;
  std::deque<log::FetchedBatch> batches_;  // the first is the one being decoded, if `reader_`
  std::size_t size_bytes_ = 0;
  std::optional<RecordReader> reader_;
  topology::RecordColumns columns_;
  std::size_t at_ = 0;  // next of columns_
  bool reader_at_end_ = true;
  std::optional<std::int64_t> ingest_us_;
  Offset position_;
  Offset committed_;
  Timestamp stream_time_;
  Timestamp committed_stream_time_;
  std::vector<Accepted> accepted_;
  std::uint64_t record_count_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t missing_before_ = 0;
  std::uint64_t missing_ = 0;
  std::uint64_t empty_ = 0;
  std::uint64_t gap_ = 0;  // before the batch being decoded; missing once its first run is done
  Offset batch_end_;       // of the batch being decoded
};

}  // namespace penstock::engine
