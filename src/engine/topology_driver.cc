#include "engine/topology_driver.h"

#include <algorithm>

#include "core/check.h"
#include "core/units.h"
#include "record/record_batch.h"

namespace penstock::engine {

namespace {

constexpr std::size_t kCommitRoom = 8 * kMiB;
// Real time, whatever the test's clock says: answers come from other threads.
constexpr std::chrono::milliseconds kCallPatience{10};
constexpr int kCallTurns = 500;

struct BatchMemory final : RefCounted {
  explicit BatchMemory(RecordBatch made) : batch(std::move(made)) {}

  RecordBatch batch;
};

std::optional<std::string> to_text(const std::optional<ByteView>& bytes) {
  return bytes.has_value() ? std::optional<std::string>(as_text(*bytes)) : std::nullopt;
}

std::optional<ByteView> to_view(const std::optional<std::string>& text) {
  return text.has_value() ? std::optional(as_bytes(*text)) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<TopologyDriver>> TopologyDriver::open(
    const topology::Topology& topology, const PartitionCounts& partition_counts,
    const os::Clock& clock, std::uint64_t record_cache_bytes_max, const DrivenDisk& disk) {
  std::unique_ptr<TopologyDriver> driver(
      new TopologyDriver(topology, clock, record_cache_bytes_max, disk));
  for (const auto& [name, count] : partition_counts) {
    driver->add_topic(name, count);
  }
  for (const topology::InternalTopic& topic : topology.internal_topics()) {
    const auto like = driver->environment_.topics.find(topic.partitions_of);
    if (like == driver->environment_.topics.end()) {
      return Error(ErrorCode::kInvalid,
                   "say how many partitions topic \"" + topic.partitions_of + "\" has");
    }
    driver->add_topic(topic.name, like->second.partition_count);
  }
  PENSTOCK_TRY(driver->open_tasks());
  return driver;
}

void TopologyDriver::add_topic(const std::string& name, std::int32_t partition_count) {
  const TopicId id(static_cast<std::uint32_t>(environment_.topics.size()));
  environment_.topics.try_emplace(name, TopicHandle{id, partition_count});
}

Status TopologyDriver::open_tasks() {
  for (std::size_t index = 0; index < topology_.sub_topologies().size(); ++index) {
    const topology::SubTopology& sub = topology_.sub_topologies()[index];
    const std::string& first = sub.sources.front().topics.front();
    const std::int32_t task_count = environment_.topics.find(first)->second.partition_count;
    for (std::int32_t number = 0; number < task_count; ++number) {
      const Task::Id id{static_cast<std::int32_t>(index), PartitionId(number)};
      PENSTOCK_TRY_ASSIGN(const std::vector<SourcePosition> positions, positions_of(sub, id));
      PENSTOCK_TRY_ASSIGN(auto task, Task::create(id, sub, environment_, positions));
      PENSTOCK_TRY(restore(*task));
      for (const SourcePosition& position : positions) {
        readers_[position.partition] = task.get();
      }
      tasks_[id] = std::move(task);
    }
  }
  return {};
}

Result<std::vector<SourcePosition>> TopologyDriver::positions_of(const topology::SubTopology& sub,
                                                                 Task::Id id) const {
  std::vector<SourcePosition> positions;
  for (const topology::SourceNode& source : sub.sources) {
    for (const std::string& topic : source.topics) {
      const TopicPartition partition{environment_.topics.find(topic)->second.id, id.partition};
      SourcePosition position{partition, Offset(0), Offset(0), std::nullopt};
      const auto committed = committed_.find(partition);
      if (committed != committed_.end()) {
        position.committed = committed->second.next_offset;
        position.offset = committed->second.next_offset;
        PENSTOCK_TRY_ASSIGN(position.note, parse_offset_note(committed->second.metadata));
      }
      positions.push_back(std::move(position));
    }
  }
  return positions;
}

// From what was committed to the changelogs.
Status TopologyDriver::restore(Task& task) {
  PENSTOCK_TRY(task.begin_restore());
  for (const ChangelogPartition& changelog : task.changelogs()) {
    PENSTOCK_TRY(restore(task, changelog.partition));
  }
  return task.finish_restore([this](TopicPartition at) { return changelog_end(at); });
}

Status TopologyDriver::restore(Task& task, TopicPartition changelog) {
  PENSTOCK_TRY_ASSIGN(const Offset from,
                      task.restore_from(changelog, Offset(0), changelog_end(changelog)));
  for (const RecordBatch& batch : changelogs_[changelog]) {
    PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                        RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly));
    if (view.last_offset() >= from) {
      PENSTOCK_TRY(task.restore(changelog, {changelog, ByteView(batch.bytes), {}}));
      restored_count_ += view.record_count();
    }
  }
  return {};
}

Offset TopologyDriver::changelog_end(TopicPartition changelog) const {
  const auto written = changelogs_.find(changelog);
  if (written == changelogs_.end() || written->second.empty()) {
    return Offset(0);
  }
  const auto last =
      RecordBatchView::parse(written->second.back().bytes, RecordBatchView::Verify::kHeaderOnly);
  PENSTOCK_CHECK(last.has_value());
  return last->last_offset() + 1;
}

void TopologyDriver::add_to_changelog(const Task& task, log::PartitionBatch& batch) {
  for (const ChangelogPartition& changelog : task.changelogs()) {
    if (changelog.partition == batch.to) {
      set_base_offset(batch.batch.bytes, changelog_end(batch.to));
      changelogs_[batch.to].push_back(std::move(batch.batch));
      return;
    }
  }
}

Status TopologyDriver::restart() {
  tasks_.clear();
  readers_.clear();
  PENSTOCK_TRY(open_tasks());
  feed_again();
  return {};
}

void TopologyDriver::feed_again() {
  for (const auto& [id, task] : tasks_) {
    for (const auto& queue : task->queues()) {
      feed(queue->from(), static_cast<std::size_t>(queue->committed().value()));
    }
  }
}

void TopologyDriver::send(std::string_view topic, const DrivenRecord& record) {
  const auto handle = environment_.topics.find(topic);
  PENSTOCK_CHECK(handle != environment_.topics.end());
  const TopicPartition partition{handle->second.id, record.partition};
  std::vector<DrivenRecord>& input = inputs_[partition];
  input.push_back(record);
  input.back().offset = Offset(static_cast<std::int64_t>(input.size()) - 1);
  if (const topology::GlobalTable* table = global_stores_.table_of(topic)) {
    apply_to_global(*table, partition);
  } else {
    feed(partition, input.size() - 1);
  }
}

// The last record sent to it.
void TopologyDriver::apply_to_global(const topology::GlobalTable& table, TopicPartition partition) {
  ByteView bytes;
  const auto memory = make_batch(partition, inputs_[partition].size() - 1, bytes);
  const auto view = RecordBatchView::parse(bytes, RecordBatchView::Verify::kHeaderOnly);
  PENSTOCK_CHECK(view.has_value());
  RecordReader reader(*view);
  for (RecordView record; reader.next(record);) {
    if (const Status applied = global_stores_.apply(table, record); !applied && global_error_) {
      global_error_ = applied;
    }
  }
  global_stores_.commit(environment_.clock.now());
  counts_ += global_stores_.take_counts();
}

// Gives a task the records of one of its partitions, from number `first` on, as one batch.
void TopologyDriver::feed(TopicPartition partition, std::size_t first) {
  if (first == inputs_[partition].size()) {
    return;
  }
  ByteView bytes;
  Ref<RefCounted> memory = make_batch(partition, first, bytes);
  readers_.at(partition)->push({partition, bytes, std::move(memory)});
}

Ref<RefCounted> TopologyDriver::make_batch(TopicPartition partition, std::size_t first,
                                           ByteView& bytes) {
  const std::vector<DrivenRecord>& input = inputs_[partition];
  RecordBatchBuilder builder;
  for (std::size_t index = first; index < input.size(); ++index) {
    std::vector<HeaderView> headers;
    for (const DrivenHeader& header : input[index].headers) {
      headers.push_back({header.key, to_view(header.value)});
    }
    builder.append(input[index].timestamp, to_view(input[index].key), to_view(input[index].value),
                   headers);
  }
  auto memory = make_ref<BatchMemory>(builder.finish());
  set_base_offset(memory->batch.bytes, Offset(static_cast<std::int64_t>(first)));
  bytes = memory->batch.bytes;
  return Ref<RefCounted>(memory);
}

Status TopologyDriver::run() {
  PENSTOCK_TRY(std::exchange(global_error_, Status()));
  bool worked = true;
  while (worked) {
    worked = false;
    for (const auto& [id, task] : tasks_) {
      const Result<std::size_t> count = task->process(RecordQueue::kRunMax);
      if (!count) {
        return take_back_if_asked(count.error());
      }
      worked = worked || *count > 0;
    }
    PENSTOCK_TRY_ASSIGN(const bool advanced, advance());
    worked = worked || advanced;
  }
  for (const auto& [id, task] : tasks_) {
    task->punctuate();
  }
  return {};
}

Result<bool> TopologyDriver::advance() {
  bool worked = false;
  for (const auto& [id, task] : tasks_) {
    const Result<bool> advanced = task->advance();
    if (!advanced) {
      return take_back_if_asked(advanced.error()).error();
    }
    worked = worked || *advanced;
  }
  return worked;
}

Status TopologyDriver::take_back_if_asked(const Error& error) {
  if (error.code() == ErrorCode::kAbortTxn) {
    abort();
  }
  return error;
}

Status TopologyDriver::wait_for_calls() {
  const auto is_done = [this] {
    return std::ranges::all_of(tasks_,
                               [](const auto& entry) { return entry.second->may_commit(); });
  };
  for (int turn = 0; turn < kCallTurns; ++turn) {
    PENSTOCK_TRY(advance());
    if (is_done()) {
      return {};
    }
    wake_->wait(kCallPatience);
  }
  return Error(ErrorCode::kRetry,
               "a call to another system is not answered; if it is to time out, "
               "move the clock");
}

Status TopologyDriver::commit() {
  while (true) {
    PENSTOCK_TRY(wait_for_calls());
    PENSTOCK_TRY_ASSIGN(const bool committed, commit_once());
    if (!committed) {
      return {};
    }
    PENSTOCK_TRY(run());
  }
}

Result<bool> TopologyDriver::commit_once() {
  bool committed = false;
  for (const auto& [id, task] : tasks_) {
    if (!task->needs_commit()) {
      continue;
    }
    std::size_t room = kCommitRoom;
    PENSTOCK_TRY(task->prepare_commit(room));
    while (!task->may_commit()) {  // what was kept back has begun calls
      PENSTOCK_TRY(wait_for_calls());
      PENSTOCK_TRY(task->prepare_commit(room));
    }
    for (log::PartitionBatch& batch : task->take_batches()) {
      publish(batch);
      add_to_changelog(*task, batch);
    }
    for (log::OffsetCommit& offset : task->offsets()) {
      committed_[offset.partition] = std::move(offset);
    }
    counts_ += task->counts();
    task->committed([this](TopicPartition changelog) { return changelog_end(changelog); });
    committed = true;
  }
  return committed;
}

void TopologyDriver::publish(const log::PartitionBatch& batch) {
  const auto view = RecordBatchView::parse(batch.batch.bytes, RecordBatchView::Verify::kHeaderOnly);
  PENSTOCK_CHECK(view.has_value());
  const std::string& topic = name_of(batch.to.topic);
  RecordReader reader(*view);
  for (RecordView record; reader.next(record);) {
    DrivenRecord copy{batch.to.partition,    record.timestamp, to_text(record.key),
                      to_text(record.value), Offset(0),        {}};
    HeaderReader headers(record);
    for (HeaderView header; headers.next(header);) {
      copy.headers.push_back({std::string(header.key), to_text(header.value)});
    }
    outputs_[topic].push_back(copy);
    if (readers_.contains(batch.to)) {
      send(topic, copy);
    }
  }
}

void TopologyDriver::abort() {
  for (const auto& [id, task] : tasks_) {
    task->aborted();
  }
  feed_again();
}

const std::vector<DrivenRecord>& TopologyDriver::output(std::string_view topic) {
  if (!environment_.topics.contains(topic)) {
    std::string known;
    for (const auto& [name, handle] : environment_.topics) {
      known += (known.empty() ? "" : ", ") + name;
    }
    check_failed(
        ("the topology has no topic \"" + std::string(topic) + "\"; it has " + known).c_str(),
        __FILE__, __LINE__);
  }
  return outputs_[std::string(topic)];
}

store::StateStore& TopologyDriver::store(std::string_view name, PartitionId partition) {
  for (const auto& [id, task] : tasks_) {
    for (const auto& store : task->stores()) {
      if (store->name() == name && id.partition == partition) {
        return *store;
      }
    }
  }
  if (store::StateStore* global = global_stores_.find(name)) {
    return *global;
  }
  check_failed("the topology has a store of that name", __FILE__, __LINE__);
}

const std::string& TopologyDriver::name_of(TopicId topic) const {
  const auto found = std::ranges::find_if(
      environment_.topics, [&](const auto& entry) { return entry.second.id == topic; });
  PENSTOCK_CHECK(found != environment_.topics.end());
  return found->first;
}

}  // namespace penstock::engine
