#include "os/clock.h"

#include <gtest/gtest.h>

namespace penstock::os {
namespace {

TEST(RealClock, TheMonotonicClockDoesNotGoBack) {
  const RealClock clock;
  TimePoint last = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const TimePoint now = clock.now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(RealClock, TheWallClockShowsOurTime) {
  const RealClock clock;

  EXPECT_GT(clock.wall_now(), std::chrono::sys_days{std::chrono::year{2024} / 1 / 1});
}

}  // namespace
}  // namespace penstock::os
