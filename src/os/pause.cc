#include "os/pause.h"

#include <algorithm>
#include <thread>

namespace penstock::os {

void pause(std::chrono::microseconds duration) {
  std::this_thread::sleep_for(duration);
}

Pacer::Pacer(std::uint64_t turns_per_second)
    : interval_(std::chrono::nanoseconds(std::chrono::seconds(1)) /
                static_cast<std::int64_t>(std::max<std::uint64_t>(turns_per_second, 1))),
      next_(clock_.now()) {}

void Pacer::wait_for_turn() {
  const TimePoint now = clock_.now();
  if (next_ > now) {
    std::this_thread::sleep_for(next_ - now);
  }
  next_ = std::max(next_, now) + interval_;
}

}  // namespace penstock::os
