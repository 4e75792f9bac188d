#include "engine/global_tables.h"

#include <algorithm>

#include "core/check.h"

namespace penstock::engine {

GlobalStores::GlobalStores(const topology::Topology& topology) : topology_(topology) {
  for (const topology::GlobalTable& table : topology.global_tables()) {
    stores_.push_back(table.store({}));
    PENSTOCK_CHECK(stores_.back()->name() == table.name);
  }
}

store::StateStore* GlobalStores::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(stores_, [&](const auto& store) { return store->name() == name; });
  return found == stores_.end() ? nullptr : found->get();
}

const topology::GlobalTable* GlobalStores::table_of(std::string_view topic) const {
  const auto found =
      std::ranges::find(topology_.global_tables(), topic, &topology::GlobalTable::topic);
  return found == topology_.global_tables().end() ? nullptr : &*found;
}

Status GlobalStores::apply(const topology::GlobalTable& table, const RecordView& record) {
  const auto index = static_cast<std::size_t>(&table - topology_.global_tables().data());
  const Status applied = table.apply(*stores_[index], record, counts_);
  return applied ? applied
                 : applied.error().with("global table \"" + table.name + "\", offset " +
                                        to_string(record.offset));
}

void GlobalStores::commit(os::TimePoint now) {
  for (const auto& store : stores_) {
    store->commit(now, Offset(0));
  }
}

Result<std::unique_ptr<GlobalTables>> GlobalTables::open(log::Log& log, const os::Clock& clock,
                                                         const topology::Topology& topology,
                                                         const TopicHandles& topics,
                                                         const std::string& name) {
  std::unique_ptr<GlobalTables> tables(new GlobalTables(clock, topology));
  PENSTOCK_TRY(tables->begin(log, topology, topics, name));
  return tables;
}

Status GlobalTables::begin(log::Log& log, const topology::Topology& topology,
                           const TopicHandles& topics, const std::string& name) {
  std::vector<TopicPartition> partitions;
  for (const topology::GlobalTable& table : topology.global_tables()) {
    const TopicHandle& topic = topics.find(table.topic)->second;
    for (std::int32_t number = 0; number < topic.partition_count; ++number) {
      partitions.push_back({topic.id, PartitionId(number)});
      sources_[partitions.back()].table = &table;
    }
  }
  PENSTOCK_TRY_ASSIGN(const std::vector<log::PartitionBounds> bounds, log.bounds(partitions));
  std::vector<log::Consumer::Position> positions;
  for (const log::PartitionBounds& at : bounds) {
    Source& source = sources_.at(at.partition);
    source.next = at.start;
    source.restored_at = at.written_end;
    remaining_ += at.start < at.written_end ? 1 : 0;
    positions.push_back({at.partition, at.start});
  }
  log::ConsumerOptions options;
  options.name = "global-" + name;
  PENSTOCK_TRY_ASSIGN(consumer_, log.open_consumer(std::move(options)));
  return consumer_->assign(std::move(positions));
}

Result<bool> GlobalTables::run_once(std::size_t bytes_max) {
  Result<log::Consumer::Polled> polled = consumer_->poll(bytes_max);
  if (!polled) {
    const ErrorCode code = polled.error().code();
    return code == ErrorCode::kRetry || code == ErrorCode::kBusy ? Result<bool>(false)
                                                                 : Result<bool>(polled.error());
  }
  for (const log::FetchedBatch& batch : polled->batches) {
    PENSTOCK_TRY(apply(batch));
  }
  if (!polled->batches.empty()) {
    stores_.commit(clock_.now());
  }
  return !polled->batches.empty();
}

Status GlobalTables::apply(const log::FetchedBatch& batch) {
  PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                      RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly));
  Source& source = sources_.at(batch.from);
  RecordReader reader(view);
  for (RecordView record; reader.next(record);) {
    if (record.offset >= source.next) {
      PENSTOCK_TRY(stores_.apply(*source.table, record));
    }
  }
  PENSTOCK_TRY(reader.status());
  const bool was_restored = source.next >= source.restored_at;
  source.next = std::max(source.next, view.last_offset() + 1);
  if (!was_restored && source.next >= source.restored_at) {
    --remaining_;
  }
  return {};
}

}  // namespace penstock::engine
