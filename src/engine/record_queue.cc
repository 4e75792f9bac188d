#include "engine/record_queue.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "record/internal_headers.h"

namespace penstock::engine {

namespace {

std::optional<std::int64_t> ingest_time(const RecordView& record) {
  return decode_ingest_time(find_header(record, kIngestTimeHeader));
}

}  // namespace

RecordQueue::RecordQueue(TopicPartition from, Offset committed, Offset position,
                         Timestamp stream_time)
    : from_(from),
      position_(position),
      committed_(position),
      stream_time_(stream_time),
      committed_stream_time_(stream_time),
      missing_before_(static_cast<std::uint64_t>(position - committed)) {
  columns_.reserve(kRunMax);
}

void RecordQueue::push(log::FetchedBatch batch) {
  size_bytes_ += batch.bytes.size();
  batches_.push_back(std::move(batch));
}

Result<bool> RecordQueue::has_records() {
  while (at_ == columns_.size()) {
    if (reader_at_end_) {
      if (reader_.has_value()) {
        close_batch();
      }
      if (batches_.empty()) {
        columns_.clear();
        at_ = 0;
        return false;
      }
      PENSTOCK_TRY(open_batch());
    }
    PENSTOCK_TRY(decode());
  }
  return true;
}

// All its records are processed; what it covers beyond them has none.
void RecordQueue::close_batch() {
  if (batch_end_ > position_) {
    const std::uint64_t missing = std::exchange(gap_, 0);
    missing_ += missing;
    (batches_.front().is_lost ? missing_ : empty_) +=
        static_cast<std::uint64_t>(batch_end_ - position_) - missing;
    position_ = batch_end_;
  }
  size_bytes_ -= batches_.front().bytes.size();
  batches_.pop_front();
  reader_.reset();
}

Status RecordQueue::open_batch() {
  const auto batch =
      RecordBatchView::parse(batches_.front().bytes, RecordBatchView::Verify::kHeaderOnly);
  if (!batch) {
    return Error(ErrorCode::kCorrupt, batch.error().message());
  }
  batch_end_ = batch->last_offset() + 1;
  // Everything fetched before is processed: what lies between was deleted while it waited, or lost.
  gap_ = static_cast<std::uint64_t>(std::max<std::int64_t>(0, batch->base_offset() - position_));
  reader_.emplace(*batch);
  reader_at_end_ = batch->is_control();
  return {};
}

Status RecordQueue::decode() {
  columns_.clear();
  at_ = 0;
  RecordView record;
  std::size_t size = 0;
  while (columns_.size() < kRunMax && size < kRunBytesMax) {
    if (reader_at_end_ || !reader_->next(record)) {
      reader_at_end_ = true;
      break;
    }
    std::uint32_t internal_count = 0;
    if (record.header_count != 0) {
      if (const auto time = ingest_time(record)) {
        ingest_us_ = time;
        internal_count = 1;
      }
    }
    if (record.offset >= position_) {
      size += record.value.has_value() ? record.value->size() : 0;
      columns_.push_back(record.offset, record.timestamp, topology::from_optional(record.key),
                         topology::from_optional(record.value));
      if (record.header_count > internal_count) {
        columns_.add_headers(record.header_count, record.header_bytes);
      }
    }
  }
  if (!reader_->status()) {
    return Error(ErrorCode::kCorrupt,
                 "offset " + to_string(position_) + ": " + reader_->status().error().message());
  }
  return {};
}

topology::RecordSpan RecordQueue::head(std::size_t count_max,
                                       std::optional<Timestamp> until) const {
  const auto& timestamps = columns_.timestamps();
  std::size_t end = std::min(columns_.size(), at_ + count_max);
  if (until.has_value()) {
    std::size_t cut = at_ + 1;
    while (cut < end && timestamps[cut] <= *until) {
      ++cut;
    }
    end = cut;
  }
  topology::RecordSpan records = columns_.span(from_, stream_time_, at_, end);
  records.ingest_us = ingest_us_;
  return records;
}

void RecordQueue::pop(std::size_t count) {
  PENSTOCK_CHECK(count > 0 && at_ + count <= columns_.size());
  const topology::RecordSpan done = columns_.span(from_, stream_time_, at_, at_ + count);
  const std::uint64_t missing = std::exchange(gap_, 0);
  const auto moved = static_cast<std::uint64_t>(done.offsets.back() + 1 - position_);
  position_ = done.offsets.back() + 1;
  missing_ += missing;
  empty_ += moved - missing - count;
  stream_time_ = std::max(stream_time_, *std::ranges::max_element(done.timestamps));
  record_count_ += count;
  for (std::size_t index = 0; index < count; ++index) {
    bytes_ += done.keys[index].size() + done.values[index].size();
  }
  if (ingest_us_.has_value()) {
    if (accepted_.empty() || accepted_.back().ingest_us != *ingest_us_) {
      accepted_.push_back({*ingest_us_, 0});
    }
    accepted_.back().count += count;
  }
  at_ += count;
}

void RecordQueue::commit() {
  committed_ = position_;
  committed_stream_time_ = stream_time_;
  accepted_.clear();
  record_count_ = 0;
  bytes_ = 0;
  missing_before_ = 0;
  missing_ = 0;
  empty_ = 0;
}

void RecordQueue::rewind() {
  position_ = committed_;
  stream_time_ = committed_stream_time_;
  accepted_.clear();
  record_count_ = 0;
  bytes_ = 0;
  missing_ = 0;
  empty_ = 0;
  gap_ = 0;
  batches_.clear();
  size_bytes_ = 0;
  reader_.reset();
  reader_at_end_ = true;
  columns_.clear();
  at_ = 0;
}

}  // namespace penstock::engine
