// Schedule says which requests go out together and when: bursts of up to `burst_max` requests, one
// behind the other on one connection.
//
// With an interval between requests it is an open loop: request i is due at start + i * interval,
// whatever became of the ones before it. A burst goes out when its last request is due, as a client
// that collects before it sends would do, and each request's latency counts from its own due time:
// the waiting for company is part of it. Without an interval a burst is due whenever somebody can
// send it, and its latency counts from then.
//
// Threads   one object belongs to one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "os/clock.h"

namespace penstock::bench {

// Requests that go out together.
struct Burst {
  std::uint64_t first = 0;  // of the schedule, from 0
  std::size_t requests = 0;
  os::TimePoint due;  // of its last request
};

class Schedule {
 public:
  struct Options {
    std::chrono::nanoseconds duration{0};
    std::chrono::duration<double, std::nano> interval{0};  // 0: as fast as possible
    std::size_t burst_max = 1;
  };

  explicit Schedule(const Options& options) : options_(options) {}

  void start(os::TimePoint now) { started_at_ = now; }

  // The next burst; absent: no more. It is the same until taken with take().
  [[nodiscard]] std::optional<Burst> next(os::TimePoint now) const;

  // `burst` is sent, or given up: the one behind it is next.
  void take(const Burst& burst) { taken_ = burst.first + burst.requests; }

  // From when the latency of the `index`-th request of `burst` counts.
  [[nodiscard]] os::TimePoint counted_from(const Burst& burst, std::size_t index) const;

  // Nothing is due from here on.
  [[nodiscard]] os::TimePoint end() const { return started_at_ + options_.duration; }

 private:
  [[nodiscard]] bool is_open_loop() const { return options_.interval.count() > 0; }

  [[nodiscard]] os::TimePoint due_of(std::uint64_t request) const;

  const Options options_;
  os::TimePoint started_at_;
  std::uint64_t taken_ = 0;
};

}  // namespace penstock::bench
