// Clock is the only source of time: a monotonic one for durations, a wall clock for timestamps.
//
// Nothing outside os/ reads the real clock (checked by tools/tidy.py), so a simulator can own time.
//
// Threads   any.
#pragma once

#include <chrono>

namespace penstock::os {

using TimePoint = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual TimePoint now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;

  // The same as finely as this clock can tell it, for measuring across processes.
  [[nodiscard]] virtual std::chrono::sys_time<std::chrono::microseconds> wall_now_us() const {
    return wall_now();
  }
};

class RealClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override;
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] std::chrono::sys_time<std::chrono::microseconds> wall_now_us() const override;
};

}  // namespace penstock::os
