#include "sinks/s3/s3_archive_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sinks/s3/fake_s3_for_test.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"

namespace penstock::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr HourIndex kHour = 476'268;  // 2024-05-01, 12 h
const std::string kFolder = "p/topic=web/dt=2024-05-01/hour=12/";
const std::string kClaims = "p/_manifest/topic=web/partition=3/";

class S3ArchiveStoreTest : public ::testing::Test {
 protected:
  S3ArchiveStoreTest() : store_(make()) { EXPECT_TRUE(store_->open().has_value()); }

  std::unique_ptr<S3ArchiveStore> make() {
    return make_fake_s3_store({files_, clock_, random_, registry_, bucket_}, 2,
                              {.prefix = "p/", .spool_directory = "/spool", .part_size = 10});
  }

  // A file of these offsets of partition 3 in the spool, and what publishing it says.
  Status publish(std::int64_t first, std::int64_t last, const std::string& contents = "rows") {
    const auto path = store_->temporary_path("web", PartitionId(3), kHour, Offset(first));
    EXPECT_TRUE(os::write_file_atomically(files_, *path, as_bytes(contents)).has_value());
    return store_->publish({.path = *path,
                            .size = contents.size(),
                            .topic = "web",
                            .partition = PartitionId(3),
                            .hour = kHour,
                            .range = {Offset(first), Offset(last)},
                            .row_count = static_cast<std::uint64_t>(last - first + 1)});
  }

  std::vector<std::string> keys() {
    std::vector<std::string> found;
    for (const auto& [key, object] : bucket_.objects) {
      found.push_back(key);
    }
    return found;
  }

  void fail(S3Fault fault, const std::string& method, const std::string& in_target) {
    bucket_.fault = [=](const net::ClientRequest& request) {
      return request.method == method && request.target.find(in_target) != std::string::npos
                 ? fault
                 : S3Fault::kNone;
    };
  }

  testing::SimClock clock_;
  os::SeededRandom random_{1};
  telemetry::Registry registry_;
  testing::SimFileSystem files_;
  FakeBucket bucket_;
  std::unique_ptr<S3ArchiveStore> store_;
};

TEST_F(S3ArchiveStoreTest, ClaimsThenMakesAFile) {
  ASSERT_TRUE(publish(5, 9).has_value());

  EXPECT_THAT(keys(),
              ElementsAre(kClaims + "00000000000000000005.json", kFolder + "web-3-5-9.parquet"));
  EXPECT_EQ(bucket_.objects[kFolder + "web-3-5-9.parquet"].body, "rows");
  EXPECT_EQ(bucket_.objects[kClaims + "00000000000000000005.json"].body,
            "{\"version\":1,\"topic\":\"web\",\"partition\":3,\"first\":5,\"last\":9,\"rows\":5,"
            "\"hour\":476268,\"object\":\"" +
                kFolder + "web-3-5-9.parquet\"}\n");
  EXPECT_THAT(*files_.list("/spool"), ElementsAre(".lock"));
}

TEST_F(S3ArchiveStoreTest, SendsALargeFileInParts) {
  const std::string contents = "0123456789abcdefghijXYZ";

  ASSERT_TRUE(publish(0, 1, contents).has_value());

  EXPECT_EQ(bucket_.objects[kFolder + "web-3-0-1.parquet"].body, contents);
  EXPECT_THAT(bucket_.uploads, IsEmpty());
}

TEST_F(S3ArchiveStoreTest, ListsWhatItHasMade) {
  ASSERT_TRUE(publish(0, 1).has_value());
  ASSERT_TRUE(store_->mark_missing("web", PartitionId(3), {Offset(2), Offset(4)}).has_value());
  ASSERT_TRUE(publish(5, 9).has_value());

  const auto scanned = make()->scan("web");
  EXPECT_EQ(scanned->at(PartitionId(3)).range, (OffsetRange{Offset(0), Offset(9)}));
  EXPECT_EQ(scanned->at(PartitionId(3)).file_count, 2U);
  EXPECT_THAT(*store_->topics(), ElementsAre("web"));
  EXPECT_THAT(*store_->begun("web"), IsEmpty());
  EXPECT_EQ(store_->look_up("web", PartitionId(3), Offset(0))->next, Offset(10));
}

TEST_F(S3ArchiveStoreTest, AnotherRangeOfTheSameBeginningIsRefused) {
  ASSERT_TRUE(publish(0, 9).has_value());

  const auto refused = make()->publish({.path = "/nowhere",
                                        .size = 1,
                                        .topic = "web",
                                        .partition = PartitionId(3),
                                        .hour = kHour,
                                        .range = {Offset(0), Offset(7)},
                                        .row_count = 8});

  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kAbortTxn);
  EXPECT_THAT(refused.error().message(), HasSubstr("has begun offsets 0 to 9"));
}

TEST_F(S3ArchiveStoreTest, TheSameFileTwiceIsOne) {
  ASSERT_TRUE(publish(0, 9).has_value());
  ASSERT_TRUE(publish(0, 9).has_value());

  EXPECT_EQ(bucket_.objects.size(), 2U);
}

TEST_F(S3ArchiveStoreTest, ALostAnswerIsNoMatter) {
  fail(S3Fault::kAnswerLost, "PUT", ".parquet");
  EXPECT_TRUE(publish(0, 9).has_value());

  fail(S3Fault::kDoneDisguised, "POST", "uploadId");
  EXPECT_TRUE(publish(10, 19, "0123456789abcdef").has_value());
  EXPECT_EQ(bucket_.objects[kFolder + "web-3-10-19.parquet"].body, "0123456789abcdef");
}

TEST_F(S3ArchiveStoreTest, WhatFailedForGoodIsKnownAsBegun) {
  fail(S3Fault::kSlowDown, "PUT", ".parquet");
  const Status failed = publish(0, 9);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code(), ErrorCode::kRetry);
  bucket_.fault = [](const auto&) { return S3Fault::kNone; };

  const auto end = store_->look_up("web", PartitionId(3), Offset(0));
  EXPECT_EQ(end->next, Offset(0));
  EXPECT_EQ(end->claim, (ArchiveClaim{kHour, {Offset(0), Offset(9)}}));
  ASSERT_EQ(store_->begun("web")->size(), 1U);
  EXPECT_EQ(store_->begun("web")->front().name, "00000000000000000000.json");
}

TEST_F(S3ArchiveStoreTest, AFailedUploadIsAborted) {
  fail(S3Fault::kSlowDown, "PUT", "partNumber=2");

  EXPECT_FALSE(publish(0, 9, "0123456789abcdef").has_value());
  EXPECT_THAT(bucket_.uploads, IsEmpty());
}

TEST_F(S3ArchiveStoreTest, LeftoverUploadsOfATopicAreAborted) {
  bucket_.uploads["1"] = {.key = kFolder + "web-3-0-9.parquet", .object = {}, .parts = {}};
  bucket_.uploads["2"] = {.key = "p/topic=website/x", .object = {}, .parts = {}};

  ASSERT_TRUE(store_->scan("web").has_value());

  EXPECT_EQ(bucket_.uploads.size(), 1U);
  EXPECT_TRUE(bucket_.uploads.contains("2"));
}

TEST_F(S3ArchiveStoreTest, AForeignObjectInTheWayIsNamed) {
  bucket_.objects[kFolder + "web-3-0-9.parquet"] = {.body = "mine", .headers = {}};

  const Status refused = publish(0, 9);

  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message(), HasSubstr("web-3-0-9.parquet"));
  EXPECT_EQ(bucket_.objects[kFolder + "web-3-0-9.parquet"].body, "mine");
}

TEST_F(S3ArchiveStoreTest, WhatWasMovedAwayIsNotMadeAgain) {
  ASSERT_TRUE(publish(0, 9).has_value());
  ASSERT_TRUE(publish(10, 19).has_value());
  bucket_.objects.erase(kFolder + "web-3-0-9.parquet");

  const auto end = store_->look_up("web", PartitionId(3), Offset(0));

  EXPECT_EQ(end->next, Offset(20));
  EXPECT_FALSE(end->claim.has_value());
  EXPECT_THAT(*store_->begun("web"), IsEmpty());
}

TEST_F(S3ArchiveStoreTest, FinishesAMarkThatWasOnlyClaimed) {
  fail(S3Fault::kSlowDown, "PUT", ".missing");
  EXPECT_FALSE(store_->mark_missing("web", PartitionId(3), {Offset(0), Offset(4)}).has_value());
  bucket_.fault = [](const auto&) { return S3Fault::kNone; };

  EXPECT_EQ(store_->look_up("web", PartitionId(3), Offset(0))->next, Offset(5));
  EXPECT_TRUE(bucket_.objects.contains("p/topic=web/_web-3-0-4.missing"));
}

TEST_F(S3ArchiveStoreTest, FetchesAFileAndChecksIt) {
  ASSERT_TRUE(publish(0, 9, "the rows of this file").has_value());
  const ArchivedFile file = store_->list("web")->front();
  {
    const auto copy = store_->fetch(file);
    ASSERT_TRUE(copy.has_value()) << copy.error().message();
    EXPECT_EQ(as_text(*os::read_file(files_, (*copy)->path())), "the rows of this file");
  }
  EXPECT_THAT(*files_.list("/spool"), ElementsAre(".lock"));

  bucket_.objects[kFolder + "web-3-0-9.parquet"].body[3] = 'X';
  EXPECT_EQ(store_->fetch(file).error().code(), ErrorCode::kCorrupt);
}

TEST_F(S3ArchiveStoreTest, OnlyOneProcessHasTheSpool) {
  EXPECT_EQ(make()->open().error().code(), ErrorCode::kBusy);
}

}  // namespace
}  // namespace penstock::sinks
