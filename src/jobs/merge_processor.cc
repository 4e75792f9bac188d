#include "jobs/merge_processor.h"

#include "jobs/partial_aggregate.h"
#include "jobs/repartition.h"

namespace penstock::jobs {

using store::WindowStore;

Status MergeProcessor::init(topology::ProcessorContext& context) {
  context_ = &context;
  store_ = &context.store_of<WindowStore>(plan_.options().name);
  for (std::int32_t number = 0; number < plan_.options().topic.partition_count; ++number) {
    store_->declare_source(PartitionId(number));
  }
  cells_.resize(WindowStore::kGroupSize * store_->layout().cell_count());
  updates_.emplace(context, *store_, context.output(kUpdatesSink), plan_.options().emit_interval);
  return {};
}

Status MergeProcessor::process(const topology::RecordSpan& records) {
  for (std::size_t index = 0; index < records.size(); ++index) {
    const bool is_progress = topology::is_null(records.keys[index]);
    const Status taken = is_progress ? take_progress(records.values[index])
                                     : take_partial(records.keys[index], records.values[index]);
    if (!taken) {
      return taken.error().with("offset " + to_string(records.offsets[index]));
    }
  }
  merge_group();
  return {};
}

Status MergeProcessor::take_partial(ByteView tagged_key, ByteView value) {
  std::uint64_t* cells = &cells_[count_ * store_->layout().cell_count()];
  PENSTOCK_TRY_ASSIGN(const store::KeyView key, store::parse_tagged_key(tagged_key));
  PENSTOCK_TRY_ASSIGN(const Timestamp start, decode_partial(store_->layout(), value, cells));
  if (start < store_->dropped_before()) [[unlikely]] {
    context_->counts().expired += cells[store::AggregateLayout::kRecordsCell];
    return {};
  }
  slots_[count_] = {key, start};
  if (++count_ == slots_.size()) {
    merge_group();
  }
  return {};
}

void MergeProcessor::merge_group() {
  std::array<std::uint64_t*, WindowStore::kGroupSize> rows;
  store_->upsert(std::span(slots_).first(count_), rows);
  for (std::size_t index = 0; index < count_; ++index) {
    store_->layout().merge(rows[index], &cells_[index * store_->layout().cell_count()]);
  }
  count_ = 0;
}

Status MergeProcessor::take_progress(ByteView value) {
  PENSTOCK_TRY_ASSIGN(const Progress progress, decode_progress(value));
  store_->set_complete(progress.partition, progress.next_offset);
  if (progress.stream_time != store::kNoStreamTime) {
    store_->advance_stream_time(progress.stream_time);
  }
  return {};
}

Status MergeProcessor::before_commit() {
  updates_->write_due();
  return {};
}

}  // namespace penstock::jobs
