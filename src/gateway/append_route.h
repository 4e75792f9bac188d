// AppendRoute decides for each append whether it goes to the log or into the spill.
//
//                breaker does not permit              everything is shipped, breaker closed
//   kDirect ------------------------------> kSpill ------------------------------------> kHold
//      ^                                      ^                                            |
//      |                                      +------- shipping fails: held appends -------+
//      |                                               go into the spill                   |
//      +----------------------- the rest is shipped: held appends go to the log -----------+
//
// Appends report to the circuit breaker how they went. One that is not answered within
// `timeout_duration` (resilience4j's TimeLimiter) counts as failed from then on: a log that does
// not answer at all must open the breaker, too. Its answer is still waited for.
//
// Invariants
//   I1  The appends of one caller to one partition reach the log in the order they were made: from
//       the spill nothing is shipped while direct appends are under way (the shipper's duty, see
//       direct_count()), and while appends are held none goes ahead of them.
//   I2  At most spill_bytes_max wait in the spill, none for longer than spill_age_max before
//       further appends are refused, and at most held_bytes_max are held.
//   I3  `done` runs exactly once for an append that was taken, as log::Log::append() promises.
// Threads   append() and what observes from any thread; the rest from the shipper's. Completions of
//           both logs may run on any.
// Lifetime  counted: an answer may come after everybody else is gone. The logs outlive it while
//           appends are under way.
// Errors    kBusy  the spill is full, too old, or its disk is; nothing was taken
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/circuit_breaker.h"
#include "core/counter.h"
#include "core/guarded.h"
#include "core/ref_counted.h"
#include "core/result.h"
#include "core/units.h"
#include "log/log.h"
#include "os/clock.h"

namespace penstock::gateway {

class AppendRoute final : public RefCounted {
 public:
  enum class Mode { kDirect, kSpill, kHold };

  struct Options {
    CircuitBreaker::Options breaker;
    std::chrono::milliseconds timeout_duration{1000};
    std::uint64_t spill_bytes_max = 16 * kGiB;
    std::chrono::milliseconds spill_age_max = std::chrono::hours(24);
    std::uint64_t held_bytes_max = 64 * kMiB;
  };

  struct Counts {
    Counter direct_succeeded;
    Counter direct_failed;
    Counter timed_out;
    Counter spilled;
    Counter spilled_bytes;
    Counter refused;  // by the spill's limits
  };

  struct View {
    Mode mode = Mode::kDirect;
    CircuitBreaker::State breaker = CircuitBreaker::State::kClosed;
    std::optional<double> failure_rate;
    std::optional<double> slow_call_rate;
    std::uint64_t waiting_bytes = 0;  // in the spill, not shipped
    std::chrono::nanoseconds oldest_age{0};
  };

  AppendRoute(log::Log& log, const os::Clock& clock, const Options& options);

  [[nodiscard]] Status append(std::vector<log::PartitionBatch> batches, log::AppendDone done);

  // A topic that appends may come for. Known ones get their place in a new spill in advance.
  void add_topic(const log::TopicInfo& topic);

  [[nodiscard]] Mode mode() const {
    return state_.with([](const State& state) { return state.mode; });
  }

  [[nodiscard]] View view() const;

  [[nodiscard]] const Counts& counts() const { return counts_; }

  // --- for the shipper ---

  // Where appends go that must be spilled. Nothing may be under way to the one before.
  [[nodiscard]] Status use_spill(log::Log* spill);

  // Lets the breaker know of direct appends that take too long.
  void check_direct();

  [[nodiscard]] std::size_t direct_count() const;

  // Whether an append into the spill is under way; while kHold none begins.
  [[nodiscard]] bool is_spill_idle() const;

  [[nodiscard]] std::optional<CircuitBreaker::Permission> try_acquire();
  void finish(CircuitBreaker::Permission permission, CircuitBreaker::Outcome outcome,
              CircuitBreaker::Duration took);

  void shipped(std::uint64_t bytes);

  // kSpill -> kHold.
  void hold();
  // kHold -> kDirect, and what was held to the log; or -> kSpill, and into the spill.
  void resume(Mode to);

 private:
  struct Held {
    std::vector<log::PartitionBatch> batches;
    log::AppendDone done;
    std::uint64_t bytes;
  };

  // For an answer that may have to be given without the log.
  struct SharedDone final : RefCounted {
    explicit SharedDone(log::AppendDone answer) : done(std::move(answer)) {}

    log::AppendDone done;
  };

  struct DirectCall {
    CircuitBreaker::Permission permission;
    os::TimePoint begun;
    bool timed_out = false;
  };

  // Appends of the same second.
  struct SpilledSecond {
    os::TimePoint from;
    std::uint64_t bytes = 0;
  };

  struct State {
    explicit State(const CircuitBreaker::Options& options) : breaker(options) {}

    Mode mode = Mode::kDirect;
    CircuitBreaker breaker;
    std::map<std::uint64_t, DirectCall> direct;  // under way
    std::uint64_t next_call = 1;
    std::unordered_map<TopicId, log::TopicInfo> topics;

    log::Log* spill = nullptr;
    std::unordered_map<TopicId, TopicId> spill_topics;  // by the log's id
    std::size_t spill_calls = 0;                        // inside spill->append()
    std::size_t spill_unanswered = 0;
    std::uint64_t waiting_bytes = 0;
    std::deque<SpilledSecond> waiting;

    std::deque<Held> held;
    std::uint64_t held_bytes = 0;
  };

  // Where one append goes, noted as under way.
  struct Way {
    Mode mode;
    std::uint64_t call;  // of kDirect
    log::Log* spill;     // of kSpill
  };

  [[nodiscard]] Result<Way> choose(State& state, std::uint64_t bytes);
  [[nodiscard]] Status go(const Way& way, std::uint64_t bytes,
                          std::vector<log::PartitionBatch> batches, log::AppendDone done);
  [[nodiscard]] static std::uint64_t bytes_of(const std::vector<log::PartitionBatch>& batches);
  [[nodiscard]] Status append_direct(std::uint64_t call, std::vector<log::PartitionBatch> batches,
                                     log::AppendDone done);
  void end_direct(std::uint64_t call, bool succeeded);
  [[nodiscard]] Status begin_spill(State& state, std::uint64_t bytes);
  [[nodiscard]] Status append_to_spill(log::Log& spill, std::uint64_t bytes,
                                       std::vector<log::PartitionBatch> batches,
                                       log::AppendDone done);
  [[nodiscard]] Status to_spill_topics(log::Log& spill, std::vector<log::PartitionBatch>& batches);
  [[nodiscard]] Result<TopicId> spill_topic(log::Log& spill, TopicId id);
  void end_spill(std::uint64_t bytes, bool succeeded);
  void take_waiting(State& state, std::uint64_t bytes);
  [[nodiscard]] static std::chrono::nanoseconds oldest_age(const State& state, os::TimePoint now);
  void append_held(Held held, Mode to);

  log::Log& log_;
  const os::Clock& clock_;
  const Options options_;
  Counts counts_;
  Guarded<State> state_;
};

}  // namespace penstock::gateway
