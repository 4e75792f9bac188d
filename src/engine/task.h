// Task runs one sub-topology for one partition: its processors, stores, outputs and input queues.
//
// The smallest unit of work that can be given to a thread. It knows no consumer, producer or
// clock of its own: the StreamThread feeds it batches, lets it process runs of records, and puts
// what it collected (outputs, changelog, offsets) into a transaction. So tests can drive one
// without a log (test_driver.h).
//
//            +-----------+     +--------+
//   Created -> Restoring  ---> Running  ---> Closed
//       |    +-----------+     +--------+      ^
//       |          |             |    ^        |
//       |          |             v    |        |
//       |          |           Suspended ------+
//       +----------+---------------------------+
//
//   Restoring  stores are being filled from their changelogs; nothing is processed
//   Suspended  about to be taken away: processed work may still be committed, no more is done
//
// Invariants
//   I1  Records of a partition are processed in offset order, each exactly once per committed
//       outcome: a run is in the committed state with its offset, or not at all.
//   I2  Among the partitions of a task, the record with the smallest timestamp is next.
//
// Threads   one.
// Lifetime  the sub-topology and the environment outlive the task.
// Errors    what processors answer; kCorrupt and kInvalid from reading batches and changelogs
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "engine/offset_note.h"
#include "engine/record_queue.h"
#include "log/types.h"
#include "os/clock.h"
#include "topology/topology.h"

namespace penstock::engine {

class GlobalStores;

enum class TaskState : std::uint8_t { kCreated, kRestoring, kRunning, kSuspended, kClosed };

[[nodiscard]] std::string_view to_string(TaskState state);

// A topic as a task needs to know it.
struct TopicHandle {
  TopicId id;
  std::int32_t partition_count = 0;
};

// What all tasks of a thread share.
struct TaskEnvironment {
  const os::Clock& clock;
  std::uint64_t hash_seed = 0;
  std::size_t commit_bytes_max = topology::kCommitBytesDefault;
  Compression compression = Compression::kNone;            // of outputs
  std::map<std::string, TopicHandle, std::less<>> topics;  // every topic of the topology
  std::function<void()> wake = [] {};                      // the thread; from any
  topology::RecordCacheBudget* record_cache = nullptr;
  const GlobalStores* global_stores = nullptr;  // none: the topology has no global tables
  store::RocksEnvironment* rocks = nullptr;     // none: no store is on a disk
  std::string state_folder = {};                // below that of `rocks`
  store::StoreType store_type = store::StoreType::kInMemory;  // where the topology says nothing
};

// Where a source partition stands when the task is made.
struct SourcePosition {
  TopicPartition partition;
  Offset committed;                // 0 if nothing was
  Offset offset;                   // later than that where the log begins later
  std::optional<OffsetNote> note;  // absent: nothing was ever committed
};

// A store's changelog partition.
struct ChangelogPartition {
  std::string store;
  TopicPartition partition;
};

class Task {
 public:
  using Id = topology::TaskId;

  [[nodiscard]] static Result<std::unique_ptr<Task>> create(
      Id id, const topology::SubTopology& sub_topology, const TaskEnvironment& environment,
      const std::vector<SourcePosition>& sources);
  ~Task();

  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  [[nodiscard]] Id id() const { return id_; }

  [[nodiscard]] TaskState state() const { return state_; }

  // Restoring.
  [[nodiscard]] const std::vector<ChangelogPartition>& changelogs() const { return changelogs_; }

  // Something was ever committed with the store, and noted: it expects that. One that is new in a
  // topology begins empty.
  [[nodiscard]] bool has_committed(const std::string& store) const {
    return committed_stores_.contains(store);
  }

  [[nodiscard]] Status begin_restore();
  // Where in that changelog, which the log has from `start` to `end`, restoring begins.
  [[nodiscard]] Result<Offset> restore_from(TopicPartition changelog, Offset start, Offset end);
  [[nodiscard]] Status restore(TopicPartition changelog, const log::FetchedBatch& batch);
  // `changelog_end` tells where a changelog partition ends now.
  [[nodiscard]] Status finish_restore(const std::function<Offset(TopicPartition)>& changelog_end);

  // Running.
  void push(log::FetchedBatch batch);
  // The smallest timestamp of the queues' next records; none if all are empty.
  [[nodiscard]] Result<std::optional<Timestamp>> head_timestamp();
  // Whether the next record may be processed, although other partitions have none at hand. Not
  // while the log is known to have more of one (`known_end`: where it ends, if that is known), nor
  // before all have been without for `idle_max`; negative: always. KIP-695.
  [[nodiscard]] bool may_process(
      os::TimePoint now, std::chrono::milliseconds idle_max,
      const std::function<std::optional<Offset>(TopicPartition)>& known_end);

  // Until when may_process() said no for the sake of what may come.
  [[nodiscard]] std::optional<os::TimePoint> idle_until() const { return idle_until_; }

  // Processes one run of at most `count_max` records, if there is one; returns how many.
  [[nodiscard]] Result<std::size_t> process(std::size_t count_max);
  // What was begun and ends later: see topology::Processor::advance().
  [[nodiscard]] Result<bool> advance();
  [[nodiscard]] bool may_commit() const;
  [[nodiscard]] std::optional<os::TimePoint> next_advance() const;
  // Asks the processors to keep nothing back any more.
  void drain();
  // Nothing is waiting to be processed, committed or put out.
  [[nodiscard]] Result<bool> is_idle();
  // Runs the punctuations that are due.
  void punctuate();
  // When the next punctuation by the clock is due.
  [[nodiscard]] std::optional<os::TimePoint> next_punctuation() const;

  // Committing: prepare, take what goes into the transaction, then committed() or aborted().
  [[nodiscard]] bool needs_commit() const;
  // `room`: bytes of what can wait that the transaction still takes; what is used goes off it.
  [[nodiscard]] Status prepare_commit(std::size_t& room);
  [[nodiscard]] std::vector<log::PartitionBatch> take_batches();
  [[nodiscard]] std::vector<log::OffsetCommit> offsets() const;
  // `changelog_end` tells where a changelog partition ends now, if it was written to.
  void committed(const std::function<std::optional<Offset>(TopicPartition)>& changelog_end);
  void aborted();

  // After the last commit; see Consumer::Rebalance.
  void suspend() { transition(TaskState::kSuspended); }

  void resume() { transition(TaskState::kRunning); }

  void close() { transition(TaskState::kClosed); }

  [[nodiscard]] const std::vector<std::unique_ptr<RecordQueue>>& queues() const { return queues_; }

  [[nodiscard]] const std::vector<std::unique_ptr<store::StateStore>>& stores() const {
    return stores_;
  }

  [[nodiscard]] bool has_uncommitted_stores() const;

  // About what the next commit will write.
  [[nodiscard]] std::size_t pending_bytes() const;

  // Of records processed since the last commit.
  [[nodiscard]] const topology::RecordCounts& counts() const { return counts_; }

 private:
  class Context;
  class Changelog;
  friend class Context;

  struct Node;
  struct NamedOutput;
  struct Punctuation;

  Task(Id id, const topology::SubTopology& sub_topology, const TaskEnvironment& environment);

  [[nodiscard]] Status build(const std::vector<SourcePosition>& sources);
  [[nodiscard]] Status open_queues(const std::vector<SourcePosition>& sources);
  void open_stores();
  [[nodiscard]] store::StateStore& store_of(TopicPartition changelog);
  void open_outputs();
  void open_nodes();
  [[nodiscard]] std::size_t room() const;
  void connect(Node& node, const std::vector<std::string>& children);
  [[nodiscard]] Status deliver(const Node& node, const topology::RecordSpan& records);
  void transition(TaskState to);

  const Id id_;
  const topology::SubTopology& sub_topology_;
  const TaskEnvironment& environment_;
  TaskState state_ = TaskState::kCreated;
  std::vector<std::unique_ptr<store::StateStore>> stores_;
  std::vector<std::unique_ptr<Changelog>> changelog_outputs_;  // of stores_[i]
  std::vector<ChangelogPartition> changelogs_;                 // of stores_[i]
  std::vector<Offset> changelog_ends_;                         // of stores_[i], last commit
  std::vector<std::unique_ptr<NamedOutput>> outputs_;
  std::vector<std::unique_ptr<Node>> nodes_;    // processors, each after its parents
  std::vector<std::unique_ptr<Node>> sources_;  // of queues_[i]
  std::vector<std::unique_ptr<RecordQueue>> queues_;
  std::vector<std::unique_ptr<Punctuation>> punctuations_;
  // What was noted beside the source partitions' offsets when the task was made. Notes stand at the
  // first one; that may have been another in an earlier version of the topology.
  std::map<std::string, std::string> committed_stores_;
  topology::RecordCounts counts_;
  std::size_t commit_room_ = 0;
  std::optional<os::TimePoint>
      idle_since_;  // some partitions have records, and some are at the end
  std::optional<os::TimePoint> idle_until_;
  bool commit_requested_ = false;
  bool draining_ = false;
};

}  // namespace penstock::engine
