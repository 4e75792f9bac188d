// Processor is one step of a topology; ProcessorContext is what it may ask of the task it runs in.
//
// Records come in runs of one partition (RecordSpan). A processor changes its stores, writes to
// its outputs and forwards records to the steps behind it; all of that becomes durable together
// with the offsets of the records, at the task's next commit, or is undone and the records come
// again. State that a processor keeps outside of its stores it must bring back itself: see the
// three hooks around a commit.
//
//   init -> restored -> (process | punctuation)* -> before_commit -> committed | aborted -> process
//   ...
//
// Threads   one: a task's processors are only called by the stream thread that owns the task.
// Errors    whatever process() or before_commit() answers stops the stream thread with that
//           message: what can be wrong with a record is to be handled inside (drop and count, or
//           write to a dead letter topic). kAbortTxn: take everything since the last commit back,
//           and let the same records come again after a pause.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/result.h"
#include "core/unique_function.h"
#include "core/units.h"
#include "store/state_store.h"
#include "topology/output.h"
#include "topology/record_cache_budget.h"
#include "topology/record_span.h"

namespace penstock::topology {

using TimePoint = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

inline constexpr std::size_t kCommitBytesDefault = 8 * kMiB;

// "0_3": sub-topology 0, partition 3.
struct TaskId {
  std::int32_t sub_topology = 0;
  PartitionId partition;

  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

[[nodiscard]] std::string to_string(const TaskId& id);

// Records that did not go the usual way; the engine makes metrics of them. Counted per commit:
// what was counted in an aborted transaction is taken back.
struct RecordCounts {
  std::uint64_t late = 0;            // their window was closed already
  std::uint64_t expired = 0;         // their window had been dropped to save memory
  std::uint64_t dropped = 0;         // no group key can be made of them
  std::uint64_t dead_lettered = 0;   // what an error handler wrote to the dead letter topic
  std::uint64_t ignored_values = 0;  // fields to be summed that are no numbers

  RecordCounts& operator+=(const RecordCounts& other);
};

class ProcessorContext {
 public:
  enum class TimeKind {
    kStreamTime,  // advances with the records' timestamps
    kWallClock,   // the clock on the wall
  };

  virtual ~ProcessorContext() = default;

  [[nodiscard]] virtual TaskId task() const = 0;
  // Hands records on to all steps behind this one, sinks included.
  [[nodiscard]] virtual Status forward(const RecordSpan& records) = 0;
  // An output or a store of that name, which the topology connects to this processor, or a global
  // table, which is not to be changed (checked). They live as long as the task.
  [[nodiscard]] virtual Output& output(std::string_view sink) = 0;
  [[nodiscard]] virtual store::StateStore& state_store(std::string_view name) = 0;

  // Calls `punctuate` about every `interval` of that kind of time, until the task is closed.
  virtual void schedule(TimeKind kind, std::chrono::milliseconds interval,
                        UniqueFunction<void(Timestamp)> punctuate) = 0;
  // Asks for a commit soon, also if nothing was processed.
  virtual void request_commit() = 0;

  // The thread is about to stop: what is kept back for later should be written now.
  [[nodiscard]] virtual bool draining() const = 0;

  // The largest timestamp the task has seen; store::kNoStreamTime before the first record.
  [[nodiscard]] virtual Timestamp stream_time() const = 0;
  [[nodiscard]] virtual TimePoint now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;

  [[nodiscard]] virtual RecordCounts& counts() = 0;
  // For a processor's own hash tables: secret, random per process.
  [[nodiscard]] virtual std::uint64_t hash_seed() const = 0;

  // Makes the task's thread look after its processors soon, from any thread and at any time later:
  // for answers that come from outside, see Processor::advance().
  [[nodiscard]] virtual std::function<void()> waker() {
    return [] {};
  }

  // In before_commit(): bytes that this commit still takes of what can as well be written with a
  // later one, such as updates. Who writes some takes it from here, and stops when nothing is left.
  [[nodiscard]] virtual std::size_t& commit_room() = 0;
  // The memory that caches of changes share.
  [[nodiscard]] virtual RecordCacheBudget& record_cache() = 0;

  // state_store(), as what it is.
  template <typename Store>
  [[nodiscard]] Store& store_of(std::string_view name) {
    auto* store = dynamic_cast<Store*>(&state_store(name));
    PENSTOCK_CHECK(store != nullptr);
    return *store;
  }
};

class Processor {
 public:
  virtual ~Processor() = default;

  // Once, before anything else. The context outlives the processor.
  [[nodiscard]] virtual Status init(ProcessorContext& context) = 0;

  // Once, before the first record: the stores hold what was committed.
  virtual void restored() {}

  [[nodiscard]] virtual Status process(const RecordSpan& records) = 0;

  // Everything processed is about to be committed: write what was kept back.
  [[nodiscard]] virtual Status before_commit() { return {}; }

  virtual void committed() {}

  virtual void aborted() {}

  // About what before_commit() would write now.
  [[nodiscard]] virtual std::size_t pending_bytes() const { return 0; }

  // False while something is kept back that a later commit will write.
  [[nodiscard]] virtual bool is_idle() const { return true; }

  // A processor may begin what ends later, such as a call to another system. It takes no more
  // records than `room()`, is asked to `advance()` from time to time, when the waker was called or
  // next_advance() has come, and nothing is committed before it says so. aborted() forgets it all.
  [[nodiscard]] virtual std::size_t room() const { return static_cast<std::size_t>(-1); }

  // True if there was something to do.
  [[nodiscard]] virtual Result<bool> advance() { return false; }

  [[nodiscard]] virtual bool may_commit() const { return true; }

  [[nodiscard]] virtual std::optional<TimePoint> next_advance() const { return std::nullopt; }
};

}  // namespace penstock::topology
