#include "penstock/bench/disk_probe.h"

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"

namespace penstock::bench {
namespace {

using testing::DiskOp;
using testing::SimClock;
using testing::SimFileSystem;

using std::chrono::milliseconds;

class DiskProbeTest : public ::testing::Test {
 protected:
  DiskProbeTest() { EXPECT_TRUE(files_.create_directories("d")); }

  Result<DiskSpeed> measure(milliseconds time_max, std::uint64_t bytes_max) {
    return measure_disk(files_, clock_,
                        {.directory = "d", .time_max = time_max, .bytes_max = bytes_max});
  }

  // How many changes it does to the disk.
  std::uint64_t changes_of(milliseconds time_max, std::uint64_t bytes_max) {
    const std::uint64_t before = files_.changes();
    EXPECT_TRUE(measure(time_max, bytes_max));
    return files_.changes() - before;
  }

  bool is_anything_left() { return !files_.list("d").value().empty(); }

  SimClock clock_;
  SimFileSystem files_;
};

TEST(DiskSpeed, IsBytesByTimeAndTheMedianOfTheBlocks) {
  const DiskSpeed speed =
      disk_speed({.blocks = {milliseconds(30), milliseconds(2), milliseconds(1)},
                  .large_writes = {milliseconds(10), milliseconds(30)}});

  EXPECT_DOUBLE_EQ(speed.sync_ms_p50, 2);
  EXPECT_DOUBLE_EQ(speed.mb_per_second_durable, 2 * 4.194304 / 0.040);
}

TEST_F(DiskProbeTest, WritesUntilItsBytesAreWritten) {
  // The clock stands still: the file is filled. 4 MiB of single blocks, the rest in large writes.
  const std::uint64_t small = changes_of(milliseconds(1000), 8 * kMiB);
  const std::uint64_t larger = changes_of(milliseconds(1000), 16 * kMiB);

  EXPECT_GT(small, 1024U);
  EXPECT_EQ(larger - small, 2U);
}

TEST_F(DiskProbeTest, WritesOnceOfEachKindWhenItsTimeIsOver) {
  // Made, reserved, synced, a block, 4 MiB, removed.
  EXPECT_EQ(changes_of(milliseconds(0), 512 * kMiB), 6U);
}

TEST_F(DiskProbeTest, LeavesNothingBehind) {
  ASSERT_TRUE(measure(milliseconds(0), 512 * kMiB));
  EXPECT_FALSE(is_anything_left());

  files_.inject({.op = DiskOp::kWrite, .nth = 2});
  const Result<DiskSpeed> failed = measure(milliseconds(0), 512 * kMiB);

  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::kFatal);
  EXPECT_FALSE(is_anything_left());
}

TEST_F(DiskProbeTest, TakesAtMostHalfOfWhatIsFree) {
  files_.set_capacity(20 * kMiB);
  const std::uint64_t limited = changes_of(milliseconds(1000), 512 * kMiB);
  files_.set_capacity(SimFileSystem::kUnlimited);

  EXPECT_EQ(limited, changes_of(milliseconds(1000), 8 * kMiB));
}

TEST_F(DiskProbeTest, SaysThatThereIsTooLittleRoom) {
  files_.set_capacity(10 * kMiB);

  const Result<DiskSpeed> speed = measure(milliseconds(1000), 512 * kMiB);

  ASSERT_FALSE(speed);
  EXPECT_EQ(speed.error().code(), ErrorCode::kBusy);
  EXPECT_NE(speed.error().message().find("10 MiB"), std::string::npos) << speed.error().message();
}

TEST(DiskProbe, SyncsEachWriteWhereTheDiskTakesNoDirectOnes) {
  const SimClock clock;
  SimFileSystem files({.refuses_direct = true});
  ASSERT_TRUE(files.create_directories("d"));
  files.inject({.op = DiskOp::kSync, .nth = 3});  // the file's, the block's, the large write's

  EXPECT_FALSE(measure_disk(files, clock, {.directory = "d", .time_max = milliseconds(0)}));
}

}  // namespace
}  // namespace penstock::bench
