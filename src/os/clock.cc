#include "os/clock.h"

namespace penstock::os {

TimePoint RealClock::now() const {
  return std::chrono::steady_clock::now();
}

WallTime RealClock::wall_now() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::chrono::sys_time<std::chrono::microseconds> RealClock::wall_now_us() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace penstock::os
