// ManualClock stands still until it is moved.
//
// Threads   one.
#pragma once

#include <chrono>

#include "os/clock.h"

namespace penstock::testdriver {

class ManualClock final : public os::Clock {
 public:
  explicit ManualClock(std::chrono::milliseconds wall) : wall_(wall) {}

  [[nodiscard]] os::TimePoint now() const override { return now_; }

  [[nodiscard]] os::WallTime wall_now() const override { return os::WallTime(wall_); }

  void advance(std::chrono::milliseconds by) {
    now_ += by;
    wall_ += by;
  }

 private:
  os::TimePoint now_{std::chrono::hours(1)};
  std::chrono::milliseconds wall_;
};

}  // namespace penstock::testdriver
