#include "jobs/partial_processor.h"

#include <algorithm>
#include <array>

#include "jobs/partial_aggregate.h"
#include "record/internal_headers.h"
#include "record/partitioner.h"

namespace penstock::jobs {

Status PartialProcessor::init(topology::ProcessorContext& context) {
  context_ = &context;
  output_ = &context.output("to-groups");
  store_.emplace(plan_.store_options(context.hash_seed(), AggregatePlan::Use::kPartial));
  counter_.emplace(plan_, *store_);
  return {};
}

Status PartialProcessor::process(const topology::RecordSpan& records) {
  counter_->count(records, context_->counts());
  next_offset_ = records.offsets.back() + 1;
  if (records.ingest_us.has_value()) {
    oldest_ingest_us_ =
        std::min(*records.ingest_us, oldest_ingest_us_.value_or(*records.ingest_us));
  }
  return {};
}

Status PartialProcessor::before_commit() {
  if (!next_offset_.has_value()) {
    return {};
  }
  const Timestamp now(context_->wall_now().time_since_epoch().count());
  has_header_.assign(static_cast<std::size_t>(output_->partition_count()), false);
  partials_.clear();
  store_->list_uncommitted(partials_);
  for (const store::WindowStore::Changed& partial : partials_) {
    send(partial, now);
  }
  send_progress(now);
  return {};
}

void PartialProcessor::send(const store::WindowStore::Changed& partial, Timestamp now) {
  const store::RowKey key(partial.row);
  key_.clear();
  append_tagged_key(key_, key.view());
  encode_partial(store_->layout(), partial.window_start, store::WindowStore::cells_of(partial.row),
                 value_);
  const PartitionId partition = partition_for_key(key_, output_->partition_count());
  const auto index = static_cast<std::size_t>(partition.value());
  if (!has_header_[index] && oldest_ingest_us_.has_value()) [[unlikely]] {
    has_header_[index] = true;
    const auto ingest_time = encode_ingest_time(*oldest_ingest_us_);
    const HeaderView header{kIngestTimeHeader, ByteView(ingest_time)};
    output_->append_to(partition, now, key_, value_, {&header, 1});
    return;
  }
  output_->append_to(partition, now, key_, value_);
}

void PartialProcessor::send_progress(Timestamp now) {
  const Bytes progress =
      encode_progress({context_->task().partition, *next_offset_, store_->stream_time()});
  for (std::int32_t partition = 0; partition < output_->partition_count(); ++partition) {
    output_->append_to(PartitionId(partition), now, std::nullopt, ByteView(progress));
  }
}

void PartialProcessor::clear() {
  store_->clear();
  next_offset_.reset();
  oldest_ingest_us_.reset();
}

}  // namespace penstock::jobs
