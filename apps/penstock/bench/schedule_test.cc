#include "penstock/bench/schedule.h"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::bench {
namespace {

using std::chrono::milliseconds;

constexpr os::TimePoint kStart{std::chrono::hours(1)};

Schedule started(const Schedule::Options& options) {
  Schedule schedule(options);
  schedule.start(kStart);
  return schedule;
}

std::vector<Burst> all_bursts(Schedule schedule) {
  std::vector<Burst> bursts;
  while (const std::optional<Burst> burst = schedule.next(kStart)) {
    bursts.push_back(*burst);
    schedule.take(*burst);
  }
  return bursts;
}

TEST(Schedule, SpreadsSingleRequestsEvenly) {
  const auto bursts =
      all_bursts(started({.duration = milliseconds(30), .interval = milliseconds(10)}));

  ASSERT_EQ(bursts.size(), 3U);
  EXPECT_EQ(bursts[0].due, kStart);
  EXPECT_EQ(bursts[1].due, kStart + milliseconds(10));
  EXPECT_EQ(bursts[2].due, kStart + milliseconds(20));
}

TEST(Schedule, SendsABurstWhenItsLastRequestIsDue) {
  const Schedule schedule =
      started({.duration = milliseconds(1000), .interval = milliseconds(10), .burst_max = 4});

  const std::optional<Burst> burst = schedule.next(kStart);

  ASSERT_TRUE(burst);
  EXPECT_EQ(burst->requests, 4U);
  EXPECT_EQ(burst->due, kStart + milliseconds(30));
}

TEST(Schedule, CountsEachRequestOfABurstFromItsOwnDueTime) {
  Schedule schedule =
      started({.duration = milliseconds(1000), .interval = milliseconds(10), .burst_max = 4});
  schedule.take(*schedule.next(kStart));

  const Burst second = *schedule.next(kStart + milliseconds(500));

  EXPECT_EQ(schedule.counted_from(second, 0), kStart + milliseconds(40));
  EXPECT_EQ(schedule.counted_from(second, 3), kStart + milliseconds(70));
}

TEST(Schedule, HasAsManyRequestsInBurstsAsWithoutThem) {
  const auto bursts = all_bursts(
      started({.duration = milliseconds(100), .interval = milliseconds(10), .burst_max = 4}));

  ASSERT_EQ(bursts.size(), 3U);
  EXPECT_EQ(bursts[0].requests, 4U);
  EXPECT_EQ(bursts[1].requests, 4U);
  EXPECT_EQ(bursts[2].requests, 2U);
  EXPECT_EQ(bursts[2].first, 8U);
  EXPECT_EQ(bursts[2].due, kStart + milliseconds(90));
}

TEST(Schedule, IsDueAtOnceWithoutARate) {
  Schedule schedule = started({.duration = milliseconds(100), .burst_max = 3});
  const os::TimePoint now = kStart + milliseconds(99);

  const std::optional<Burst> burst = schedule.next(now);

  ASSERT_TRUE(burst);
  EXPECT_EQ(burst->requests, 3U);
  EXPECT_EQ(burst->due, now);
  EXPECT_EQ(schedule.counted_from(*burst, 2), now);
  EXPECT_FALSE(schedule.next(kStart + milliseconds(100)));
}

}  // namespace
}  // namespace penstock::bench
