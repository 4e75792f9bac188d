// SpillShipper brings what the spill holds to the log, exactly once and in order per partition.
//
// A transaction ships batches and writes how far it got (spill_progress.h), so that a crash, a lost
// answer or a failed commit cannot ship anything twice: after each of them the producer is opened
// again, which settles the transaction before it, and the progress is read back.
//
//   left over from an earlier process: ship, remove, until none is left
//   while appends go to the log: watch them for the circuit breaker
//   while they go into the spill: wait until the breaker permits, ship; when there is nothing left
//   and the breaker is closed, hold appends for a moment, ship the rest, let them go to the log,
//   and begin a new generation
//
// Shipping transactions are the calls by which a half-open breaker finds out whether the log is
// well; if there is nothing to ship, empty ones are made.
//
// Invariants
//   I1  Nothing is shipped while direct appends are under way: they were made earlier.
//   I2  A generation is removed only after everything in it has been committed in the log.
// Threads   one; wake() from any.
// Lifetime  everything given to the constructor outlives it.
// Errors    of run_once(): the process must stop. What may pass is retried.
//           kCorrupt   the spill or the progress cannot be read, or somebody else ships under the
//                      same gateway id
//           kNotFound  a topic that spilled events are for has been deleted; make it again
//           kBusy, kFatal  the spill's disk is full, or fails
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/circuit_breaker.h"
#include "core/completion.h"
#include "core/counter.h"
#include "core/ref_counted.h"
#include "core/result.h"
#include "core/signal.h"
#include "core/units.h"
#include "gateway/append_route.h"
#include "gateway/spill_progress.h"
#include "gateway/spill_store.h"
#include "log/log.h"
#include "os/clock.h"
#include "telemetry/logger.h"

namespace penstock::gateway {

class SpillShipper {
 public:
  struct Options {
    std::size_t transaction_bytes_max = 4 * kMiB;
    std::chrono::milliseconds retry_wait_min{100};
    std::chrono::milliseconds retry_wait_max{5000};
  };

  struct Counts {
    Counter batches;
    Counter bytes;
    Counter failures;
  };

  SpillShipper(log::Log& log, SpillStore& store, AppendRoute& route, const os::Clock& clock,
               telemetry::Logger& logger, const Options& options);
  ~SpillShipper();

  SpillShipper(const SpillShipper&) = delete;
  SpillShipper& operator=(const SpillShipper&) = delete;

  // False if there is nothing to do now: wait() for a moment.
  [[nodiscard]] Result<bool> run_once();

  void wait(std::chrono::microseconds timeout) { signal_->wait(timeout); }

  void wake() { signal_->raise(); }

  // Everything that an earlier process left is shipped, and there is a spill for appends.
  [[nodiscard]] bool is_ready() const { return ready_; }

  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  // One partition of the generation that is shipped.
  struct Lane {
    TopicPartition to;
    std::string key;  // of its progress
    Offset next;
  };

  struct Transaction {
    Completion<void> committed;
    std::optional<CircuitBreaker::Permission> permission;
    os::TimePoint begun;
    SpillProgress::Places places;
    std::uint64_t batches = 0;
    std::uint64_t bytes = 0;
  };

  // One step each before and after is_ready(); true if there was something to do.
  [[nodiscard]] Result<bool> ship_left_over();
  [[nodiscard]] Result<bool> watch();
  [[nodiscard]] Result<bool> ship_spill(AppendRoute::Mode mode);

  [[nodiscard]] Status connect();
  [[nodiscard]] Status check_progress(const SpillProgress::Places& read) const;
  [[nodiscard]] Status list_left_over();
  [[nodiscard]] Status load_lanes();
  [[nodiscard]] Result<bool> is_shipped();
  [[nodiscard]] Result<bool> ship(std::optional<CircuitBreaker::Permission> permission);
  [[nodiscard]] Status fill(const log::Consumer::Polled& polled, Transaction& transaction);
  void settle();
  void count_as_shipped(std::uint64_t bytes);
  [[nodiscard]] Status remove_generation();
  void begin_generation(std::unique_ptr<SpillGeneration> next);
  void forget_lanes();
  // false, unless no retry can help: then the error.
  [[nodiscard]] Result<bool> retry_later(const Error& error,
                                         std::optional<CircuitBreaker::Permission> permission,
                                         os::TimePoint begun);
  void fail(const Error& error, std::optional<CircuitBreaker::Permission> permission,
            os::TimePoint begun);

  log::Log& log_;
  SpillStore& store_;
  AppendRoute& route_;
  const os::Clock& clock_;
  telemetry::Logger& logger_;
  const Options options_;
  const Ref<Signal> signal_ = make_ref<Signal>();
  Counts counts_;
  SpillProgress progress_;

  std::unique_ptr<log::TransactionalProducer> producer_;
  std::optional<SpillProgress::Places> places_;  // as committed; absent until first read
  SpillProgress::Places unsure_;                 // of a commit whose fate is not known
  std::uint64_t unsure_bytes_ = 0;

  bool ready_ = false;
  std::optional<std::vector<std::uint64_t>> left_over_;  // of an earlier process, oldest first
  std::uint64_t number_ = 0;                             // of generation_
  std::unique_ptr<SpillGeneration> generation_;
  std::unique_ptr<SpillGeneration> next_;  // for when all of generation_ is shipped
  std::map<TopicPartition, Lane> lanes_;   // by partition of the spill
  std::size_t topic_count_ = 0;
  std::unique_ptr<log::Consumer> consumer_;
  std::optional<Transaction> transaction_;

  os::TimePoint retry_at_;
  std::chrono::milliseconds retry_wait_;
  std::string last_failure_;  // already reported; empty: the last attempt went well
};

}  // namespace penstock::gateway
