#include "jobs/table_processors.h"

#include "store/event_copy.h"

namespace penstock::jobs {

using store::EventOrigin;
using store::TableStore;

namespace {

EventOrigin origin_of(const topology::RecordSpan& records, std::size_t index) {
  return {records.timestamps[index], records.from.partition, records.offsets[index]};
}

void put_all(TableStore& store, std::vector<TableStore::Update>& updates) {
  for (std::size_t begin = 0; begin < updates.size(); begin += TableStore::kGroupSize) {
    const std::size_t count = std::min(TableStore::kGroupSize, updates.size() - begin);
    store.put(std::span(updates).subspan(begin, count));
  }
  updates.clear();
}

}  // namespace

KeepProcessor::KeepProcessor(const TableOptions& options)
    : store_name_(options.name), plan_(options.group_by, {}, options.topic.key), reader_(plan_) {}

Status KeepProcessor::init(topology::ProcessorContext& context) {
  context_ = &context;
  store_ = &context.store_of<TableStore>(store_name_);
  store_->declare_source(context.task().partition);
  return {};
}

Status KeepProcessor::process(const topology::RecordSpan& records) {
  reader_.read(records);
  for (std::size_t index = 0; index < records.size(); ++index) {
    if (!reader_.group(index).has_value()) {
      ++context_->counts().dropped;
      continue;
    }
    updates_.push_back({*reader_.group(index), topology::to_optional(records.values[index]),
                        origin_of(records, index)});
  }
  put_all(*store_, updates_);
  store_->set_complete(records.from.partition, records.offsets.back() + 1);
  return {};
}

RekeyProcessor::RekeyProcessor(const TableOptions& options)
    : plan_(options.group_by, {}, options.topic.key), reader_(plan_) {}

Status RekeyProcessor::init(topology::ProcessorContext& context) {
  context_ = &context;
  writer_.emplace(context);
  return {};
}

Status RekeyProcessor::process(const topology::RecordSpan& records) {
  writer_->note(records);
  reader_.read(records);
  for (std::size_t index = 0; index < records.size(); ++index) {
    if (!reader_.group(index).has_value()) {
      ++context_->counts().dropped;
      continue;
    }
    store::encode_event_copy({origin_of(records, index), records.values[index]}, value_);
    writer_->send(*reader_.group(index), value_);
  }
  return {};
}

Status RekeyProcessor::before_commit() {
  writer_->finish();
  return {};
}

Status KeepRekeyedProcessor::init(topology::ProcessorContext& context) {
  store_ = &context.store_of<TableStore>(options_.name);
  for (std::int32_t number = 0; number < options_.topic.partition_count; ++number) {
    store_->declare_source(PartitionId(number));
  }
  return {};
}

Status KeepRekeyedProcessor::process(const topology::RecordSpan& records) {
  for (std::size_t index = 0; index < records.size(); ++index) {
    const Status taken = take(records.keys[index], records.values[index]);
    if (!taken) {
      return taken.error().with("offset " + to_string(records.offsets[index]));
    }
  }
  put_all(*store_, updates_);
  return {};
}

Status KeepRekeyedProcessor::take(ByteView key, ByteView value) {
  if (topology::is_null(key)) {
    PENSTOCK_TRY_ASSIGN(const Progress progress, decode_progress(value));
    store_->set_complete(progress.partition, progress.next_offset);
    return {};
  }
  PENSTOCK_TRY_ASSIGN(const store::KeyView group, store::parse_tagged_key(key));
  PENSTOCK_TRY_ASSIGN(const store::EventCopy event, store::decode_event_copy(value));
  updates_.push_back({group, event.value, event.origin});
  return {};
}

}  // namespace penstock::jobs
