#include "testing/sim_clock.h"

#include <gtest/gtest.h>

namespace penstock::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(SimClock, StandsStillUntilMoved) {
  SimClock clock;
  const os::TimePoint before = clock.now();

  EXPECT_EQ(clock.now(), before);
  EXPECT_EQ(clock.wall_now(), SimClock::kStart);

  clock.advance(milliseconds(5));
  EXPECT_EQ(clock.now() - before, milliseconds(5));
  EXPECT_EQ(clock.wall_now(), SimClock::kStart + milliseconds(5));
}

TEST(SimClock, TheWallClockCanJumpAlone) {
  SimClock clock;
  const os::TimePoint before = clock.now();

  clock.set_wall(SimClock::kStart - hours(1));

  EXPECT_EQ(clock.now(), before);
  EXPECT_EQ(clock.wall_now(), SimClock::kStart - hours(1));
}

}  // namespace
}  // namespace penstock::testing
