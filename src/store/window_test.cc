#include "store/window.h"

#include <gtest/gtest.h>

namespace penstock::store {
namespace {

using std::chrono::milliseconds;

TEST(TumblingWindows, BeginAtMultiplesOfTheirSizeAlsoBeforeTheEpoch) {
  const TumblingWindows windows(milliseconds(10), milliseconds(0));

  EXPECT_EQ(windows.start_of(Timestamp(0)), Timestamp(0));
  EXPECT_EQ(windows.start_of(Timestamp(9)), Timestamp(0));
  EXPECT_EQ(windows.start_of(Timestamp(10)), Timestamp(10));
  EXPECT_EQ(windows.start_of(Timestamp(-1)), Timestamp(-10));
  EXPECT_EQ(windows.start_of(Timestamp(-10)), Timestamp(-10));
  EXPECT_EQ(windows.start_of(Timestamp(-11)), Timestamp(-20));
  EXPECT_EQ(windows.end_of(Timestamp(-10)), Timestamp(0));
}

TEST(TumblingWindows, CloseWhenStreamTimeReachesEndAndGrace) {
  const TumblingWindows windows(milliseconds(10), milliseconds(5));

  EXPECT_FALSE(windows.is_closed(Timestamp(0), Timestamp(14)));
  EXPECT_TRUE(windows.is_closed(Timestamp(0), Timestamp(15)));
  EXPECT_FALSE(windows.is_closed(Timestamp(0), kNoStreamTime));
}

TEST(TumblingWindows, DoNotOverflowAtTheLimits) {
  const TumblingWindows windows(milliseconds(1000), milliseconds(1000));
  const Timestamp last(kTimestampAbsMax);
  const Timestamp first(-kTimestampAbsMax);

  EXPECT_LE(windows.start_of(last), last);
  EXPECT_LE(windows.start_of(first), first);
  EXPECT_TRUE(is_in_range(last));
  EXPECT_FALSE(is_in_range(last + 1));
  EXPECT_FALSE(is_in_range(first + -1));
}

}  // namespace
}  // namespace penstock::store
