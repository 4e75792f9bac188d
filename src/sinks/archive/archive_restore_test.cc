// Archives, verifies and restores, with a simulated disk and log.
#include "sinks/archive/archive_restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/internal_headers.h"
#include "sinks/archive/archive_sink.h"
#include "sinks/archive/archive_verify.h"
#include "sinks/archive/local_archive_store.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "testing/sim_log.h"

namespace penstock::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kNoon = 1'714'564'800'000'000;  // 2024-05-01T12:00:00Z
const std::string kFolder = "/a/topic=web/dt=2024-05-01/hour=12/";

class ArchiveRestoreTest : public ::testing::Test {
 protected:
  ArchiveRestoreTest() {
    EXPECT_TRUE(log_.ensure_topic({.name = "web", .partition_count = 2}).has_value());
    append(0, {"{\"n\":1}", std::nullopt, "caf\xe9"});  // an event, a tombstone, no text
    append(0, {"3", "4"});
    append(1, {"5"});
    archive();
  }

  void append(std::int32_t partition, const std::vector<std::optional<std::string>>& values) {
    RecordBatchBuilder builder;
    for (const auto& value : values) {
      const auto ingest = encode_ingest_time(kNoon);
      std::vector<HeaderView> headers = {{"source", as_bytes("app")}, {"none", std::nullopt}};
      if (builder.empty()) {
        headers.push_back({kIngestTimeHeader, ByteView(ingest)});
      }
      builder.append(Timestamp(1'000 + ++count_), as_bytes("key"),
                     value.has_value() ? std::optional(as_bytes(*value)) : std::nullopt, headers);
    }
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{log_.topic("web")->id, PartitionId(partition)}, builder.finish()});
    ASSERT_TRUE(log_.append(std::move(batches), [](auto) {}).has_value());
    log_.run_once();
  }

  // Two rows a file at most, cut at the ends of batches.
  void archive() {
    auto sink = ArchiveSink::open(
        {log_, disk_, registry_, logger_}, std::make_unique<LocalArchiveStore>(disk_, "/a"),
        {.takes = [](const auto& topic) { return topic.config.name == "web"; }, .file_rows_max = 2},
        clock_.now());
    ASSERT_TRUE(sink.has_value());
    ASSERT_TRUE((*sink)->request_finish(clock_.now()).has_value());
    while (!(*sink)->finished()) {
      ASSERT_TRUE((*sink)->run_once(clock_.now()).has_value());
    }
  }

  Result<RestoreReport> restore(const std::string& to, bool among_others = false) {
    return restore_topic({log_, disk_, clock_}, store_,
                         {.topic = "web",
                          .to = to,
                          .among_others = among_others,
                          .batch_size_max = 1,
                          .idle = [this] { log_.run_once(); }});
  }

  // "partition offset timestamp key value headers" of each record.
  std::vector<std::string> records(const std::string& topic, bool with_restored = false) {
    std::vector<std::string> found;
    auto consumer = log_.open_consumer({.name = "test", .group_id = {}, .topics = {}});
    const TopicId id = log_.topic(topic)->id;
    EXPECT_TRUE((*consumer)->assign(
        {{{id, PartitionId(0)}, Offset(0)}, {{id, PartitionId(1)}, Offset(0)}}));
    const auto polled = (*consumer)->poll(1'000'000);
    for (const log::FetchedBatch& batch : polled->batches) {
      RecordReader reader(*RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kChecksum));
      RecordView record;
      while (reader.next(record)) {
        found.push_back(to_string(batch.from.partition) + " " + to_text(record, with_restored));
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  static std::string to_text(const RecordView& record, bool with_restored) {
    std::string text = to_string(record.offset) + " " + to_string(record.timestamp) + " " +
                       std::string(as_text(*record.key)) + " " +
                       (record.value ? std::string(as_text(*record.value)) : "null");
    HeaderReader headers(record);
    HeaderView header;
    while (headers.next(header)) {
      if (header.key.starts_with("penstock.restored.") && !with_restored) {
        continue;
      }
      if (header.key == kIngestTimeHeader) {
        text += " accepted " + std::to_string(*decode_ingest_time(header.value));
      } else {
        text += " " + std::string(header.key) + "=" +
                (header.value ? std::string(as_text(*header.value)) : "null");
      }
    }
    return text;
  }

  std::pair<VerifyReport, std::vector<std::string>> verify() {
    std::vector<std::string> findings;
    const auto report = verify_archive(
        disk_, store_, {.say = [&](const std::string& finding) { findings.push_back(finding); }});
    EXPECT_TRUE(report.has_value());
    return {*report, findings};
  }

  testing::SimClock clock_;
  telemetry::Registry registry_;
  telemetry::Logger logger_{clock_, {.write = [](std::string_view) {}}};
  testing::SimFileSystem disk_;
  testing::SimLog log_;
  LocalArchiveStore store_{disk_, "/a"};
  std::int64_t count_ = 0;
};

// Every restored batch says when it was accepted, also those that did not when they were archived.
std::vector<std::string> without_ingest_time(std::vector<std::string> records) {
  for (std::string& record : records) {
    record = record.substr(0, record.find(" accepted"));
  }
  return records;
}

TEST_F(ArchiveRestoreTest, BringsEveryRecordBackAsItWas) {
  const auto report = restore("again");

  ASSERT_TRUE(report.has_value()) << report.error().message();
  EXPECT_EQ(report->records, 6U);
  EXPECT_TRUE(report->is_complete);
  EXPECT_EQ(without_ingest_time(records("again")), without_ingest_time(records("web")));
}

TEST_F(ArchiveRestoreTest, SaysWhereEachRecordWas) {
  ASSERT_TRUE(restore("again").has_value());

  EXPECT_THAT(records("again", true).back(),
              "1 0 1006 key 5 source=app none=null penstock.restored.topic=web "
              "penstock.restored.partition=1 penstock.restored.offset=0 accepted " +
                  std::to_string(kNoon));
}

TEST_F(ArchiveRestoreTest, FindsNothingToDoTheSecondTime) {
  ASSERT_TRUE(restore("again").has_value());

  EXPECT_EQ(restore("again")->records, 0U);
  EXPECT_EQ(records("again").size(), 6U);
}

TEST_F(ArchiveRestoreTest, GoesOnWhereItStopped) {
  log_.lose_commit_answers(1);
  EXPECT_FALSE(restore("again").has_value());
  log_.fail_commits(1, ErrorCode::kBusy);
  EXPECT_FALSE(restore("again").has_value());

  ASSERT_TRUE(restore("again").has_value());
  EXPECT_EQ(without_ingest_time(records("again")), without_ingest_time(records("web")));
}

TEST_F(ArchiveRestoreTest, RefusesATopicWithRecordsOfOthersUnlessAsked) {
  const auto refused = restore("");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(records("web").size(), 6U);

  EXPECT_EQ(restore("", true)->records, 6U);
  EXPECT_EQ(records("web").size(), 12U);
}

TEST_F(ArchiveRestoreTest, ASoundArchiveHasNoFindings) {
  const auto [report, findings] = verify();

  EXPECT_THAT(findings, IsEmpty());
  EXPECT_EQ(report.topics, 1U);
  EXPECT_EQ(report.files, 3U);
  EXPECT_EQ(report.rows, 6U);
}

TEST_F(ArchiveRestoreTest, VerifyFindsALostFile) {
  ASSERT_TRUE(disk_.rename(kFolder + "web-0-3-4.parquet", "/gone").has_value());
  append(0, {"x"});
  ASSERT_TRUE(disk_.rename("/gone", kFolder + "web-0-4-5.parquet").has_value());

  const auto [report, findings] = verify();
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_THAT(findings[0], HasSubstr("the archive has a gap between"));
  EXPECT_THAT(findings[1], HasSubstr("the row of offset 3 is not of its range"));
}

TEST_F(ArchiveRestoreTest, VerifyFindsAFileWithFewerRowsThanItsName) {
  ASSERT_TRUE(disk_.rename(kFolder + "web-0-3-4.parquet", kFolder + "web-0-3-9.parquet"));

  EXPECT_THAT(verify().second, ElementsAre(HasSubstr("it holds 2 rows, but its range is 3 to 9")));
}

// Noise does not compress, so its bytes are in the file as they are.
TEST_F(ArchiveRestoreTest, VerifyFindsEveryChangedByteOfAValue) {
  os::SeededRandom random(1);
  std::string noise;
  for (int i = 0; i < 500; ++i) {
    noise += static_cast<char>(random.below(256));
  }
  append(0, {noise});
  archive();
  const std::string path = kFolder + "web-0-5-5.parquet";
  const Bytes sound = *os::read_file(disk_, path);
  const std::size_t begin = as_text(sound).find(noise);
  ASSERT_NE(begin, std::string::npos);
  int missed = 0;
  for (std::size_t at = begin; at < begin + noise.size(); ++at) {
    Bytes damaged = sound;
    damaged[at] ^= std::byte{1};
    ASSERT_TRUE(os::write_file_atomically(disk_, path, damaged).has_value());
    missed += verify().second.empty() ? 1 : 0;
  }
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace penstock::sinks
