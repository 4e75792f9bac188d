// The disk fails once, at every kind of operation: with an I/O error, or for lack of space. The log
// then stops for good or refuses for a while, as wal/embedded_log.h says, and nothing acknowledged
// is lost when it is opened again, whether the process was killed or the power failed.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "simulation/wal_workload.h"

namespace penstock::simulation {
namespace {

using testing::DiskFault;
using testing::DiskOp;
using testing::SimClock;
using testing::SimFileSystem;

constexpr std::uint64_t kSeed = 3;
constexpr int kSteps = 250;
constexpr std::uint64_t kPointsMax = 60;  // of each operation; spread evenly if there are more

// What every operation of the script may meet.
constexpr DiskOp kOperations[] = {
    DiskOp::kOpen,          DiskOp::kRead,        DiskOp::kWrite,  DiskOp::kSync,
    DiskOp::kSize,          DiskOp::kPreallocate, DiskOp::kRename, DiskOp::kRemove,
    DiskOp::kSyncDirectory, DiskOp::kList,        DiskOp::kExists, DiskOp::kCreateDirectories,
};

struct Tally {
  std::uint64_t cases = 0;
  std::uint64_t stopped = 0;   // kFatal until opened again
  std::uint64_t refused = 0;   // kBusy, and well again later
  std::uint64_t not_open = 0;  // open() failed, and worked when tried again
  std::uint64_t went_on = 0;   // nobody but the maintenance noticed, or nobody at all
  std::uint64_t losses = 0;    // what the negative control looks for
};

struct Plan {
  DiskFault fault;
  bool refuses_direct = false;  // then writes are synced by sync()
};

std::unique_ptr<SimFileSystem> make_disk(const Plan& plan) {
  SimFileSystem::Options options;
  options.seed = kSeed;
  options.refuses_direct = plan.refuses_direct;
  return std::make_unique<SimFileSystem>(options);
}

std::uint64_t count_operations(const Plan& plan) {
  const auto disk = make_disk(plan);
  SimClock clock;
  WalWorkload books(kSeed);
  const auto log = *WalUnderTest::open(*disk, clock, kSeed, wal_test_options());
  EXPECT_TRUE(books.run(log->log(), clock, kSteps));
  return disk->count(plan.fault.op);
}

// After a failed write or sync: nothing more is taken, nothing more is written.
std::string check_stopped(WalUnderTest& log, SimFileSystem& disk, SimClock& clock) {
  const std::uint64_t changes = disk.changes();
  for (int i = 0; i < 3; ++i) {
    clock.advance(std::chrono::seconds(2));
    const auto turn = log.log().run_once(clock.now());
    if (turn || turn.error().code() != ErrorCode::kFatal) {
      return "is not stopped for good";
    }
  }
  log::TopicConfig config;
  config.name = "another";
  const auto topic = log.log().ensure_topic(config);
  if (topic || topic.error().code() != ErrorCode::kFatal || log.log().status().writable) {
    return "takes requests after it has failed";
  }
  return disk.changes() == changes ? "" : "writes after it has failed";
}

// The log has not failed: it must be writable, at the latest when there is space again.
std::string check_goes_on(WalUnderTest& log, WalWorkload& books, SimClock& clock) {
  constexpr int kTriesMax = 8;  // more than a fault repeats
  for (int i = 0; i < kTriesMax && (i == 0 || !log.log().status().writable); ++i) {
    clock.advance(std::chrono::seconds(2));
    static_cast<void>(log.log().run_once(clock.now()));
  }
  if (!log.log().run_once(clock.now()) || !log.log().status().writable) {
    return "does not recover by itself: " + log.log().status().reason;
  }
  return books.run(log.log(), clock, 10) ? "" : "does not go on: " + log.log().status().reason;
}

std::string check_reopened(SimFileSystem& disk, SimClock& clock, const WalWorkload& books) {
  const auto log = WalUnderTest::open(disk, clock, kSeed, wal_test_options());
  return log ? WalWorkload(books).check((*log)->log())
             : "cannot be opened again: " + log.error().message();
}

std::string run_with_fault(const Plan& plan, Tally& tally) {
  ++tally.cases;
  const auto disk = make_disk(plan);
  SimClock clock;
  WalWorkload books(kSeed);
  disk->inject(plan.fault);
  std::string wrong;
  auto log = WalUnderTest::open(*disk, clock, kSeed, wal_test_options());
  if (!log) {
    ++tally.not_open;
  } else {
    static_cast<void>(books.run((*log)->log(), clock, kSteps));
    const bool was_refused = !(*log)->log().status().writable;
    if (!(*log)->log().run_once(clock.now())) {
      ++tally.stopped;
      // Lack of space stops the log only if a group that found none cannot be wiped either.
      const bool only_refuses = plan.fault.kind == DiskFault::Kind::kNoSpace &&
                                (plan.fault.op != DiskOp::kWrite || plan.fault.repeats == 1);
      wrong = only_refuses ? "stops for lack of space" : check_stopped(**log, *disk, clock);
    } else {
      ++(was_refused ? tally.refused : tally.went_on);
      wrong = check_goes_on(**log, books, clock);
    }
  }
  if (!wrong.empty()) {
    return wrong;
  }
  const auto crashed = disk->clone(plan.fault.nth);
  crashed->crash(plan.fault.nth);
  wrong = check_reopened(*crashed, clock, books);
  const auto killed = disk->clone(plan.fault.nth);
  return wrong.empty() ? check_reopened(*killed, clock, books) : "after a power failure: " + wrong;
}

void fail_everywhere(Plan plan, Tally& tally) {
  const std::uint64_t count = count_operations(plan);
  const std::uint64_t every = std::max<std::uint64_t>(1, count / kPointsMax);
  for (std::uint64_t nth = 1; nth <= count; nth += every) {
    plan.fault.nth = nth;
    const std::string wrong = run_with_fault(plan, tally);
    if (plan.fault.kind == DiskFault::Kind::kLostWrite) {
      tally.losses += wrong.empty() ? 0 : 1;
      continue;
    }
    EXPECT_EQ(wrong, "") << "operation " << static_cast<int>(plan.fault.op) << ", number " << nth
                         << (plan.refuses_direct ? ", without direct I/O" : "");
  }
}

TEST(WalFault, AnIoErrorAnywhereLosesNothing) {
  Tally tally;
  for (const DiskOp op : kOperations) {
    fail_everywhere({.fault = {.op = op}}, tally);
  }

  EXPECT_GT(tally.stopped, 50U);
  EXPECT_GT(tally.not_open, 5U);
  EXPECT_GT(tally.went_on, 20U);
}

TEST(WalFault, AnIoErrorInWritesAndSyncsWithoutDirectIoLosesNothing) {
  Tally tally;
  for (const DiskOp op : {DiskOp::kWrite, DiskOp::kSync}) {
    fail_everywhere({.fault = {.op = op}, .refuses_direct = true}, tally);
  }

  EXPECT_GT(tally.stopped, tally.cases / 2);
}

TEST(WalFault, LackOfSpaceAnywhereRefusesAndPasses) {
  Tally tally;
  for (const DiskOp op : {DiskOp::kOpen, DiskOp::kWrite, DiskOp::kPreallocate, DiskOp::kRename,
                          DiskOp::kCreateDirectories}) {
    fail_everywhere({.fault = {.op = op, .kind = DiskFault::Kind::kNoSpace}}, tally);
  }

  EXPECT_EQ(tally.stopped, 0U);
  EXPECT_GT(tally.refused + tally.went_on, 50U);
}

TEST(WalFault, LackOfSpaceForSparesThatLastsRefusesAndPasses) {
  Tally tally;
  fail_everywhere({.fault = {.op = DiskOp::kPreallocate,
                             .repeats = 4,
                             .kind = DiskFault::Kind::kNoSpace,
                             .path_contains = "spare"}},
                  tally);

  EXPECT_EQ(tally.stopped, 0U);
}

TEST(WalFault, AGroupThatFindsNoSpaceAndCannotBeWipedStopsTheLog) {
  Tally tally;
  fail_everywhere(
      {.fault = {.op = DiskOp::kWrite, .repeats = 2, .kind = DiskFault::Kind::kNoSpace}}, tally);

  EXPECT_GT(tally.stopped, tally.cases / 2);
}

// The negative control: a disk that says yes and has written a part only.
TEST(WalFault, FindsTheLossWhenAFailedWritePassesForADoneOne) {
  Tally tally;
  fail_everywhere({.fault = {.op = DiskOp::kWrite, .kind = DiskFault::Kind::kLostWrite}}, tally);

  EXPECT_GT(tally.losses, tally.cases / 4)
      << "no loss was found though writes were lost: this test proves nothing";
}

}  // namespace
}  // namespace penstock::simulation
