// The machine stops at every operation on the disk, in several ways, and comes back.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "simulation/wal_workload.h"

namespace penstock::simulation {
namespace {

using testing::SimClock;
using testing::SimFileSystem;

struct Recoveries {
  std::uint64_t crash_points = 0;
  std::uint64_t count = 0;
  std::uint64_t torn_tails = 0;
  std::uint64_t losses = 0;  // with a disk that lies
  std::uint64_t acknowledged = 0;
};

struct Plan {
  std::uint64_t seed = 1;
  int steps = 400;
  std::uint64_t crashes_per_point = 5;
  std::uint64_t every = 1;  // crash at each n-th change
  SimFileSystem::SyncMode sync_mode = SimFileSystem::SyncMode::kHonest;
};

std::unique_ptr<SimFileSystem> make_disk(const Plan& plan) {
  SimFileSystem::Options options;
  options.seed = plan.seed;
  options.sync_mode = plan.sync_mode;
  return std::make_unique<SimFileSystem>(options);
}

// How many changes the script makes when nothing goes wrong.
std::uint64_t count_changes(const Plan& plan) {
  const auto disk = make_disk(plan);
  SimClock clock;
  WalWorkload workload(plan.seed);
  const auto log = WalUnderTest::open(*disk, clock, plan.seed, wal_test_options());
  EXPECT_TRUE(log);
  EXPECT_TRUE(workload.run((*log)->log(), clock, plan.steps));
  EXPECT_EQ(workload.check((*log)->log()), "");
  // The script must reach what is hard.
  for (const char* counter :
       {"penstock_log_expired_bytes_total", "penstock_log_rewritten_bytes_total",
        "penstock_log_compacted_records_total", "penstock_log_segments"}) {
    EXPECT_GT((*log)->metrics().value(counter).value_or(0), 0) << counter;
  }
  return disk->changes();
}

// Recovers from one state of the disk; what is wrong, if anything is.
std::string recover_once(SimFileSystem& disk, SimClock& clock, WalWorkload workload,
                         std::uint64_t seed, Recoveries& recoveries) {
  ++recoveries.count;
  auto log = WalUnderTest::open(disk, clock, seed, wal_test_options());
  if (!log) {
    return "cannot be opened: " + log.error().message();
  }
  recoveries.torn_tails += (*log)->log().recovery().torn_bytes > 0 ? 1 : 0;
  std::string wrong = workload.check((*log)->log());
  if (!wrong.empty() || recoveries.count % 7 != 0) {
    return wrong;
  }
  // Some go on, and crash once more.
  if (!workload.run((*log)->log(), clock, 10)) {
    return "does not work after recovery: " + (*log)->log().status().reason;
  }
  log->reset();
  disk.crash(seed + 1);
  log = WalUnderTest::open(disk, clock, seed, wal_test_options());
  return log ? workload.check((*log)->log()) : "cannot be opened again: " + log.error().message();
}

void crash_everywhere(const Plan& plan, Recoveries& recoveries) {
  const std::uint64_t changes = count_changes(plan);
  for (std::uint64_t point = 1; point <= changes; point += plan.every) {
    ++recoveries.crash_points;
    const auto disk = make_disk(plan);
    SimClock clock;
    WalWorkload workload(plan.seed);
    disk->lose_power_during(point);
    {
      const auto log = WalUnderTest::open(*disk, clock, plan.seed, wal_test_options());
      if (log) {
        static_cast<void>(workload.run((*log)->log(), clock, plan.steps));
      }
    }
    recoveries.acknowledged += workload.acknowledged_count();
    for (std::uint64_t i = 0; i < plan.crashes_per_point; ++i) {
      const std::uint64_t seed = plan.seed * 1'000'003 + point * 101 + i;
      const auto crashed = disk->clone(seed);
      crashed->crash(seed);
      SimClock later;
      later.advance(
          std::chrono::duration_cast<std::chrono::microseconds>(clock.now() - later.now()));
      const std::string wrong = recover_once(*crashed, later, workload, seed, recoveries);
      if (plan.sync_mode == SimFileSystem::SyncMode::kLies) {
        recoveries.losses += wrong.empty() ? 0 : 1;
        continue;
      }
      ASSERT_EQ(wrong, "") << "script seed " << plan.seed << ", power lost during change " << point
                           << ", crash seed " << seed << "; the last operations:\n"
                           << disk->recent_operations();
    }
  }
}

// PENSTOCK_CRASH_EVERY thins the crash points out where each costs more: the presets with
// sanitizers.
std::uint64_t crash_every() {
  const char* const given = std::getenv("PENSTOCK_CRASH_EVERY");
  return given == nullptr ? 1 : std::stoull(given);
}

TEST(WalCrash, LosesNothingWhereverThePowerFails) {
  const std::uint64_t every = crash_every();
  Recoveries recoveries;
  for (const std::uint64_t seed : {1, 2, 3, 4}) {
    crash_everywhere({.seed = seed, .every = every}, recoveries);
    if (HasFatalFailure()) {
      return;
    }
  }
  RecordProperty("recoveries", std::to_string(recoveries.count));
  EXPECT_GE(recoveries.count, 10'000U / every);
  // The test is worth nothing if it does not reach what it is about.
  EXPECT_GT(recoveries.torn_tails, 100U / every);
  EXPECT_GT(recoveries.acknowledged / recoveries.crash_points, 10U);
}

TEST(WalCrash, FindsTheLossWhenTheDiskLiesAboutSyncs) {
  Recoveries recoveries;
  crash_everywhere(
      {.seed = 1, .crashes_per_point = 2, .every = 7, .sync_mode = SimFileSystem::SyncMode::kLies},
      recoveries);
  EXPECT_GT(recoveries.losses, recoveries.count / 10)
      << "no loss was found without syncs: this test proves nothing";
}

}  // namespace
}  // namespace penstock::simulation
