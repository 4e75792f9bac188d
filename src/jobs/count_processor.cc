#include "jobs/count_processor.h"

namespace penstock::jobs {

Status CountProcessor::init(topology::ProcessorContext& context) {
  context_ = &context;
  store_ = &context.store_of<store::WindowStore>(plan_.options().name);
  store_->declare_source(context.task().partition);
  counter_.emplace(plan_, *store_);
  updates_.emplace(context, *store_, context.output(kUpdatesSink), plan_.options().emit_interval);
  return {};
}

Status CountProcessor::process(const topology::RecordSpan& records) {
  counter_->count(records, context_->counts());
  store_->set_complete(records.from.partition, records.offsets.back() + 1);
  return {};
}

Status CountProcessor::before_commit() {
  updates_->write_due();
  return {};
}

}  // namespace penstock::jobs
