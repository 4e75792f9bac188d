#include "engine/stream_thread.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/check.h"
#include "engine/topics.h"

namespace penstock::engine {

namespace {

constexpr std::chrono::milliseconds kBackOffMin{10};
constexpr std::chrono::milliseconds kBackOffMax{2000};
constexpr std::chrono::milliseconds kPublishInterval{100};
constexpr std::chrono::milliseconds kPublishIntervalMax{1000};
constexpr std::chrono::milliseconds kFullStatePause{20};
// Stores are brought down to this part of their limit, so that there is room until the next commit.
constexpr double kStateFilledMax = 0.9;

std::string full_name(const StreamThread::Options& options) {
  return options.application_id + (options.instance.empty() ? "" : "-" + options.instance) + "-" +
         std::to_string(options.index);
}

}  // namespace

std::string_view to_string(ThreadState state) {
  static constexpr std::array<std::string_view, 5> kNames = {"running", "committing", "rejoining",
                                                             "failed", "closed"};
  return kNames[static_cast<std::size_t>(state)];
}

struct StreamThread::Waker final : RefCounted {
  Guarded<log::Consumer*> consumer{nullptr};

  void wake() {
    consumer.with([](log::Consumer* sleeper) {
      if (sleeper != nullptr) {
        sleeper->wake();
      }
    });
  }
};

StreamThread::StreamThread(log::Log& log, const os::Clock& clock, telemetry::Registry& registry,
                           telemetry::Logger& logger, const topology::Topology& topology,
                           StateBudget& budget, Options options)
    : log_(log),
      clock_(clock),
      logger_(logger),
      topology_(topology),
      budget_(budget),
      options_(std::move(options)),
      environment_{.clock = clock,
                   .hash_seed = options_.hash_seed,
                   .commit_bytes_max = options_.commit_bytes_max,
                   .compression = options_.compression,
                   .record_cache = &budget.record_cache()},
      metrics_(registry, options_.application_id),
      pacer_(options_.commit_interval, options_.latency_target),
      purge_(log, options_.repartition_purge_interval),
      waker_(make_ref<Waker>()),
      queries_(options_.query_count_max) {
  environment_.rocks = options_.rocks;
  environment_.state_folder = options_.application_id;
}

Result<std::unique_ptr<StreamThread>> StreamThread::open(log::Log& log, const os::Clock& clock,
                                                         telemetry::Registry& registry,
                                                         telemetry::Logger& logger,
                                                         const topology::Topology& topology,
                                                         StateBudget& budget, Options options) {
  std::unique_ptr<StreamThread> thread(
      new StreamThread(log, clock, registry, logger, topology, budget, std::move(options)));
  const auto fail = [&](const Error& error) {
    return error.with("job \"" + thread->options_.application_id + "\"");
  };
  auto topics = prepare_topics(log, topology);
  if (!topics) {
    return fail(topics.error());
  }
  thread->environment_.topics = *std::move(topics);
  thread->environment_.wake = [waker = thread->waker_] { waker->wake(); };
  thread->purge_.watch(topology, thread->environment_);
  for (const std::string& topic : thread->topology_.source_topics()) {
    thread->metrics_.add_source(thread->environment_.topics.find(topic)->second.id, topic);
  }
  if (!topology.global_tables().empty()) {
    auto tables = GlobalTables::open(log, clock, topology, thread->environment_.topics,
                                     full_name(thread->options_));
    if (!tables) {
      return fail(tables.error());
    }
    thread->global_tables_ = *std::move(tables);
    thread->environment_.global_stores = &thread->global_tables_->stores();
  }
  const Status joined = thread->join();
  if (!joined) {
    return fail(joined.error());
  }
  return thread;
}

StreamThread::~StreamThread() {
  budget_.update(state_bytes_, 0);
  waker_->consumer.with([](log::Consumer*& consumer) { consumer = nullptr; });
}

Status StreamThread::join() {
  // The producer first: it fences whoever held this place before, so that nothing of theirs can
  // be committed after the offsets and changelogs are read.
  PENSTOCK_TRY_ASSIGN(producer_, log_.open_transactional_producer(full_name(options_)));
  log::ConsumerOptions consumer;
  consumer.name = full_name(options_);
  consumer.group_id = options_.application_id;
  consumer.instance_id = full_name(options_);
  for (const std::string& topic : topology_.source_topics()) {
    consumer.topics.push_back(environment_.topics.find(topic)->second.id);
  }
  PENSTOCK_TRY_ASSIGN(consumer_, log_.open_consumer(std::move(consumer)));
  waker_->consumer.with([this](log::Consumer*& sleeper) { sleeper = consumer_.get(); });
  return {};
}

void StreamThread::transition(ThreadState to) {
  // Rows: from; columns: to. In the order of ThreadState.
  static constexpr bool kLegal[5][5] = {
      {false, true, true, true, true},      // running
      {true, false, true, true, true},      // committing
      {true, false, false, true, true},     // rejoining
      {false, false, false, false, true},   // failed
      {false, false, false, false, false},  // closed
  };
  PENSTOCK_CHECK(kLegal[static_cast<std::size_t>(state_)][static_cast<std::size_t>(to)]);
  state_ = to;
}

Result<bool> StreamThread::run_once() {
  Result<bool> worked = step();
  if (draining_.raised() && worked) {
    if (const Status updated = update_idle(); !updated) {
      worked = updated.error();
    }
  }
  if (!worked) {
    transition(ThreadState::kFailed);
    refuse_queries(worked.error());
    return worked.error().with("job \"" + options_.application_id + "\"");
  }
  // Also if nothing gets on here: the log grows, and the lag is to be seen.
  const auto published = clock_.now() - published_at_;
  if ((unpublished_ && (!*worked || published >= kPublishInterval)) ||
      published >= kPublishIntervalMax) {
    publish();
  }
  return worked;
}

Result<bool> StreamThread::step() {
  switch (state_) {
    case ThreadState::kCommitting:
      return or_rejoin(finish_commit());
    case ThreadState::kRunning:
      return or_rejoin(step_running());
    case ThreadState::kRejoining:
      if (clock_.now() < retry_at_) {
        return false;
      }
      if (const Status joined = join(); !joined) {
        if (joined.error().code() == ErrorCode::kFatal) {
          return joined.error();
        }
        rejoin(joined.error());
        return false;
      }
      transition(ThreadState::kRunning);
      return true;
    case ThreadState::kFailed:
    case ThreadState::kClosed:
      return false;
  }
  check_failed("unknown ThreadState", __FILE__, __LINE__);
}

// A log on the other side of a network may be away for a while, at any question. Where that does
// not concern a transaction it costs the least to begin anew, once it is back.
Result<bool> StreamThread::or_rejoin(Result<bool> worked) {
  if (worked ||
      (worked.error().code() != ErrorCode::kRetry && worked.error().code() != ErrorCode::kFenced)) {
    return worked;
  }
  rejoin(worked.error());
  return true;
}

Result<bool> StreamThread::step_running() {
  const bool answered = answer_queries();
  if (clock_.now() < retry_at_) {
    return answered;
  }
  if (tasks_are_due_) {
    PENSTOCK_TRY(open_due_tasks());
  }
  PENSTOCK_TRY_ASSIGN(const bool polled, poll());
  if (state_ != ThreadState::kRunning) {
    return true;
  }
  PENSTOCK_TRY_ASSIGN(const bool read, read_global_tables());
  PENSTOCK_TRY_ASSIGN(const bool restored, restore());
  PENSTOCK_TRY_ASSIGN(const bool processed, process());
  PENSTOCK_TRY_ASSIGN(const bool advanced, advance());
  if (state_ != ThreadState::kRunning) {
    return true;
  }
  for (const auto& [id, task] : tasks_) {
    if (task->state() == TaskState::kRunning) {
      task->punctuate();
      if (draining_.raised()) {
        task->drain();
      }
    }
  }
  PENSTOCK_TRY_ASSIGN(const bool committed, commit_if_due());
  return answered || polled || read || restored || processed || advanced || committed;
}

bool StreamThread::has_global_tables() const {
  return global_tables_ == nullptr || global_tables_->is_restored();
}

Result<bool> StreamThread::read_global_tables() {
  if (global_tables_ == nullptr) {
    return false;
  }
  PENSTOCK_TRY_ASSIGN(const bool read, global_tables_->run_once(options_.fetch_bytes));
  if (read) {
    unpublished_ = true;
    metrics_.dropped(global_tables_->stores().take_counts().dropped);
  }
  return read;
}

Result<bool> StreamThread::poll() {
  pause_or_resume_queues();
  Result<log::Consumer::Polled> polled = consumer_->poll(options_.fetch_bytes);
  if (!polled) {
    PENSTOCK_TRY(recover_poll(polled.error()));
    return true;
  }
  polled_nothing_ = polled->batches.empty();
  for (log::FetchedBatch& batch : polled->batches) {
    const auto task = task_of_.find(batch.from);
    if (task != task_of_.end()) {
      task->second->push(std::move(batch));
    }
  }
  if (polled->rebalance.has_value()) {
    PENSTOCK_TRY(handle(*polled->rebalance));
    return true;
  }
  return !polled_nothing_;
}

void StreamThread::pause_or_resume_queues() {
  if (parked_) {
    return;  // the consumer has nothing
  }
  for (const auto& [partition, task] : task_of_) {
    for (const auto& queue : task->queues()) {
      if (queue->from() != partition) {
        continue;
      }
      // Nothing more than what will be processed soon: what is queued pins memory of the log.
      const bool waits = state_is_full_ || task->state() != TaskState::kRunning;
      const bool is_paused = paused_.contains(partition);
      if (!is_paused && (waits || queue->size_bytes() >= options_.queue_bytes_max)) {
        consumer_->pause(partition);
        paused_.insert(partition);
      } else if (is_paused && !waits && queue->size_bytes() <= options_.queue_bytes_max / 2) {
        consumer_->resume(partition);
        paused_.erase(partition);
      }
    }
  }
}

Result<bool> StreamThread::restore() {
  if (parked_) {
    return false;
  }
  bool worked = false;
  for (auto at = restorers_.begin(); at != restorers_.end();) {
    PENSTOCK_TRY_ASSIGN(const bool done, at->second->run_once(options_.fetch_bytes));
    worked = true;
    unpublished_ = true;
    metrics_.restored(at->second->take_restored_count());
    at = done ? restorers_.erase(at) : std::next(at);
  }
  if (worked && restorers_.empty() && !has_uncommitted()) {
    make_room();
  } else if (worked) {
    count_state();  // nothing can leave before all is there; or a commit comes and makes room
  }
  return worked;
}

// Lets processors go on with what they have begun.
Result<bool> StreamThread::advance() {
  bool worked = false;
  for (const auto& [id, task] : tasks_) {
    if (parked_ ||
        (task->state() != TaskState::kRunning && task->state() != TaskState::kSuspended)) {
      continue;
    }
    const Result<bool> advanced = task->advance();
    if (!advanced) {
      PENSTOCK_TRY(abort_if_asked(advanced.error()));
      return true;
    }
    worked = worked || *advanced;
  }
  return worked;
}

Result<bool> StreamThread::process() {
  if (state_is_full_) {
    make_room();  // other threads may need less now
  }
  if (state_is_full_ || !revoking_.empty() || commit_waits_ || !has_global_tables()) {
    return false;
  }
  std::size_t record_count = 0;
  std::size_t pending = pending_bytes();
  while (record_count < options_.records_per_turn && pending < options_.commit_bytes_max &&
         uncommitted_count_ < commit_records_max_) {
    PENSTOCK_TRY_ASSIGN(Task* const task, choose_task());
    if (task == nullptr) {
      break;
    }
    const std::size_t count_max =
        std::min(RecordQueue::kRunMax, commit_records_max_ - uncommitted_count_);
    const Result<std::size_t> count = task->process(count_max);
    if (!count) {
      PENSTOCK_TRY(abort_if_asked(count.error()));
      return true;
    }
    record_count += *count;
    uncommitted_count_ += *count;
    pending = pending_bytes();
  }
  return record_count > 0;
}

// By turns the task whose next record is oldest, which keeps partitions abreast of each other when
// there is much to catch up with, and simply the next one, so that none is starved.
Result<Task*> StreamThread::choose_task() {
  ++turn_;
  const std::size_t first = tasks_.empty() ? 0 : turn_ / 2 % tasks_.size();
  Task* chosen = nullptr;
  std::optional<Timestamp> oldest;
  std::size_t index = 0;
  for (const auto& [id, task] : tasks_) {
    const std::size_t at = index++;
    if (task->state() != TaskState::kRunning) {
      continue;
    }
    PENSTOCK_TRY_ASSIGN(const std::optional<Timestamp> head, task->head_timestamp());
    if (!head.has_value() || !may_process(*task)) {
      continue;
    }
    if (turn_ % 2 == 0 && at == first) {
      return task.get();
    }
    if (!oldest.has_value() || *head < *oldest) {
      oldest = head;
      chosen = task.get();
    }
  }
  return chosen;
}

bool StreamThread::may_process(Task& task) {
  const auto known_end = [this](TopicPartition partition) {
    return consumer_->known_end(partition);
  };
  // Who stops waits for nothing that may come.
  const auto idle_max =
      draining_.raised() ? std::min(options_.task_idle_max, {}) : options_.task_idle_max;
  return task.may_process(clock_.now(), idle_max, known_end);
}

Status StreamThread::handle(const log::Consumer::Rebalance& rebalance) {
  using Kind = log::Consumer::Rebalance::Kind;
  unpublished_ = true;
  switch (rebalance.kind) {
    case Kind::kAssigned:
      return assign(rebalance);
    case Kind::kRevoked:
      return revoke(rebalance);
    case Kind::kLost:
      assigned_ = false;
      logger_.warn("engine", "lost partitions to another member of the group",
                   {{"job", options_.application_id}, {"count", rebalance.partitions.size()}});
      drop_partitions(rebalance.partitions);
      return {};
  }
  check_failed("unknown Rebalance::Kind", __FILE__, __LINE__);
}

Status StreamThread::assign(const log::Consumer::Rebalance& rebalance) {
  if (parked_) {
    PENSTOCK_TRY(unpark(rebalance.came_back));
  }
  owned_.insert(owned_.end(), rebalance.partitions.begin(), rebalance.partitions.end());
  assigned_ = true;
  tasks_are_due_ = true;
  return open_due_tasks();
}

// Tasks all of whose partitions came back go on, and read again what they had fetched; the others
// are dropped.
Status StreamThread::unpark(const std::vector<TopicPartition>& came_back) {
  const auto is_gone = [&](const auto& queue) {
    return std::ranges::find(came_back, queue->from()) == came_back.end();
  };
  std::vector<TopicPartition> gone;
  for (const auto& [id, task] : tasks_) {
    const bool stays = std::ranges::none_of(task->queues(), is_gone);
    if (stays && task->state() == TaskState::kSuspended) {
      task->resume();
    }
    for (const auto& queue : task->queues()) {
      if (!stays) {
        gone.push_back(queue->from());
        continue;
      }
      queue->rewind();
      PENSTOCK_TRY(consumer_->seek(queue->from(), queue->committed()));
    }
  }
  drop_partitions(gone);
  owned_.clear();
  paused_.clear();
  parked_ = false;
  return {};
}

// Where the log is busy, or not to be reached for a moment, it is asked again.
Status StreamThread::open_due_tasks() {
  if (const Status opened = open_tasks(); !opened) {
    return recover_poll(opened.error());
  }
  tasks_are_due_ = false;
  return {};
}

Status StreamThread::open_tasks() {
  const std::vector<DueTask> due = due_tasks();
  if (due.empty()) {
    return {};
  }
  PENSTOCK_TRY_ASSIGN(const LogPositions positions, positions_of(due));
  for (const DueTask& task : due) {
    PENSTOCK_TRY(open_task(task, positions));
  }
  return {};
}

std::vector<StreamThread::DueTask> StreamThread::due_tasks() const {
  std::vector<DueTask> due;
  for (std::size_t index = 0; index < topology_.sub_topologies().size(); ++index) {
    const topology::SubTopology& sub = topology_.sub_topologies()[index];
    const TopicHandle first = environment_.topics.find(sub.sources[0].topics[0])->second;
    for (std::int32_t number = 0; number < first.partition_count; ++number) {
      DueTask task{{static_cast<std::int32_t>(index), PartitionId(number)}, {}};
      for (const topology::SourceNode& source : sub.sources) {
        for (const std::string& topic : source.topics) {
          task.sources.push_back({environment_.topics.find(topic)->second.id, task.id.partition});
        }
      }
      const bool all_owned = std::ranges::all_of(task.sources, [&](TopicPartition partition) {
        return std::ranges::find(owned_, partition) != owned_.end();
      });
      if (all_owned && !tasks_.contains(task.id)) {
        due.push_back(std::move(task));
      }
    }
  }
  return due;
}

// The committed offsets first: what was committed before is then within the bounds.
Result<StreamThread::LogPositions> StreamThread::positions_of(
    const std::vector<DueTask>& due) const {
  LogPositions positions;
  PENSTOCK_TRY_ASSIGN(positions.committed, log_.committed(options_.application_id));
  std::vector<TopicPartition> partitions;
  for (const DueTask& task : due) {
    std::ranges::copy(task.sources, std::back_inserter(partitions));
    const auto index = static_cast<std::size_t>(task.id.sub_topology);
    for (const topology::StoreNode& store : topology_.sub_topologies()[index].stores) {
      partitions.push_back(
          {environment_.topics.find(store.changelog_topic)->second.id, task.id.partition});
    }
  }
  PENSTOCK_TRY_ASSIGN(const std::vector<log::PartitionBounds> bounds, log_.bounds(partitions));
  for (const log::PartitionBounds& at : bounds) {
    positions.bounds[at.partition] = at;
  }
  return positions;
}

Result<SourcePosition> StreamThread::position_of(TopicPartition partition,
                                                 const LogPositions& positions) {
  const Offset start = positions.bounds.at(partition).start;
  const auto commit =
      std::ranges::find(positions.committed, partition, &log::OffsetCommit::partition);
  if (commit == positions.committed.end()) {
    return SourcePosition{partition, Offset(0), start, std::nullopt};
  }
  PENSTOCK_TRY_ASSIGN(OffsetNote note, parse_offset_note(commit->metadata));
  if (commit->next_offset < start) {
    const std::int64_t count = start - commit->next_offset;
    report_missing(partition, static_cast<std::uint64_t>(count));
    metrics_.skipped(static_cast<std::uint64_t>(count));
  }
  const Offset offset = std::max(commit->next_offset, start);
  return SourcePosition{partition, commit->next_offset, offset, std::move(note)};
}

void StreamThread::report_missing(TopicPartition partition, std::uint64_t count) {
  logger_.error("engine",
                "records were gone from the log before they were processed: deleted by retention, "
                "or damaged and their loss accepted",
                {{"job", options_.application_id},
                 {"partition", partition.partition.value()},
                 {"count", count}});
}

Status StreamThread::open_task(const DueTask& due, const LogPositions& positions) {
  std::vector<SourcePosition> sources;
  for (const TopicPartition partition : due.sources) {
    PENSTOCK_TRY_ASSIGN(SourcePosition position, position_of(partition, positions));
    PENSTOCK_TRY(consumer_->seek(partition, position.offset));
    sources.push_back(std::move(position));
  }
  const auto index = static_cast<std::size_t>(due.id.sub_topology);
  PENSTOCK_TRY_ASSIGN(
      std::unique_ptr<Task> task,
      Task::create(due.id, topology_.sub_topologies()[index], environment_, sources));
  PENSTOCK_TRY_ASSIGN(std::unique_ptr<Restorer> restorer,
                      Restorer::open(log_, *task, positions.bounds));
  restorers_[due.id] = std::move(restorer);
  for (const TopicPartition partition : due.sources) {
    task_of_[partition] = task.get();
  }
  tasks_[due.id] = std::move(task);
  return {};
}

Status StreamThread::revoke(const log::Consumer::Rebalance& rebalance) {
  revoking_ = rebalance.partitions;
  may_come_back_ = rebalance.may_come_back;
  for (const TopicPartition partition : revoking_) {
    const auto task = task_of_.find(partition);
    if (task != task_of_.end() && task->second->state() == TaskState::kRunning) {
      task->second->suspend();
    }
  }
  return has_uncommitted() ? Status() : finish_revocation();
}

Status StreamThread::finish_revocation() {
  if (may_come_back_) {
    revoking_.clear();
    stop_reading_stores();
    parked_ = true;
  } else {
    drop_partitions(std::exchange(revoking_, {}));
  }
  return consumer_->finish_revocation();
}

void StreamThread::stop_reading_stores() {
  for (auto& reader : reading_) {
    reader->fail(Error(ErrorCode::kBusy, "a partition of the store is being moved; try again"));
  }
  reading_.clear();
}

void StreamThread::drop_partitions(const std::vector<TopicPartition>& partitions) {
  stop_reading_stores();
  for (const TopicPartition partition : partitions) {
    std::erase(owned_, partition);
    paused_.erase(partition);
    metrics_.forget(partition);
    const auto found = task_of_.find(partition);
    if (found == task_of_.end()) {
      continue;
    }
    Task* const task = found->second;
    std::erase_if(task_of_, [&](const auto& entry) { return entry.second == task; });
    std::erase(committing_, task);
    task->close();
    restorers_.erase(task->id());
    tasks_.erase(task->id());
  }
  unpublished_ = true;
  if (!has_uncommitted()) {
    uncommitted_count_ = 0;
  }
}

// Drops everything, uncommitted work too, and joins the group anew.
void StreamThread::rejoin(const Error& why) {
  logger_.warn("engine", "joins its group again",
               {{"job", options_.application_id}, {"because", why.message()}});
  drop_partitions(std::vector(owned_));
  metrics_.settled(TransactionEnd::kTakenBack);
  revoking_.clear();
  parked_ = false;
  assigned_ = false;
  tasks_are_due_ = false;
  commit_.reset();
  waker_->consumer.with([](log::Consumer*& consumer) { consumer = nullptr; });
  producer_.reset();
  consumer_.reset();
  transaction_open_ = false;
  back_off();
  if (state_ != ThreadState::kRejoining) {
    transition(ThreadState::kRejoining);
  }
}

bool StreamThread::has_uncommitted() const {
  return std::ranges::any_of(tasks_,
                             [](const auto& entry) { return entry.second->needs_commit(); });
}

std::size_t StreamThread::pending_bytes() const {
  std::size_t size = 0;
  for (const auto& [id, task] : tasks_) {
    size += task->pending_bytes();
  }
  return size;
}

bool StreamThread::commit_is_due() const {
  if (parked_ || !has_uncommitted()) {
    return false;
  }
  const auto elapsed = clock_.now() - commit_begun_;
  if (elapsed >= pacer_.interval() || !revoking_.empty() || draining_.raised()) {
    return true;
  }
  if (polled_nothing_ && elapsed >= options_.commit_interval_idle) {
    return true;
  }
  return uncommitted_count_ >= commit_records_max_ || pending_bytes() >= options_.commit_bytes_max;
}

Result<bool> StreamThread::commit_if_due() {
  const bool is_due = commit_is_due();
  commit_waits_ = is_due && !std::ranges::all_of(tasks_, [](const auto& entry) {
                    return entry.second->may_commit();
                  });
  if (!is_due || commit_waits_) {
    return false;
  }
  PENSTOCK_TRY(begin_commit());
  return true;
}

Status StreamThread::begin_commit() {
  commit_begun_ = clock_.now();
  committing_.clear();
  for (const auto& [id, task] : tasks_) {
    if (task->needs_commit()) {
      committing_.push_back(task.get());
    }
  }
  // Each is first by turns, so that the room for what can wait comes to all.
  const auto first = static_cast<std::ptrdiff_t>(commit_count_++ % committing_.size());
  std::ranges::rotate(committing_, committing_.begin() + first);
  std::size_t room = options_.commit_bytes_max;
  for (Task* task : committing_) {
    if (const Status prepared = task->prepare_commit(room); !prepared) {
      return abort_if_asked(prepared.error());
    }
  }
  // What was kept back until now may have begun calls to other systems.
  commit_waits_ = !std::ranges::all_of(committing_, [](Task* task) { return task->may_commit(); });
  if (commit_waits_) {
    committing_.clear();
    return {};
  }
  for (Task* task : committing_) {
    metrics_.begun(*task);
  }
  const Status filled = fill_transaction();
  if (!filled) {
    return halve_commit(filled.error()) ? abort(filled.error()) : recover(filled.error());
  }
  auto [taker, giver] = make_completion<void>();
  commit_ = std::move(taker);
  transaction_open_ = false;
  transition(ThreadState::kCommitting);
  producer_->commit([source = std::move(giver), waker = waker_](Status status) mutable {
    source.set(std::move(status));
    waker->wake();
  });
  return {};
}

// What many records bring may be more than the log takes at once: some are large, or much was due.
// Then the same is tried again with half as many, and with one at least twice, since processors
// learn from it how large what they keep back is. False if that cannot help.
bool StreamThread::halve_commit(const Error& why) {
  if (why.code() != ErrorCode::kInvalid || smallest_failed_) {
    return false;
  }
  smallest_failed_ = uncommitted_count_ <= 1;
  commit_records_max_ = std::max<std::size_t>(1, uncommitted_count_ / 2);
  return true;
}

Status StreamThread::fill_transaction() {
  PENSTOCK_TRY(producer_->begin());
  transaction_open_ = true;
  if (options_.announcement.has_value() && !is_announced_) {
    const Announcement& about = *options_.announcement;
    const Timestamp now(clock_.wall_now().time_since_epoch().count());
    PENSTOCK_TRY(producer_->append({about.topic, PartitionId(0)}, about.batch(now)));
  }
  std::vector<log::OffsetCommit> offsets;
  for (Task* task : committing_) {
    for (log::PartitionBatch& batch : task->take_batches()) {
      PENSTOCK_TRY(producer_->append(batch.to, std::move(batch.batch)));
    }
    std::ranges::move(task->offsets(), std::back_inserter(offsets));
  }
  if (!options_.exactly_once) {
    broken_offsets_ = std::move(offsets);
    return {};
  }
  return producer_->commit_offsets(consumer_->group_metadata(), std::move(offsets));
}

Result<bool> StreamThread::finish_commit() {
  if (!commit_->ready()) {
    return false;
  }
  const Status committed = commit_->take();
  commit_.reset();
  if (!committed) {
    PENSTOCK_TRY(recover(committed.error()));
    return true;
  }
  transition(ThreadState::kRunning);
  PENSTOCK_TRY(on_committed());
  return true;
}

Status StreamThread::on_committed() {
  if (!options_.exactly_once) {
    PENSTOCK_TRY(consumer_->commit(std::exchange(broken_offsets_, {})));
  }
  is_announced_ = true;
  back_off_ = std::chrono::milliseconds(0);
  uncommitted_count_ = 0;
  smallest_failed_ = false;
  commit_records_max_ = std::min(2 * commit_records_max_, kCommitRecordsMax);
  const os::WallTime wall_now = clock_.wall_now();
  const auto took = clock_.now() - commit_begun_;
  pacer_.took(took);
  metrics_.commit_took(took);
  metrics_.settled(TransactionEnd::kCommitted);
  for (Task* task : committing_) {
    for (const auto& queue : task->queues()) {
      if (queue->missing_count() > 0) {
        report_missing(queue->from(), queue->missing_count());
      }
    }
    metrics_.committed(*task, wall_now);
    task->committed([this](TopicPartition changelog) { return producer_->known_end(changelog); });
  }
  committing_.clear();
  unpublished_ = true;
  make_room();
  if (const Status purged = purge_.run_once(clock_.now(), tasks_); !purged) {
    logger_.warn("engine",
                 "cannot delete repartition records that were read, and tries again later",
                 {{"job", options_.application_id}, {"because", purged.error().message()}});
  }
  return revoking_.empty() ? Status() : finish_revocation();
}

// A processor may ask for the same records again, after a pause. Those before them are committed
// first, by and by, as the next transactions have fewer records.
Status StreamThread::abort_if_asked(const Error& why) {
  if (why.code() != ErrorCode::kAbortTxn) {
    return why;
  }
  commit_records_max_ = std::max<std::size_t>(1, uncommitted_count_ / 2);
  return abort(why);
}

Status StreamThread::recover(const Error& why) {
  switch (why.code()) {
    case ErrorCode::kRetry:
    case ErrorCode::kBusy:
    case ErrorCode::kAbortTxn:
      return abort(why);
    case ErrorCode::kFenced:
      rejoin(why);
      return {};
    case ErrorCode::kInvalid:
    case ErrorCode::kNotFound:
    case ErrorCode::kCorrupt:
    case ErrorCode::kFatal:
      return why;
  }
  check_failed("unknown ErrorCode", __FILE__, __LINE__);
}

Status StreamThread::recover_poll(const Error& why) {
  switch (why.code()) {
    case ErrorCode::kRetry:
    case ErrorCode::kBusy:
      back_off();
      return {};
    case ErrorCode::kFenced:
      rejoin(why);
      return {};
    default:
      return why;
  }
}

void StreamThread::back_off() {
  back_off_ = std::clamp(back_off_ * 2, kBackOffMin, kBackOffMax);
  retry_at_ = clock_.now() + back_off_;
}

Status StreamThread::abort(const Error& why) {
  logger_.warn("engine", "takes back a transaction and processes it again",
               {{"job", options_.application_id}, {"because", why.message()}});
  metrics_.aborted();
  metrics_.settled(TransactionEnd::kTakenBack);
  if (state_ == ThreadState::kCommitting) {
    transition(ThreadState::kRunning);
  }
  const Status aborted = std::exchange(transaction_open_, false) ? producer_->abort() : Status();
  if (!aborted && aborted.error().code() == ErrorCode::kFatal) {
    return aborted.error();
  }
  if (!aborted && aborted.error().code() == ErrorCode::kFenced) {
    rejoin(aborted.error());
    return {};
  }
  for (const auto& [id, task] : tasks_) {
    if (task->state() != TaskState::kRunning && task->state() != TaskState::kSuspended) {
      continue;
    }
    task->aborted();
    for (const auto& queue : task->queues()) {
      PENSTOCK_TRY(consumer_->seek(queue->from(), queue->committed()));
    }
  }
  committing_.clear();
  uncommitted_count_ = 0;
  back_off();
  return revoking_.empty() ? Status() : finish_revocation();
}

void StreamThread::count_state() {
  std::uint64_t used = 0;
  for (const auto& [id, task] : tasks_) {
    for (const auto& store : task->stores()) {
      used += store->size_bytes();
    }
  }
  used += global_bytes();
  budget_.update(state_bytes_, used);
  state_bytes_ = used;
}

std::uint64_t StreamThread::global_bytes() const {
  std::uint64_t used = 0;
  if (global_tables_ != nullptr) {
    for (const auto& store : global_tables_->stores().all()) {
      used += store->size_bytes();
    }
  }
  return used;
}

// Drops the oldest closed windows until the stores fit; if that does not help, nothing is processed
// until it does.
void StreamThread::make_room() {
  std::uint64_t used = 0;
  while (true) {
    used = global_bytes();
    std::uint64_t leaving = 0;
    store::StateStore* oldest = nullptr;
    for (const auto& [id, task] : tasks_) {
      for (const auto& store : task->stores()) {
        used += store->size_bytes();
        leaving += store->leaving_bytes();
        const auto evictable = store->oldest_evictable();
        if (evictable.has_value() &&
            (oldest == nullptr || *evictable < *oldest->oldest_evictable())) {
          oldest = store.get();
        }
      }
    }
    if (oldest == nullptr || !budget_.is_over(state_bytes_, used - leaving, kStateFilledMax)) {
      break;
    }
    oldest->evict_oldest();
  }
  const bool is_full = budget_.is_over(state_bytes_, used, 1.0);
  if (is_full && !state_is_full_) {
    logger_.error("engine",
                  "state memory is full of windows that are open: the job pauses until other jobs "
                  "need less, or engine.state_memory_max is raised",
                  {{"job", options_.application_id},
                   {"used", format_bytes(used)},
                   {"limit", format_bytes(budget_.limit())}});
  }
  state_is_full_ = is_full;
  metrics_.state_is_full(is_full);
  budget_.update(state_bytes_, used);
  state_bytes_ = used;
}

bool StreamThread::answer_queries() {
  const auto is_dirty = [](const auto& entry) { return entry.second->has_uncommitted_stores(); };
  if (std::ranges::any_of(tasks_, is_dirty)) {
    return false;
  }
  std::vector<QueryShare> arrived;
  queries_.receive(arrived);
  for (QueryShare& share : arrived) {
    begin_query(std::move(share));
  }
  bool worked = !arrived.empty();
  if (!reading_.empty()) {
    worked = true;
    const std::size_t row_count = options_.scan_rows_per_turn / reading_.size() + 1;
    std::erase_if(reading_, [&](const auto& reader) { return reader->advance(row_count); });
  }
  return worked;
}

void StreamThread::begin_query(QueryShare share) {
  std::vector<const store::StateStore*> stores;
  bool all_there = assigned_ && !parked_ && !tasks_are_due_;
  if (global_tables_ != nullptr && global_tables_->is_restored()) {
    if (const auto* table = global_tables_->stores().find(share.gather().store())) {
      stores.push_back(table);
    }
  }
  for (const auto& [id, task] : tasks_) {
    for (const auto& store : task->stores()) {
      if (store->name() != share.gather().store()) {
        continue;
      }
      if (task->state() == TaskState::kRunning) {
        stores.push_back(store.get());
      } else {
        all_there = false;
      }
    }
  }
  reading_.push_back(std::make_unique<StoreReader>(std::move(share), stores, all_there));
}

void StreamThread::query(QueryShare share) {
  if (!queries_.try_send(std::move(share))) {
    // NOLINTNEXTLINE(bugprone-use-after-move): a refusing mailbox leaves the message untouched
    share.fail(queries_.closed() ? Error(ErrorCode::kFatal, "the engine has stopped")
                                 : Error(ErrorCode::kBusy, "too many queries wait; try again"));
  }
  wake();
}

void StreamThread::drain() {
  draining_.raise();
  wake();
}

void StreamThread::publish() {
  Descriptions descriptions;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  for (const auto& [id, task] : tasks_) {
    const topology::SubTopology& sub =
        topology_.sub_topologies()[static_cast<std::size_t>(id.sub_topology)];
    for (const auto& store : task->stores()) {
      const auto [at, is_new] = descriptions.try_emplace(store->name(), store->describe());
      at->second.entry_count += store->entry_count();
      at->second.size_bytes += store->size_bytes();
      ++at->second.partitions_owned;
      at->second.partitions_ready += task->state() == TaskState::kRunning ? 1 : 0;
      bytes += store->size_bytes();
      entries += store->entry_count();
    }
    publish_positions(sub, *task);
  }
  if (global_tables_ != nullptr && options_.index == 0) {
    describe_global_tables(descriptions);
  }
  std::uint64_t remaining = 0;
  for (const auto& [id, restorer] : restorers_) {
    remaining += restorer->remaining();
  }
  metrics_.state(bytes, entries, remaining);
  running_tasks_.set(static_cast<std::uint64_t>(std::ranges::count_if(
      tasks_, [](const auto& entry) { return entry.second->state() == TaskState::kRunning; })));
  published_.with([&](std::vector<store::StoreDescription>& published) {
    published.clear();
    for (auto& [name, description] : descriptions) {
      published.push_back(std::move(description));
    }
  });
  published_at_ = clock_.now();
  unpublished_ = false;
}

void StreamThread::publish_positions(const topology::SubTopology& sub, const Task& task) {
  std::size_t index = 0;
  for (const topology::SourceNode& source : sub.sources) {
    for (const std::string& topic : source.topics) {
      const RecordQueue& queue = *task.queues()[index++];
      const auto end = consumer_->known_end(queue.from());
      metrics_.position(topic, queue, end.value_or(queue.position()), clock_.wall_now());
    }
  }
}

void StreamThread::describe_global_tables(Descriptions& to) const {
  for (const auto& store : global_tables_->stores().all()) {
    store::StoreDescription& shown = to.try_emplace(store->name(), store->describe()).first->second;
    shown.entry_count = store->entry_count();
    shown.size_bytes = store->size_bytes();
    shown.partitions_owned = 1;
    shown.partitions_ready = global_tables_->is_restored() ? 1 : 0;
  }
}

std::vector<store::StoreDescription> StreamThread::stores() const {
  return published_.with([](const std::vector<store::StoreDescription>& all) { return all; });
}

Status StreamThread::update_idle() {
  bool idle = state_ == ThreadState::kRunning && restorers_.empty() && revoking_.empty() &&
              !tasks_are_due_ && has_global_tables();
  for (const auto& [id, task] : tasks_) {
    PENSTOCK_TRY_ASSIGN(const bool task_idle, task->is_idle());
    idle = idle && task_idle;
  }
  if (idle) {
    idle_.raise();
  } else {
    idle_.lower();
  }
  return {};
}

void StreamThread::wait(std::chrono::microseconds timeout_max) {
  if (state_ == ThreadState::kCommitting) {
    // Not for the consumer: that has more to read nearly always, and nothing is read now.
    (void)commit_->wait_for(timeout_max);
    return;
  }
  const auto timeout = std::min(timeout_max, time_to_next_step());
  if (consumer_ != nullptr && timeout.count() > 0) {
    consumer_->wait(timeout);
  }
}

void StreamThread::wake() {
  waker_->wake();
}

std::chrono::microseconds StreamThread::time_to_next_step() const {
  constexpr auto kLong = std::chrono::seconds(1);
  const os::TimePoint now = clock_.now();
  os::TimePoint next = now + kLong;
  if (retry_at_ > now) {
    next = std::min(next, retry_at_);
  }
  if (has_uncommitted() && !parked_ && !commit_waits_) {
    next = std::min(next, commit_begun_ + options_.commit_interval_idle);
  }
  if (state_is_full_) {
    next = std::min(next, now + kFullStatePause);
  }
  for (const auto& [id, task] : tasks_) {
    if (const auto punctuation = task->next_punctuation()) {
      next = std::min(next, *punctuation);
    }
    if (const auto advance = task->next_advance()) {
      next = std::min(next, *advance);
    }
    if (const auto idle_end = task->idle_until()) {
      next = std::min(next, *idle_end);
    }
  }
  return std::max(std::chrono::microseconds(0),
                  std::chrono::duration_cast<std::chrono::microseconds>(next - now));
}

void StreamThread::refuse_queries(const Error& why) {
  queries_.close();
  for (auto& reader : reading_) {
    reader->fail(why);
  }
  reading_.clear();
  std::vector<QueryShare> waiting;
  queries_.receive(waiting);
  for (QueryShare& share : waiting) {
    share.fail(why);
  }
}

void StreamThread::close() {
  refuse_queries(Error(ErrorCode::kFatal, "the engine has stopped"));
  waker_->consumer.with([](log::Consumer*& consumer) { consumer = nullptr; });
  task_of_.clear();
  restorers_.clear();
  tasks_.clear();
  producer_.reset();
  consumer_.reset();
  if (state_ != ThreadState::kClosed) {
    transition(ThreadState::kClosed);
  }
}

}  // namespace penstock::engine
