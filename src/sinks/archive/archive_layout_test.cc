#include "sinks/archive/archive_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/sim_file_system.h"

namespace penstock::sinks {
namespace {

using penstock::testing::SimFileSystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kNoon = 1'714'564'800'000'000;  // 2024-05-01T12:00:00Z

class ArchiveLayout : public ::testing::Test {
 protected:
  void touch(const std::string& path) {
    ASSERT_TRUE(disk_.create_directories(os::parent_path(path)).has_value());
    ASSERT_TRUE(disk_.open(path, {.mode = os::OpenMode::kCreate}).has_value());
  }

  SimFileSystem disk_;
};

TEST_F(ArchiveLayout, FoldersAreHoursInUtc) {
  EXPECT_EQ(hour_folder("/a", "web", hour_of(kNoon)), "/a/topic=web/dt=2024-05-01/hour=12");
  EXPECT_EQ(hour_folder("/a", "web", hour_of(kNoon - 1)), "/a/topic=web/dt=2024-05-01/hour=11");
  EXPECT_EQ(hour_folder("/a", "web", hour_of(0)), "/a/topic=web/dt=1970-01-01/hour=00");
}

TEST_F(ArchiveLayout, TimesThatNoCalendarHoldsAreFiledAtItsEnds) {
  EXPECT_EQ(hour_folder("/a", "t", hour_of(-5)), "/a/topic=t/dt=1970-01-01/hour=00");
  EXPECT_EQ(hour_folder("/a", "t", hour_of(std::numeric_limits<std::int64_t>::min())),
            "/a/topic=t/dt=1970-01-01/hour=00");
  EXPECT_EQ(hour_folder("/a", "t", hour_of(std::numeric_limits<std::int64_t>::max())),
            "/a/topic=t/dt=9999-12-31/hour=00");
}

TEST_F(ArchiveLayout, NamesSayTopicPartitionAndOffsets) {
  const OffsetRange range{Offset(1000), Offset(1999)};

  EXPECT_EQ(data_file_name("web", PartitionId(3), range), "web-3-1000-1999.parquet");
  EXPECT_EQ(missing_file_name("web", PartitionId(3), range), "_web-3-1000-1999.missing");
  EXPECT_EQ(temporary_file_name("web", PartitionId(3), Offset(1000)), ".web-3-1000.tmp");
}

TEST_F(ArchiveLayout, AnAbsentTopicHasNothing) {
  const auto scanned = scan_topic(disk_, "/a", "web");

  ASSERT_TRUE(scanned.has_value());
  EXPECT_TRUE(scanned->empty());
}

TEST_F(ArchiveLayout, FilesOfAPartitionAreJoinedInOffsetOrder) {
  touch("/a/topic=we-b.1/dt=2024-05-01/hour=12/we-b.1-0-9-99.parquet");
  touch("/a/topic=we-b.1/dt=2024-05-01/hour=13/we-b.1-0-100-100.parquet");
  touch("/a/topic=we-b.1/dt=2024-05-02/hour=00/we-b.1-0-101-1000.parquet");
  touch("/a/topic=we-b.1/dt=2024-05-01/hour=12/we-b.1-12-0-5.parquet");

  const auto scanned = scan_topic(disk_, "/a", "we-b.1");

  ASSERT_TRUE(scanned.has_value());
  ASSERT_EQ(scanned->size(), 2U);
  const ArchivedPartition& zero = scanned->at(PartitionId(0));
  EXPECT_EQ(zero.range, (OffsetRange{Offset(9), Offset(1000)}));
  EXPECT_EQ(zero.newest_folder, "/a/topic=we-b.1/dt=2024-05-02/hour=00");
  EXPECT_EQ(zero.file_count, 3U);
  EXPECT_EQ(scanned->at(PartitionId(12)).range, (OffsetRange{Offset(0), Offset(5)}));
}

TEST_F(ArchiveLayout, LeftoversAreRemoved) {
  touch("/a/topic=web/dt=2024-05-01/hour=12/.web-0-10.tmp");
  touch("/a/topic=web/dt=2024-05-01/hour=12/web-0-0-9.parquet");
  touch("/a/topic=web/_web-0-10-19.missing.tmp");

  const auto scanned = scan_topic(disk_, "/a", "web");

  ASSERT_TRUE(scanned.has_value());
  EXPECT_EQ(scanned->at(PartitionId(0)).range.last, Offset(9));
  EXPECT_THAT(*disk_.list("/a/topic=web/dt=2024-05-01/hour=12"), ElementsAre("web-0-0-9.parquet"));
  EXPECT_THAT(*disk_.list("/a/topic=web"), ElementsAre("dt=2024-05-01"));
}

TEST_F(ArchiveLayout, AGapIsRefusedAndNamed) {
  touch("/a/topic=web/dt=2024-05-01/hour=12/web-0-0-9.parquet");
  touch("/a/topic=web/dt=2024-05-01/hour=12/web-0-15-20.parquet");

  const auto scanned = scan_topic(disk_, "/a", "web");

  ASSERT_FALSE(scanned.has_value());
  EXPECT_EQ(scanned.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(scanned.error().message(),
              AllOf(HasSubstr("gap"), HasSubstr("web-0-0-9.parquet and "),
                    HasSubstr("web-0-15-20.parquet"), HasSubstr(" _web-0-10-14.missing ")));
}

TEST_F(ArchiveLayout, AGapThatIsAcceptedIsNone) {
  touch("/a/topic=web/dt=2024-05-01/hour=12/web-0-0-9.parquet");
  touch("/a/topic=web/_web-0-10-14.missing");
  touch("/a/topic=web/dt=2024-05-01/hour=12/web-0-15-20.parquet");

  const auto scanned = scan_topic(disk_, "/a", "web");

  ASSERT_TRUE(scanned.has_value()) << scanned.error().message();
  EXPECT_EQ(scanned->at(PartitionId(0)).range, (OffsetRange{Offset(0), Offset(20)}));
  EXPECT_EQ(scanned->at(PartitionId(0)).file_count, 2U);
}

TEST_F(ArchiveLayout, AnOverlapIsRefusedAndNamed) {
  touch("/a/topic=web/dt=2024-05-01/hour=12/web-0-0-9.parquet");
  touch("/a/topic=web/dt=2024-05-01/hour=13/web-0-9-20.parquet");

  const auto scanned = scan_topic(disk_, "/a", "web");

  ASSERT_FALSE(scanned.has_value());
  EXPECT_EQ(scanned.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(scanned.error().message(), HasSubstr("the same offsets: "));
}

TEST_F(ArchiveLayout, FilesOfOthersAreRefusedOnlyWhereReadersWouldTakeThem) {
  touch("/a/topic=web/dt=2024-05-01/hour=12/notes.txt");
  EXPECT_TRUE(scan_topic(disk_, "/a", "web").has_value());

  for (const char* name : {"copy.parquet", "web-0-5-3.parquet", "web-0--1-3.parquet",
                           "app-0-0-3.parquet", "web-0-3.parquet", "web-x-0-3.parquet"}) {
    const std::string path = "/a/topic=web/dt=2024-05-01/hour=12/" + std::string(name);
    touch(path);
    const auto scanned = scan_topic(disk_, "/a", "web");
    ASSERT_FALSE(scanned.has_value()) << name;
    EXPECT_THAT(scanned.error().message(), HasSubstr(path));
    ASSERT_TRUE(disk_.remove(path).has_value());
  }
}

}  // namespace
}  // namespace penstock::sinks
