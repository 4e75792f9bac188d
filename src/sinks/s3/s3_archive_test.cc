// An archive in a bucket where somebody has begun a file before: what the log holds goes into just
// that file, whatever has become of the log meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/internal_headers.h"
#include "sinks/archive/archive_sink.h"
#include "sinks/archive/parquet_rows.h"
#include "sinks/s3/fake_s3_for_test.h"
#include "sinks/s3/s3_archive_store.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "testing/sim_log.h"

namespace penstock::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class S3ArchiveTest : public ::testing::Test {
 protected:
  S3ArchiveTest() {
    EXPECT_TRUE(log_.ensure_topic({.name = "web", .partition_count = 1}).has_value());
    append(6);
    append(6);
  }

  void append(std::int64_t count) {
    RecordBatchBuilder builder;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto ingest = encode_ingest_time(1'714'564'800'000'000);  // 2024-05-01T12:00:00Z
      const HeaderView header{kIngestTimeHeader, ByteView(ingest)};
      builder.append(Timestamp(i), std::nullopt, as_bytes("value"), {&header, 1});
    }
    std::vector<log::PartitionBatch> batches;
    batches.push_back({partition(), builder.finish()});
    ASSERT_TRUE(log_.append(std::move(batches), [](auto) {}).has_value());
    log_.run_once();
  }

  [[nodiscard]] TopicPartition partition() const { return {log_.topic("web")->id, PartitionId(0)}; }

  void claim(std::int64_t first, std::int64_t last) {
    const std::string digits = std::to_string(first);
    bucket_.objects["_manifest/topic=web/partition=0/" + std::string(20 - digits.size(), '0') +
                    digits + ".json"] = {
        .body = "{\"version\":1,\"topic\":\"web\",\"partition\":0,\"first\":" + digits +
                ",\"last\":" + std::to_string(last) +
                ",\"rows\":1,\"hour\":476268,\"object\":\"x\"}",
        .headers = {}};
  }

  std::unique_ptr<ArchiveSink> open() {
    auto sink =
        ArchiveSink::open({log_, files_, registry_, logger_},
                          make_fake_s3_store({files_, clock_, random_, registry_, bucket_}, 1,
                                             {.spool_directory = "/spool"}),
                          {.takes = [](const auto&) { return true; },
                           .breaker = {.sliding_window_size = 4, .minimum_number_of_calls = 4}},
                          clock_.now());
    EXPECT_TRUE(sink.has_value()) << sink.error().message();
    return *std::move(sink);
  }

  Status finish(ArchiveSink& sink) {
    PENSTOCK_TRY(sink.request_finish(clock_.now()));
    while (!sink.finished()) {
      PENSTOCK_TRY(sink.run_once(clock_.now()));
    }
    return {};
  }

  // "first-last: rows" of each file.
  std::vector<std::string> files() {
    std::vector<std::string> found;
    for (const auto& [key, object] : bucket_.objects) {
      if (key.ends_with(".parquet")) {
        const ByteView body = as_bytes(object.body);
        const auto contents = read_parquet(Bytes(body.begin(), body.end()));
        const std::size_t name = key.find("web-0-") + 6;
        found.push_back(key.substr(name, key.size() - name - 8) + ": " +
                        std::to_string(contents->rows.size()));
      }
    }
    return found;
  }

  double missing() {
    return *registry_.value("penstock_archive_missing_records_total",
                            {{"topic", "web"}, {"store", "s3"}});
  }

  testing::SimClock clock_;
  os::SeededRandom random_{1};
  telemetry::Registry registry_;
  std::string operator_log_;
  telemetry::Logger logger_{clock_,
                            {.write = [this](std::string_view line) { operator_log_ += line; }}};
  testing::SimLog log_;
  testing::SimFileSystem files_;
  FakeBucket bucket_;
};

TEST_F(S3ArchiveTest, WhatWasBegunEndsWhereItWasSaidTo) {
  claim(0, 3);  // within a batch

  ASSERT_TRUE(finish(*open()).has_value());

  EXPECT_THAT(files(), ElementsAre("0-3: 4", "4-11: 8"));
}

TEST_F(S3ArchiveTest, ChainsOfClaimsAreFollowed) {
  claim(0, 3);
  claim(4, 5);  // so the one before was finished, and moved away since
  claim(6, 11);

  ASSERT_TRUE(finish(*open()).has_value());

  EXPECT_THAT(files(), ElementsAre("6-11: 6"));
}

TEST_F(S3ArchiveTest, RecordsThatAreGoneAreLeftOutOfWhatWasBegun) {
  claim(0, 8);
  log_.drop_before(partition(), Offset(6));

  ASSERT_TRUE(finish(*open()).has_value());

  EXPECT_THAT(files(), ElementsAre("0-8: 3", "9-11: 3"));
  EXPECT_EQ(missing(), 6);
  EXPECT_THAT(operator_log_, HasSubstr("first=0 last=5 count=6"));
}

TEST_F(S3ArchiveTest, EvenIfAllOfThemAre) {
  claim(0, 3);
  log_.drop_before(partition(), Offset(6));

  ASSERT_TRUE(finish(*open()).has_value());

  EXPECT_THAT(files(), ElementsAre("0-3: 0", "6-11: 6"));
  EXPECT_TRUE(bucket_.objects.contains("topic=web/_web-0-4-5.missing"));
}

TEST_F(S3ArchiveTest, ALostBatchIsLeftOutOfWhatWasBegun) {
  claim(0, 11);
  log_.lose_batch(partition(), Offset(6));

  ASSERT_TRUE(finish(*open()).has_value());

  EXPECT_THAT(files(), ElementsAre("0-11: 6"));
  EXPECT_EQ(missing(), 6);
}

TEST_F(S3ArchiveTest, AClaimBeyondTheEndOfTheLogIsOfAnotherLog) {
  claim(0, 99);

  const Status refused = finish(*open());

  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message(), HasSubstr("the archive belongs to another log"));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(S3ArchiveTest, AServerThatIsAwayAtTheStartIsAskedAgainLater) {
  bucket_.fault = [](const auto&) { return S3Fault::kLost; };
  const auto sink = open();
  EXPECT_THAT(operator_log_, HasSubstr("lost"));
  bucket_.fault = [](const auto&) { return S3Fault::kNone; };

  ASSERT_TRUE(finish(*sink).has_value());

  EXPECT_THAT(files(), ElementsAre("0-11: 12"));
}

TEST_F(S3ArchiveTest, AnOpenBreakerLeavesTheServerAlone) {
  const auto sink = open();
  ASSERT_EQ(*sink->run_once(clock_.now()), 0U);  // from now on they wait
  bucket_.fault = [](const auto&) { return S3Fault::kFailed; };
  for (int i = 0; i < 3; ++i) {
    clock_.advance(std::chrono::seconds(61));
    EXPECT_FALSE(sink->run_once(clock_.now()).has_value());
  }
  EXPECT_EQ(registry_.value("penstock_archive_breaker_state", {{"store", "s3"}}), 1);
  const std::size_t asked = bucket_.requests.size();

  clock_.advance(std::chrono::seconds(30));
  EXPECT_EQ(*sink->run_once(clock_.now()), 0U);
  EXPECT_EQ(bucket_.requests.size(), asked);

  bucket_.fault = [](const auto&) { return S3Fault::kNone; };
  clock_.advance(std::chrono::seconds(31));
  ASSERT_TRUE(finish(*sink).has_value());
  EXPECT_THAT(files(), ElementsAre("0-11: 12"));
}

}  // namespace
}  // namespace penstock::sinks
