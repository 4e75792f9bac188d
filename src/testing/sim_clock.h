// SimClock is a clock that stands still until a test moves it.
//
// It starts at a fixed moment (2024-01-01T00:00:00Z) so that runs repeat. The wall clock can also
// be set apart from the monotonic one, as an operator or a bad time server would.
//
// Threads   any.
#pragma once

#include <chrono>

#include "core/guarded.h"
#include "os/clock.h"

namespace penstock::testing {

class SimClock final : public os::Clock {
 public:
  static constexpr os::WallTime kStart{std::chrono::sys_days{std::chrono::year{2024} / 1 / 1}};

  [[nodiscard]] os::TimePoint now() const override {
    return times_.with([](const Times& times) { return times.monotonic; });
  }

  [[nodiscard]] os::WallTime wall_now() const override {
    return times_.with([](const Times& times) {
      return std::chrono::time_point_cast<std::chrono::milliseconds>(times.wall);
    });
  }

  // Moves both clocks. `duration` is not negative.
  void advance(std::chrono::microseconds duration) {
    times_.with([&](Times& times) {
      times.monotonic += duration;
      times.wall += duration;
    });
  }

  void set_wall(os::WallTime wall) {
    times_.with([&](Times& times) { times.wall = wall; });
  }

 private:
  struct Times {
    os::TimePoint monotonic{std::chrono::hours(1)};
    std::chrono::sys_time<std::chrono::microseconds> wall = kStart;
  };

  Guarded<Times> times_;
};

}  // namespace penstock::testing
