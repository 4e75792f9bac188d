// Waiting on purpose, for command-line tools that must not hurry: never in a server's loop, which
// waits for something to happen instead.
//
// Threads   the calling thread sleeps.
#pragma once

#include <chrono>
#include <cstdint>

#include "os/clock.h"

namespace penstock::os {

void pause(std::chrono::microseconds duration);

// Lets the caller go on at most so many times a second, evenly spread.
class Pacer {
 public:
  explicit Pacer(std::uint64_t turns_per_second);
  void wait_for_turn();

 private:
  RealClock clock_;
  const std::chrono::nanoseconds interval_;
  TimePoint next_;
};

}  // namespace penstock::os
