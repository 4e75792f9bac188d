#include "gateway/open_append.h"

#include <utility>

#include "record/internal_headers.h"

namespace penstock::gateway {

void OpenAppend::add_with_headers(OpenBatch& batch, Timestamp timestamp,
                                  std::optional<std::string_view> key,
                                  std::optional<std::string_view> value,
                                  std::span<const HeaderView> headers) {
  if (!batch.builder.empty()) {
    batch.builder.append(timestamp, to_view(key), to_view(value), headers);
    return;
  }
  if (!recycled_.empty()) {
    recycled_bytes_ -= recycled_.back().bytes.capacity();
    batch.builder.recycle(std::move(recycled_.back()));
    recycled_.pop_back();
  }
  if (!batch.listed) {
    batch.listed = true;
    open_.push_back(&batch);
  }
  const auto accepted_at = encode_ingest_time(clock_.wall_now_us().time_since_epoch().count());
  std::vector<HeaderView> all = {{kIngestTimeHeader, ByteView(accepted_at)}};
  all.insert(all.end(), headers.begin(), headers.end());
  batch.builder.append(timestamp, to_view(key), to_view(value), all);
}

void OpenAppend::finish(OpenBatch& batch) {
  finished_.push_back({batch.to, batch.builder.finish(compressor_)});
  keep_memory(batch.builder.release_memory());
}

void OpenAppend::keep_memory(RecordBatch unused) {
  const std::size_t capacity = unused.bytes.capacity();
  if (capacity > 0 && recycled_bytes_ + capacity <= kRecycledBytesMax) {
    recycled_bytes_ += capacity;
    recycled_.push_back(std::move(unused));
  }
}

std::vector<log::PartitionBatch> OpenAppend::take() {
  for (OpenBatch* const batch : open_) {
    if (!batch->builder.empty()) {
      finish(*batch);
    }
    batch->listed = false;
  }
  open_.clear();
  bytes_ = 0;
  return std::exchange(finished_, {});
}

void OpenAppend::recycle(std::vector<log::PartitionBatch> batches) {
  for (log::PartitionBatch& used : batches) {
    // A compressed one is too small for records, and the memory that those had is here already.
    const auto view =
        RecordBatchView::parse(used.batch.bytes, RecordBatchView::Verify::kHeaderOnly);
    if (view && view->compression() == Compression::kNone) {
      keep_memory(std::move(used.batch));
    }
  }
}

}  // namespace penstock::gateway
