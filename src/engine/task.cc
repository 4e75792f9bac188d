#include "engine/task.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"
#include "engine/global_tables.h"

namespace penstock::engine {

using topology::Output;
using topology::Processor;
using topology::RecordSpan;

std::string_view to_string(TaskState state) {
  static constexpr std::array<std::string_view, 5> kNames = {"created", "restoring", "running",
                                                             "suspended", "closed"};
  return kNames[static_cast<std::size_t>(state)];
}

// An output of the sub-topology, with its name and topic.
struct Task::NamedOutput {
  std::string name;
  TopicId topic;
  Output output;
};

// A source or processor, and what comes behind it.
struct Task::Node {
  std::string name;
  std::string topic;                     // of a source
  std::unique_ptr<Processor> processor;  // none: a source
  std::unique_ptr<Context> context;
  std::vector<Node*> processors;
  std::vector<Output*> outputs;
};

struct Task::Punctuation {
  topology::ProcessorContext::TimeKind kind;
  std::chrono::milliseconds interval;
  UniqueFunction<void(Timestamp)> run;
  os::TimePoint next_time;  // of the clock's kind
  Timestamp next_stream_time;
};

// Puts a store's changelog into the partition of the task.
class Task::Changelog final : public store::ChangelogSink {
 public:
  Changelog(const TopicHandle& topic, PartitionId partition, std::size_t& room)
      : output(topic.partition_count, partition), partition_(partition), room_(room) {}

  [[nodiscard]] RecordBatchBuilder& batch() override { return output.batch(partition_); }

  [[nodiscard]] std::size_t& room() override { return room_; }

  Output output;

 private:
  PartitionId partition_;
  std::size_t& room_;
};

class Task::Context final : public topology::ProcessorContext {
 public:
  Context(Task& task, const Node& node, std::vector<std::string> stores)
      : task_(task), node_(node), store_names_(std::move(stores)) {}

  [[nodiscard]] topology::TaskId task() const override { return task_.id_; }

  [[nodiscard]] Status forward(const RecordSpan& records) override {
    return task_.deliver(node_, records);
  }

  [[nodiscard]] Output& output(std::string_view sink) override {
    const auto found = std::ranges::find_if(
        task_.outputs_, [&](const auto& output) { return output->name == sink; });
    PENSTOCK_CHECK(found != task_.outputs_.end());
    PENSTOCK_CHECK(std::ranges::find(node_.outputs, &(*found)->output) != node_.outputs.end());
    return (*found)->output;
  }

  [[nodiscard]] store::StateStore& state_store(std::string_view name) override {
    if (std::ranges::find(store_names_, name) == store_names_.end()) {
      PENSTOCK_CHECK(task_.environment_.global_stores != nullptr);
      store::StateStore* const global = task_.environment_.global_stores->find(name);
      PENSTOCK_CHECK(global != nullptr);
      return *global;
    }
    const auto found = std::ranges::find_if(
        task_.stores_, [&](const auto& store) { return store->name() == name; });
    PENSTOCK_CHECK(found != task_.stores_.end());
    return **found;
  }

  void schedule(TimeKind kind, std::chrono::milliseconds interval,
                UniqueFunction<void(Timestamp)> punctuate) override {
    PENSTOCK_CHECK(interval.count() > 0);
    task_.punctuations_.push_back(std::make_unique<Punctuation>(
        Punctuation{kind, interval, std::move(punctuate), now() + interval, store::kNoStreamTime}));
  }

  void request_commit() override { task_.commit_requested_ = true; }

  [[nodiscard]] bool draining() const override { return task_.draining_; }

  [[nodiscard]] Timestamp stream_time() const override {
    Timestamp latest = store::kNoStreamTime;
    for (const auto& queue : task_.queues_) {
      latest = std::max(latest, queue->stream_time());
    }
    return latest;
  }

  [[nodiscard]] topology::TimePoint now() const override { return task_.environment_.clock.now(); }

  [[nodiscard]] topology::WallTime wall_now() const override {
    return task_.environment_.clock.wall_now();
  }

  [[nodiscard]] topology::RecordCounts& counts() override { return task_.counts_; }

  [[nodiscard]] std::uint64_t hash_seed() const override { return task_.environment_.hash_seed; }

  [[nodiscard]] std::size_t& commit_room() override { return task_.commit_room_; }

  [[nodiscard]] std::function<void()> waker() override { return task_.environment_.wake; }

  [[nodiscard]] topology::RecordCacheBudget& record_cache() override {
    PENSTOCK_CHECK(task_.environment_.record_cache != nullptr);
    return *task_.environment_.record_cache;
  }

 private:
  Task& task_;
  const Node& node_;
  const std::vector<std::string> store_names_;
};

Task::Task(Id id, const topology::SubTopology& sub_topology, const TaskEnvironment& environment)
    : id_(id), sub_topology_(sub_topology), environment_(environment) {}

Task::~Task() = default;

Result<std::unique_ptr<Task>> Task::create(Id id, const topology::SubTopology& sub_topology,
                                           const TaskEnvironment& environment,
                                           const std::vector<SourcePosition>& sources) {
  std::unique_ptr<Task> task(new Task(id, sub_topology, environment));
  const Status built = task->build(sources);
  if (!built) {
    return built.error().with("task " + to_string(id));
  }
  return task;
}

Status Task::build(const std::vector<SourcePosition>& sources) {
  PENSTOCK_TRY(open_queues(sources));
  open_stores();
  open_outputs();
  open_nodes();
  for (const auto& node : nodes_) {
    PENSTOCK_TRY(node->processor->init(*node->context));
  }
  return {};
}

Status Task::open_queues(const std::vector<SourcePosition>& sources) {
  for (const topology::SourceNode& source : sub_topology_.sources) {
    for (const std::string& topic : source.topics) {
      const auto handle = environment_.topics.find(topic);
      PENSTOCK_CHECK(handle != environment_.topics.end());
      const TopicPartition partition{handle->second.id, id_.partition};
      const auto position = std::ranges::find_if(
          sources, [&](const SourcePosition& at) { return at.partition == partition; });
      PENSTOCK_CHECK(position != sources.end());
      const OffsetNote note = position->note.value_or(OffsetNote());
      committed_stores_.insert(note.stores.begin(), note.stores.end());
      queues_.push_back(std::make_unique<RecordQueue>(partition, position->committed,
                                                      position->offset, note.stream_time));
      sources_.push_back(std::make_unique<Node>());
      sources_.back()->name = source.name;
      sources_.back()->topic = topic;
    }
  }
  return {};
}

void Task::open_stores() {
  for (const topology::StoreNode& node : sub_topology_.stores) {
    const TopicHandle& topic = environment_.topics.find(node.changelog_topic)->second;
    stores_.push_back(node.factory(
        {id_.partition, environment_.hash_seed, environment_.commit_bytes_max, environment_.rocks,
         environment_.state_folder + "/" + to_string(id_), environment_.store_type}));
    PENSTOCK_CHECK(stores_.back()->name() == node.name);
    changelog_outputs_.push_back(std::make_unique<Changelog>(topic, id_.partition, commit_room_));
    changelogs_.push_back({node.name, {topic.id, id_.partition}});
    changelog_ends_.emplace_back();
  }
}

void Task::open_outputs() {
  for (const topology::SinkNode& sink : sub_topology_.sinks) {
    const TopicHandle& topic = environment_.topics.find(sink.options.topic)->second;
    const auto only = sink.options.partitioning == topology::Partitioning::kTask
                          ? std::optional(id_.partition)
                          : std::nullopt;
    outputs_.push_back(std::make_unique<NamedOutput>(
        sink.name, topic.id, Output(topic.partition_count, only, environment_.compression)));
  }
}

void Task::open_nodes() {
  for (const topology::ProcessorNode& processor : sub_topology_.processors) {
    auto node = std::make_unique<Node>();
    node->name = processor.name;
    node->processor = processor.factory();
    node->context = std::make_unique<Context>(*this, *node, processor.stores);
    nodes_.push_back(std::move(node));
  }
  for (std::size_t index = 0; index < nodes_.size(); ++index) {
    connect(*nodes_[index], sub_topology_.processors[index].children);
  }
  for (const auto& source : sources_) {
    const auto at = std::ranges::find_if(sub_topology_.sources, [&](const auto& candidate) {
      return candidate.name == source->name;
    });
    connect(*source,
            sub_topology_
                .source_children[static_cast<std::size_t>(at - sub_topology_.sources.begin())]);
  }
}

void Task::connect(Node& node, const std::vector<std::string>& children) {
  for (const std::string& name : children) {
    const auto processor =
        std::ranges::find_if(nodes_, [&](const auto& child) { return child->name == name; });
    if (processor != nodes_.end()) {
      node.processors.push_back(processor->get());
      continue;
    }
    const auto output =
        std::ranges::find_if(outputs_, [&](const auto& child) { return child->name == name; });
    PENSTOCK_CHECK(output != outputs_.end());
    node.outputs.push_back(&(*output)->output);
  }
}

void Task::transition(TaskState to) {
  // Rows: from; columns: to. In the order of TaskState.
  static constexpr bool kLegal[5][5] = {
      {false, true, false, false, true},   // created
      {false, false, true, false, true},   // restoring
      {false, false, false, true, true},   // running
      {false, false, true, false, true},   // suspended
      {false, false, false, false, false}  // closed
  };
  PENSTOCK_CHECK(kLegal[static_cast<std::size_t>(state_)][static_cast<std::size_t>(to)]);
  state_ = to;
}

Status Task::begin_restore() {
  transition(TaskState::kRestoring);
  for (const auto& store : stores_) {
    const auto metadata = committed_stores_.find(store->name());
    if (metadata == committed_stores_.end()) {
      PENSTOCK_TRY(store->begin_empty());
      continue;
    }
    PENSTOCK_TRY(store->begin_restore(metadata->second));
  }
  return {};
}

store::StateStore& Task::store_of(TopicPartition changelog) {
  const auto found = std::ranges::find_if(
      changelogs_, [&](const ChangelogPartition& at) { return at.partition == changelog; });
  PENSTOCK_CHECK(found != changelogs_.end());
  return *stores_[static_cast<std::size_t>(found - changelogs_.begin())];
}

Result<Offset> Task::restore_from(TopicPartition changelog, Offset start, Offset end) {
  store::StateStore& store = store_of(changelog);
  const std::optional<Offset> reached = store.restored_to();
  if (!reached.has_value()) {
    return start;
  }
  if (*reached >= start && *reached <= end) {
    return *reached;
  }
  PENSTOCK_TRY(store.forget(*reached < start ? "its changelog begins later than it ends"
                                             : "it is ahead of its changelog"));
  return start;
}

Status Task::restore(TopicPartition changelog, const log::FetchedBatch& batch) {
  PENSTOCK_CHECK(state_ == TaskState::kRestoring);
  PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                      RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly));
  const Status restored = store_of(changelog).restore(view);
  return restored ? Status() : restored.error().with("task " + to_string(id_));
}

Status Task::finish_restore(const std::function<Offset(TopicPartition)>& changelog_end) {
  for (std::size_t index = 0; index < stores_.size(); ++index) {
    changelog_ends_[index] = changelog_end(changelogs_[index].partition);
    if (has_committed(stores_[index]->name())) {
      stores_[index]->finish_restore(environment_.clock.now());
    }
  }
  for (const auto& node : nodes_) {
    node->processor->restored();
  }
  transition(TaskState::kRunning);
  return {};
}

void Task::push(log::FetchedBatch batch) {
  const auto queue = std::ranges::find_if(
      queues_, [&](const auto& candidate) { return candidate->from() == batch.from; });
  PENSTOCK_CHECK(queue != queues_.end());
  (*queue)->push(std::move(batch));
}

Result<std::optional<Timestamp>> Task::head_timestamp() {
  std::optional<Timestamp> earliest;
  for (const auto& queue : queues_) {
    PENSTOCK_TRY_ASSIGN(const bool has_records, queue->has_records());
    if (has_records && (!earliest.has_value() || queue->head_timestamp() < *earliest)) {
      earliest = queue->head_timestamp();
    }
  }
  return earliest;
}

bool Task::may_process(os::TimePoint now, std::chrono::milliseconds idle_max,
                       const std::function<std::optional<Offset>(TopicPartition)>& known_end) {
  idle_until_.reset();
  if (room() == 0) {
    return false;
  }
  if (queues_.size() == 1 || idle_max.count() < 0) {
    return true;
  }
  bool any_at_end = false;
  for (const auto& queue : queues_) {
    if (queue->is_empty()) {
      const auto end = known_end(queue->from());
      if (!end.has_value() || queue->position() < *end) {
        idle_since_.reset();
        return false;
      }
      any_at_end = true;
    }
  }
  if (!any_at_end) {
    idle_since_.reset();
    return true;
  }
  idle_since_ = idle_since_.value_or(now);
  if (now - *idle_since_ >= idle_max) {
    return true;
  }
  idle_until_ = *idle_since_ + idle_max;
  return false;
}

std::size_t Task::room() const {
  std::size_t room = static_cast<std::size_t>(-1);
  for (const auto& node : nodes_) {
    room = std::min(room, node->processor->room());
  }
  return room;
}

Result<bool> Task::advance() {
  bool worked = false;
  for (const auto& node : nodes_) {
    PENSTOCK_TRY_ASSIGN(const bool advanced, node->processor->advance());
    worked = worked || advanced;
  }
  return worked;
}

bool Task::may_commit() const {
  return std::ranges::all_of(nodes_,
                             [](const auto& node) { return node->processor->may_commit(); });
}

std::optional<os::TimePoint> Task::next_advance() const {
  std::optional<os::TimePoint> next;
  for (const auto& node : nodes_) {
    const auto at = node->processor->next_advance();
    if (at.has_value() && (!next.has_value() || *at < *next)) {
      next = at;
    }
  }
  return next;
}

Result<std::size_t> Task::process(std::size_t count_max) {
  PENSTOCK_CHECK(state_ == TaskState::kRunning);
  count_max = std::min(count_max, room());
  if (count_max == 0) {
    return std::size_t{0};
  }
  // The earliest head is next; its run ends before the earliest head of the other queues.
  std::size_t next = queues_.size();
  std::optional<Timestamp> until;
  for (std::size_t index = 0; index < queues_.size(); ++index) {
    PENSTOCK_TRY_ASSIGN(const bool has_records, queues_[index]->has_records());
    if (!has_records) {
      continue;
    }
    const Timestamp head = queues_[index]->head_timestamp();
    if (next == queues_.size()) {
      next = index;
    } else if (head < queues_[next]->head_timestamp()) {
      until = queues_[next]->head_timestamp();
      next = index;
    } else if (!until.has_value() || head < *until) {
      until = head;
    }
  }
  if (next == queues_.size()) {
    return std::size_t{0};
  }
  RecordQueue& queue = *queues_[next];
  RecordSpan records = queue.head(count_max, until);
  records.topic = sources_[next]->topic;
  const std::size_t count = records.size();
  const Status delivered = deliver(*sources_[next], records);
  if (!delivered) {
    return delivered.error().with("task " + to_string(id_) + ", offset " +
                                  to_string(records.offsets.front()));
  }
  queue.pop(count);
  return count;
}

Status Task::deliver(const Node& node, const RecordSpan& records) {
  for (const Node* child : node.processors) {
    PENSTOCK_TRY(child->processor->process(records));
  }
  for (Output* output : node.outputs) {
    output->append(records);
  }
  return {};
}

void Task::drain() {
  draining_ = true;
  commit_requested_ = commit_requested_ || std::ranges::any_of(nodes_, [](const auto& node) {
                        return !node->processor->is_idle();
                      });
}

Result<bool> Task::is_idle() {
  PENSTOCK_TRY_ASSIGN(const std::optional<Timestamp> head, head_timestamp());
  return state_ == TaskState::kRunning && !head.has_value() && !needs_commit() &&
         std::ranges::all_of(nodes_, [](const auto& node) { return node->processor->is_idle(); });
}

void Task::punctuate() {
  using TimeKind = topology::ProcessorContext::TimeKind;
  const os::TimePoint now = environment_.clock.now();
  Timestamp stream_time = store::kNoStreamTime;
  for (const auto& queue : queues_) {
    stream_time = std::max(stream_time, queue->stream_time());
  }
  for (const auto& punctuation : punctuations_) {
    if (punctuation->kind == TimeKind::kWallClock && punctuation->next_time <= now) {
      // Punctuations that were missed are left out, and the rhythm is kept.
      const auto missed = (now - punctuation->next_time) / punctuation->interval;
      punctuation->next_time += (missed + 1) * punctuation->interval;
      punctuation->run(Timestamp(environment_.clock.wall_now().time_since_epoch().count()));
    }
    if (punctuation->kind == TimeKind::kStreamTime && stream_time != store::kNoStreamTime &&
        punctuation->next_stream_time <= stream_time) {
      punctuation->next_stream_time = stream_time + punctuation->interval.count();
      punctuation->run(stream_time);
    }
  }
}

std::optional<os::TimePoint> Task::next_punctuation() const {
  std::optional<os::TimePoint> next;
  for (const auto& punctuation : punctuations_) {
    if (punctuation->kind == topology::ProcessorContext::TimeKind::kWallClock &&
        (!next.has_value() || punctuation->next_time < *next)) {
      next = punctuation->next_time;
    }
  }
  return next;
}

bool Task::has_uncommitted_stores() const {
  return std::ranges::any_of(stores_, [](const auto& store) { return store->has_uncommitted(); });
}

bool Task::needs_commit() const {
  if (state_ != TaskState::kRunning && state_ != TaskState::kSuspended) {
    return false;
  }
  return commit_requested_ || has_uncommitted_stores() ||
         std::ranges::any_of(outputs_,
                             [](const auto& output) { return output->output.size_bytes() != 0; }) ||
         std::ranges::any_of(queues_, [](const auto& queue) { return queue->has_uncommitted(); }) ||
         std::ranges::any_of(stores_, [](const auto& store) { return store->wants_flush(); });
}

std::size_t Task::pending_bytes() const {
  std::size_t size = 0;
  for (const auto& output : outputs_) {
    size += output->output.size_bytes();
  }
  for (const auto& store : stores_) {
    size += store->pending_bytes();
  }
  for (const auto& node : nodes_) {
    size += node->processor->pending_bytes();
  }
  return size;
}

Status Task::prepare_commit(std::size_t& room) {
  commit_requested_ = false;
  commit_room_ = room;
  for (const auto& node : nodes_) {
    const Status prepared = node->processor->before_commit();
    if (!prepared) {
      return prepared.error().with("task " + to_string(id_));
    }
  }
  for (std::size_t index = 0; index < stores_.size(); ++index) {
    PENSTOCK_TRY(stores_[index]->status());
    stores_[index]->flush(*changelog_outputs_[index]);
  }
  room = commit_room_;
  return {};
}

std::vector<log::PartitionBatch> Task::take_batches() {
  std::vector<log::PartitionBatch> batches;
  const auto take = [&batches](Output& output, TopicId topic) {
    for (topology::OutputBatch& taken : output.take()) {
      batches.push_back({{topic, taken.partition}, std::move(taken.batch)});
    }
  };
  for (const auto& output : outputs_) {
    take(output->output, output->topic);
  }
  for (std::size_t index = 0; index < stores_.size(); ++index) {
    take(changelog_outputs_[index]->output, changelogs_[index].partition.topic);
  }
  return batches;
}

std::vector<log::OffsetCommit> Task::offsets() const {
  std::vector<log::OffsetCommit> offsets;
  for (const auto& queue : queues_) {
    OffsetNote note;
    note.stream_time = queue->stream_time();
    if (offsets.empty()) {
      for (std::size_t index = 0; index < stores_.size(); ++index) {
        note.stores[stores_[index]->name()] = stores_[index]->metadata(changelog_ends_[index]);
      }
    }
    offsets.push_back({queue->from(), queue->position(), format_offset_note(note)});
  }
  return offsets;
}

void Task::committed(const std::function<std::optional<Offset>(TopicPartition)>& changelog_end) {
  for (std::size_t index = 0; index < stores_.size(); ++index) {
    stores_[index]->commit(environment_.clock.now(), changelog_ends_[index]);
    const auto end = changelog_end(changelogs_[index].partition);
    changelog_ends_[index] = std::max(changelog_ends_[index], end.value_or(Offset(0)));
  }
  for (const auto& node : nodes_) {
    node->processor->committed();
  }
  for (const auto& queue : queues_) {
    queue->commit();
  }
  counts_ = {};
}

void Task::aborted() {
  for (const auto& store : stores_) {
    store->abort();
  }
  for (const auto& node : nodes_) {
    node->processor->aborted();
  }
  for (const auto& queue : queues_) {
    queue->rewind();
  }
  for (const auto& output : outputs_) {
    output->output.clear();
  }
  for (const auto& changelog : changelog_outputs_) {
    changelog->output.clear();
  }
  counts_ = {};
}

}  // namespace penstock::engine
