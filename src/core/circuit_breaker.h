// CircuitBreaker stops calls to something that fails or has become slow, and finds out when it is
// well again.
//
// States, names and defaults are resilience4j's (its count-based sliding window). kClosed: calls go
// through and the last `sliding_window_size` outcomes are kept; when at least
// `minimum_number_of_calls` are known and the share of failures or of slow calls reaches its
// threshold, it opens. kOpen: nothing goes through for `wait_duration_in_open_state`; the next one
// who asks makes it half-open. kHalfOpen: as many calls as
// `permitted_number_of_calls_in_half_open_state` go through; their outcomes close it or open it
// again.
//
//        threshold reached                wait is over, somebody asks
//   kClosed ------------> kOpen ----------------------------------> kHalfOpen
//      ^                    ^------------ threshold reached ------------| |
//      +---------------------------- below the thresholds ---------------+
//
//   if (auto permission = breaker.try_acquire(clock.now())) {
//     ... call, measure ...
//     breaker.finish(*permission, CircuitBreaker::Outcome::kSuccess, took, clock.now());
//   }
//
// Invariants
//   I1  Outcomes of calls that were permitted in an earlier state change nothing.
//   I2  In kHalfOpen at most `permitted_number_of_calls_in_half_open_state` calls are permitted.
// Threads   a value; its owner guards it.
// Source    resilience4j 2, CircuitBreakerConfig and CircuitBreakerStateMachine
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace penstock {

class CircuitBreaker {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::nanoseconds;

  enum class State { kClosed, kOpen, kHalfOpen };
  enum class Outcome { kSuccess, kError };

  struct Options {
    double failure_rate_threshold = 50;     // percent
    double slow_call_rate_threshold = 100;  // percent
    std::chrono::milliseconds slow_call_duration_threshold{60'000};
    std::size_t sliding_window_size = 100;
    std::size_t minimum_number_of_calls = 100;  // at most the window's size counts
    std::chrono::milliseconds wait_duration_in_open_state{60'000};
    std::size_t permitted_number_of_calls_in_half_open_state = 10;
  };

  // Permits one call; given back by finish() or release().
  class Permission {
   public:
    Permission() = default;

   private:
    friend class CircuitBreaker;

    explicit Permission(std::uint64_t period) : period_(period) {}

    std::uint64_t period_ = 0;
  };

  explicit CircuitBreaker(const Options& options);

  // Absent: the call must not be made.
  [[nodiscard]] std::optional<Permission> try_acquire(TimePoint now);
  void finish(Permission permission, Outcome outcome, Duration took, TimePoint now);
  // The call was not made after all.
  void release(Permission permission);

  [[nodiscard]] State state() const { return state_; }

  // Of the calls that are known; absent while there are fewer than the minimum.
  [[nodiscard]] std::optional<double> failure_rate() const;
  [[nodiscard]] std::optional<double> slow_call_rate() const;

  // When a call may be permitted again; in the past unless kOpen.
  [[nodiscard]] TimePoint retry_at() const { return retry_at_; }

  // How often it has opened.
  [[nodiscard]] std::uint64_t opened_count() const { return opened_count_; }

 private:
  struct Call {
    bool failed;
    bool slow;
  };

  void transition(State to, TimePoint now);
  void record(Call call);
  [[nodiscard]] std::size_t minimum() const;
  [[nodiscard]] std::optional<double> rate(std::size_t count) const;

  const Options options_;
  State state_ = State::kClosed;
  std::uint64_t period_ = 1;   // grows with each change of state
  std::size_t permitted_ = 0;  // in kHalfOpen
  std::vector<Call> calls_;    // a ring of the window's size
  std::size_t next_call_ = 0;
  std::size_t window_size_;
  std::size_t failed_ = 0;
  std::size_t slow_ = 0;
  TimePoint retry_at_;
  std::uint64_t opened_count_ = 0;
};

// "closed", "open", "half_open"
[[nodiscard]] std::string_view to_string(CircuitBreaker::State state);

}  // namespace penstock
