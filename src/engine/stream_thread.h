// StreamThread runs tasks of one topology: it fetches, processes and commits, step by step.
//
// One consumer (a member of the application's group), one transactional producer, and the tasks
// whose partitions the group gave it. Every commit interval everything that was processed becomes
// durable in one transaction: outputs, repartition records, changelogs and consumed offsets.
// While a commit is on its way nothing is processed (docs/adr/0014-one-transaction-per-thread.md).
// A task that is given to it first restores its stores from their changelogs. Where the group takes
// everything from everybody before it shares out anew, tasks are parked meanwhile: they do nothing,
// and those that come back go on with the state that they have.
//
//             +---------+   commit    +------------+
//   start ---> Running   -----------> Committing   --- kFatal ---> Failed
//             +---------+ <----------+------------+
//              |   ^        done, or aborted and rewound
//    fenced    v   |  joined again
//             Rejoining                         close() from any state ---> Closed
//
// Invariants
//   I1  A record's effects and its offset are committed in the same transaction.
//   I2  Queries see the stores only while nothing is uncommitted.
//   I3  While tasks are parked nothing of them is processed, restored, committed or shown.
//   I4  Nothing is processed before the global tables hold what was in their topics at the start.
//   I5  At most queue_bytes_max per partition (and one fetch more) are held undecoded.
//
// Threads   run_once(), wait() and close() from one thread; wake(), stores() and query() from any.
// Lifetime  everything given to open() outlives it. Destroying it without close() is what a crash
//           does: nothing is committed, and the group learns of it as it does of a crash.
// Errors    run_once() answers only what nothing here can help: kFatal (the log failed), kCorrupt
//           and kInvalid (what is in the log cannot be processed). The thread is then Failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/completion.h"
#include "core/counter.h"
#include "core/guarded.h"
#include "core/mailbox.h"
#include "core/units.h"
#include "engine/commit_pacer.h"
#include "engine/global_tables.h"
#include "engine/query_gather.h"
#include "engine/repartition_purge.h"
#include "engine/restorer.h"
#include "engine/state_budget.h"
#include "engine/stored_topology.h"
#include "engine/task.h"
#include "engine/thread_metrics.h"
#include "log/log.h"
#include "os/clock.h"
#include "store/query.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "topology/topology.h"

namespace penstock::engine {

enum class ThreadState : std::uint8_t { kRunning, kCommitting, kRejoining, kFailed, kClosed };

[[nodiscard]] std::string_view to_string(ThreadState state);

class StreamThread {
 public:
  struct Options {
    std::string application_id;  // consumer group, and beginning of the transactional id
    std::string instance;        // tells processes of one application apart; may be empty
    std::int32_t index = 0;      // among the threads of this process
    std::uint64_t hash_seed = 0;
    store::RocksEnvironment* rocks = nullptr;  // for stores on a disk

    std::chrono::milliseconds commit_interval{20};
    // How long a result may take from its record's processing until it is committed: then the
    // interval follows from it (commit_pacer.h). Absent: the interval is commit_interval.
    std::optional<std::chrono::milliseconds> latency_target = {};
    // When everything that is there has been processed, a commit comes this early.
    std::chrono::milliseconds commit_interval_idle{5};
    // A commit comes when outputs and changelogs reach this. The log should take some times as much
    // at once: the last run and updates that are due come on top. Where it still was too much, the
    // commit is tried again with fewer records.
    std::size_t commit_bytes_max = topology::kCommitBytesDefault;
    Compression compression = Compression::kNone;  // of outputs
    std::size_t fetch_bytes = 4 * kMiB;
    std::size_t queue_bytes_max = 16 * kMiB;  // per partition; above, it is paused
    std::size_t records_per_turn = 64 * 1024;
    std::size_t scan_rows_per_turn = 64 * 1024;
    std::size_t query_count_max = 64;  // waiting

    // Kafka Streams' max.task.idle.ms (KIP-353, KIP-695): how long a task with several partitions
    // waits for one that has nothing to process, so that it takes records in the order of their
    // timestamps. 0: only for what is known to be in the log; more: also that long for what may
    // come; negative: not at all.
    std::chrono::milliseconds task_idle_max{0};
    // How often repartition records that were read are deleted (repartition.purge.interval.ms).
    std::chrono::milliseconds repartition_purge_interval{30'000};

    // What the first commit writes about the topology.
    std::optional<Announcement> announcement = {};

    // Kafka Streams' processing.guarantee. False is at least once: offsets are committed after the
    // results, so that events are processed again after a crash between the two.
    bool exactly_once = true;
  };

  [[nodiscard]] static Result<std::unique_ptr<StreamThread>> open(
      log::Log& log, const os::Clock& clock, telemetry::Registry& registry,
      telemetry::Logger& logger, const topology::Topology& topology, StateBudget& budget,
      Options options);
  ~StreamThread();

  StreamThread(const StreamThread&) = delete;
  StreamThread& operator=(const StreamThread&) = delete;

  // One step. True if there was something to do; else wait() is due.
  [[nodiscard]] Result<bool> run_once();
  // Returns when run_once() has something to do, or after at most `timeout_max`.
  void wait(std::chrono::microseconds timeout_max);
  void wake();

  // From now on nothing is kept back for later. From any thread.
  void drain();

  // After drain(): nothing fetched is unprocessed or uncommitted, no output is kept back. From any
  // thread; Streams::is_drained() is what a graceful stop waits for.
  [[nodiscard]] bool is_idle() const { return idle_.raised(); }

  // Tasks that run here. From any thread.
  [[nodiscard]] std::uint64_t running_task_count() const { return running_tasks_.get(); }

  // Leaves the group; what is not committed will be processed by others, or later.
  void close();

  [[nodiscard]] ThreadState state() const { return state_; }

  // Stores of this thread's tasks, as of the last commit.
  [[nodiscard]] std::vector<store::StoreDescription> stores() const;
  // Answers it with kBusy if too many wait.
  void query(QueryShare share);

  [[nodiscard]] const std::map<Task::Id, std::unique_ptr<Task>>& tasks() const { return tasks_; }

 private:
  static constexpr std::size_t kCommitRecordsMax = std::size_t{1} << 40;  // as many as come

  // All of its source partitions are owned, and it is not open yet.
  struct DueTask {
    Task::Id id;
    std::vector<TopicPartition> sources;
  };

  // What the log says of the partitions of due tasks.
  struct LogPositions {
    std::vector<log::OffsetCommit> committed;
    BoundsByPartition bounds;
  };

  StreamThread(log::Log& log, const os::Clock& clock, telemetry::Registry& registry,
               telemetry::Logger& logger, const topology::Topology& topology, StateBudget& budget,
               Options options);

  [[nodiscard]] Status join();
  void transition(ThreadState to);
  [[nodiscard]] Result<bool> fail(Error error);

  // Wakes the thread from others, also while its consumer is being replaced.
  struct Waker;

  // Steps; each returns whether it did something.
  [[nodiscard]] Result<bool> step();
  [[nodiscard]] Result<bool> step_running();
  [[nodiscard]] Result<bool> or_rejoin(Result<bool> worked);
  [[nodiscard]] Result<bool> poll();
  [[nodiscard]] Result<bool> read_global_tables();
  [[nodiscard]] bool has_global_tables() const;
  [[nodiscard]] Result<bool> restore();
  [[nodiscard]] Result<bool> process();
  [[nodiscard]] Result<bool> advance();
  [[nodiscard]] Result<bool> commit_if_due();

  // Rebalances.
  [[nodiscard]] Status handle(const log::Consumer::Rebalance& rebalance);
  [[nodiscard]] Status assign(const log::Consumer::Rebalance& rebalance);
  [[nodiscard]] Status unpark(const std::vector<TopicPartition>& came_back);
  [[nodiscard]] Status open_due_tasks();
  [[nodiscard]] Status open_tasks();
  [[nodiscard]] std::vector<DueTask> due_tasks() const;
  [[nodiscard]] Result<LogPositions> positions_of(const std::vector<DueTask>& due) const;
  [[nodiscard]] Status open_task(const DueTask& due, const LogPositions& positions);
  void report_missing(TopicPartition partition, std::uint64_t count);
  [[nodiscard]] Result<SourcePosition> position_of(TopicPartition partition,
                                                   const LogPositions& positions);
  [[nodiscard]] Status revoke(const log::Consumer::Rebalance& rebalance);
  void drop_partitions(const std::vector<TopicPartition>& partitions);
  void stop_reading_stores();
  [[nodiscard]] Status finish_revocation();
  void rejoin(const Error& why);

  // Commits.
  [[nodiscard]] bool commit_is_due() const;
  [[nodiscard]] Status begin_commit();
  [[nodiscard]] Status fill_transaction();
  [[nodiscard]] bool halve_commit(const Error& why);
  [[nodiscard]] Result<bool> finish_commit();
  [[nodiscard]] Status on_committed();
  // Reacts to an error of the log: takes the transaction back, or joins again, or gives up.
  [[nodiscard]] Status recover(const Error& why);
  [[nodiscard]] Status recover_poll(const Error& why);
  void back_off();
  [[nodiscard]] Status abort(const Error& why);
  [[nodiscard]] Status abort_if_asked(const Error& why);
  void count_state();
  [[nodiscard]] std::uint64_t global_bytes() const;
  void make_room();
  [[nodiscard]] std::size_t pending_bytes() const;

  [[nodiscard]] Result<Task*> choose_task();
  [[nodiscard]] bool may_process(Task& task);
  void pause_or_resume_queues();
  [[nodiscard]] bool has_uncommitted() const;
  [[nodiscard]] bool answer_queries();
  void begin_query(QueryShare share);
  void refuse_queries(const Error& why);
  using Descriptions = std::map<std::string, store::StoreDescription>;

  void publish();
  void publish_positions(const topology::SubTopology& sub, const Task& task);
  void describe_global_tables(Descriptions& to) const;
  [[nodiscard]] Status update_idle();
  [[nodiscard]] std::chrono::microseconds time_to_next_step() const;

  log::Log& log_;
  const os::Clock& clock_;
  telemetry::Logger& logger_;
  const topology::Topology& topology_;
  StateBudget& budget_;
  const Options options_;
  TaskEnvironment environment_;
  ThreadMetrics metrics_;
  CommitPacer pacer_;
  RepartitionPurge purge_;

  ThreadState state_ = ThreadState::kRunning;
  std::unique_ptr<GlobalTables> global_tables_;  // if the topology has some
  std::unique_ptr<log::Consumer> consumer_;
  std::unique_ptr<log::TransactionalProducer> producer_;
  std::vector<TopicPartition> owned_;
  std::vector<TopicPartition> revoking_;  // to be given up after the next commit
  bool may_come_back_ = false;            // what is revoked
  bool parked_ = false;                   // between that and the next assignment
  bool assigned_ = false;                 // the group has told what is owned, if only nothing
  std::map<Task::Id, std::unique_ptr<Task>> tasks_;
  std::map<Task::Id, std::unique_ptr<Restorer>> restorers_;
  std::map<TopicPartition, Task*> task_of_;
  std::set<TopicPartition> paused_;

  std::optional<Completion<void>> commit_;  // in flight
  std::vector<Task*> committing_;
  std::vector<log::OffsetCommit> broken_offsets_;  // see Options::exactly_once
  os::TimePoint commit_begun_{};
  os::TimePoint retry_at_{};  // after an abort: not before
  std::chrono::milliseconds back_off_{0};
  std::size_t uncommitted_count_ = 0;                   // records processed since the last commit
  std::size_t commit_records_max_ = kCommitRecordsMax;  // less after a commit was too large
  std::uint64_t commit_count_ = 0;                      // begun
  bool smallest_failed_ = false;                        // one with a single record
  bool commit_waits_ = false;  // it is due, and calls to other systems are under way
  bool is_announced_ = false;  // Options::announcement is committed
  bool transaction_open_ = false;
  bool tasks_are_due_ = false;
  bool state_is_full_ = false;
  std::uint64_t state_bytes_ = 0;  // as the budget knows it
  bool polled_nothing_ = false;
  Flag draining_;
  Flag idle_;
  Counter running_tasks_;
  std::uint64_t turn_ = 0;

  Ref<Waker> waker_;
  Mailbox<QueryShare> queries_;
  std::vector<std::unique_ptr<StoreReader>> reading_;
  Guarded<std::vector<store::StoreDescription>> published_;
  os::TimePoint published_at_{};
  bool unpublished_ = true;
};

}  // namespace penstock::engine
