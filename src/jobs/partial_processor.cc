#include "jobs/partial_processor.h"

#include "jobs/partial_aggregate.h"

namespace penstock::jobs {

Status PartialProcessor::init(topology::ProcessorContext& context) {
  context_ = &context;
  store_.emplace(plan_.store_options(context.hash_seed(), AggregatePlan::Use::kPartial));
  counter_.emplace(plan_, *store_);
  writer_.emplace(context);
  return {};
}

Status PartialProcessor::process(const topology::RecordSpan& records) {
  writer_->note(records);
  counter_->count(records, context_->counts());
  return {};
}

Status PartialProcessor::before_commit() {
  partials_.clear();
  store_->list_uncommitted(partials_);
  for (const store::WindowStore::Changed& partial : partials_) {
    encode_partial(store_->layout(), partial.window_start,
                   store::WindowStore::cells_of(partial.row), value_);
    writer_->send(store::RowKey(partial.row).view(), value_);
  }
  writer_->finish();
  return {};
}

void PartialProcessor::clear() {
  store_->clear();
  writer_->clear();
}

}  // namespace penstock::jobs
