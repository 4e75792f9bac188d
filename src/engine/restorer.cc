#include "engine/restorer.h"

#include <algorithm>

#include "core/check.h"

namespace penstock::engine {

Result<std::unique_ptr<Restorer>> Restorer::open(log::Log& log, Task& task,
                                                 const BoundsByPartition& bounds) {
  std::unique_ptr<Restorer> restorer(new Restorer(log, task));
  PENSTOCK_TRY(restorer->begin(bounds));
  return restorer;
}

Status Restorer::begin(const BoundsByPartition& bounds) {
  PENSTOCK_TRY(task_.begin_restore());
  std::vector<log::Consumer::Position> positions;
  for (const ChangelogPartition& changelog : task_.changelogs()) {
    const log::PartitionBounds& at = bounds.at(changelog.partition);
    PENSTOCK_TRY_ASSIGN(const Offset from,
                        task_.restore_from(changelog.partition, at.start, at.written_end));
    ranges_[changelog.partition] = {from, at.written_end};
    if (from != at.written_end) {
      positions.push_back({changelog.partition, from});
    }
  }
  if (positions.empty()) {
    return {};
  }
  log::ConsumerOptions options;
  options.name = "restore-" + to_string(task_.id());
  PENSTOCK_TRY_ASSIGN(consumer_, log_.open_consumer(std::move(options)));
  return consumer_->assign(std::move(positions));
}

Result<bool> Restorer::run_once(std::size_t bytes_max) {
  if (remaining() > 0) {
    PENSTOCK_TRY_ASSIGN(log::Consumer::Polled polled, consumer_->poll(bytes_max));
    for (const log::FetchedBatch& batch : polled.batches) {
      PENSTOCK_TRY_ASSIGN(
          const RecordBatchView view,
          RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly));
      if (task_.has_committed(store_of(batch.from))) {
        PENSTOCK_TRY(task_.restore(batch.from, batch));
        restored_ += view.record_count();
      } else if (view.record_count() > 0) {  // transactions that were taken back leave none
        return without_offsets(batch.from);
      }
      ranges_[batch.from].next = view.last_offset() + 1;
    }
  }
  if (remaining() > 0) {
    return false;
  }
  PENSTOCK_TRY(
      task_.finish_restore([this](TopicPartition changelog) { return ranges_.at(changelog).end; }));
  return true;
}

const std::string& Restorer::store_of(TopicPartition changelog) const {
  const auto found =
      std::ranges::find(task_.changelogs(), changelog, &ChangelogPartition::partition);
  PENSTOCK_CHECK(found != task_.changelogs().end());
  return found->store;
}

Error Restorer::without_offsets(TopicPartition changelog) const {
  const std::string& store = store_of(changelog);
  return {ErrorCode::kInvalid,
          "store \"" + store +
              "\" has a changelog, but no offsets were committed with it, or it was dropped since; "
              "delete its changelog topic to begin with it anew"};
}

std::uint64_t Restorer::remaining() const {
  std::uint64_t count = 0;
  for (const auto& [partition, range] : ranges_) {
    count += static_cast<std::uint64_t>(std::max<std::int64_t>(0, range.end - range.next));
  }
  return count;
}

}  // namespace penstock::engine
