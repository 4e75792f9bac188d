// CallSchedule decides which calls to an outside system are made when: many at a time, those of one
// key one after the other, failed ones again after a pause, and none while the circuit breaker is
// open.
//
// It knows nothing of values: calls have numbers, and its owner (AsyncNode) makes them.
//
//              due()                     finish(ok)
//   waiting ---------> under way ------------------------------> gone: Outcome::kDone
//      ^                  | finish(error), or expire(): too slow
//      +------------------+------------------------------------> gone: Outcome::kFailed
//        attempts are left, and time until the deadline
//
// Invariants
//   I1  Of each key at most one call is under way, the one that came first.
//   I2  At most Options::in_flight_max are under way.
//   I3  After `deadline` a call is gone, whatever its system does.
//
// Threads   one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/circuit_breaker.h"
#include "core/result.h"

namespace penstock::dsl {

// What a map_values_async() may be told.
struct AsyncOptions {
  enum class Order : std::uint8_t {
    kByKey,       // records of one key in their order, others as they are answered
    kAsTheyCame,  // all: one that is slow holds up those behind it, but not their calls
  };

  std::size_t in_flight_max = 128;             // calls under way, per task
  std::chrono::milliseconds timeout{5'000};    // of one attempt
  std::uint32_t attempts_max = 3;              // 1: no retry
  std::chrono::milliseconds backoff{100};      // before the second attempt; then twice as long
  std::chrono::milliseconds deadline{30'000};  // of a record, with all attempts and pauses
  Order order = Order::kByKey;
  std::optional<CircuitBreaker::Options> breaker = {};  // of a task; absent: none
};

class CallSchedule {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using CallId = std::uint64_t;

  enum class Outcome : std::uint8_t {
    kDone,    // it has succeeded
    kAgain,   // it will be made again
    kFailed,  // for good
    kStale,   // nobody waits for it: an earlier attempt, or one that was forgotten
  };

  struct Due {
    CallId id = 0;
    std::uint32_t attempt = 0;
  };

  struct Expired {
    CallId id = 0;
    bool for_good = false;
  };

  explicit CallSchedule(const AsyncOptions& options);

  // A call for a key, to be made when its turn comes. Without a key it has no predecessors.
  CallId add(std::optional<std::string> key, TimePoint now);

  // The calls that are to be made now; they are under way then.
  [[nodiscard]] std::vector<Due> due(TimePoint now);

  // A call was answered. Errors that no retry can help (kInvalid, kNotFound) are for good at once.
  [[nodiscard]] Outcome finish(CallId id, std::uint32_t attempt, const Status& answer,
                               TimePoint now);

  // Calls whose attempt took too long, or whose deadline is over.
  [[nodiscard]] std::vector<Expired> expire(TimePoint now);

  // When due() or expire() has something, if nothing is answered before.
  [[nodiscard]] std::optional<TimePoint> next_time() const;

  // All are forgotten; answers to them are kStale.
  void clear();

  [[nodiscard]] std::size_t size() const { return calls_.size(); }

  [[nodiscard]] CircuitBreaker::State breaker_state() const;

 private:
  struct Call {
    std::optional<std::string> key;
    TimePoint deadline;
    TimePoint not_before;
    std::uint32_t attempt = 0;  // made so far
    std::optional<TimePoint> begun;
    CircuitBreaker::Permission permission;
  };

  using Calls = std::map<CallId, Call>;

  [[nodiscard]] bool is_first(CallId id, const Call& call) const;
  void end_attempt(Call& call, CircuitBreaker::Outcome outcome, TimePoint now);
  // False if it is to be given up.
  [[nodiscard]] bool plan_again(Call& call, TimePoint now) const;
  void remove(Calls::iterator call);

  const AsyncOptions options_;
  std::optional<CircuitBreaker> breaker_;
  Calls calls_;  // by age
  std::map<std::string, std::deque<CallId>, std::less<>> of_key_;
  std::size_t in_flight_ = 0;
  CallId next_ = 1;
};

}  // namespace penstock::dsl
