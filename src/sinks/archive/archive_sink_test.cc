#include "sinks/archive/archive_sink.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/internal_headers.h"
#include "sinks/archive/local_archive_store.h"
#include "sinks/archive/parquet_rows.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "testing/sim_log.h"

namespace penstock::sinks {
namespace {

using penstock::testing::DiskOp;
using penstock::testing::SimClock;
using penstock::testing::SimFileSystem;
using penstock::testing::SimLog;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kNoon = 1'714'564'800'000'000;  // 2024-05-01T12:00:00Z
constexpr std::int64_t kHour = 3'600'000'000;
const std::string kNoonFolder = "/a/topic=web/dt=2024-05-01/hour=12/";

struct Event {
  std::string value;
  std::int64_t timestamp_ms = 1000;
  std::optional<std::int64_t> ingest_us = {};
};

// A log and an archive of it, both in memory; the log survives every crash of the archive.
class ArchiveSinkTest : public ::testing::Test {
 protected:
  ArchiveSinkTest() { create_topic("web", 1); }

  void create_topic(const std::string& name, std::int32_t partitions) {
    ASSERT_TRUE(log_.ensure_topic({.name = name, .partition_count = partitions}).has_value());
  }

  // One batch.
  void append(const std::vector<Event>& events, std::int32_t partition = 0,
              const std::string& topic = "web", const std::string& key = "key") {
    RecordBatchBuilder builder;
    for (const Event& event : events) {
      std::vector<HeaderView> headers;
      std::array<std::byte, 8> ingest{};
      if (event.ingest_us.has_value()) {
        ingest = encode_ingest_time(*event.ingest_us);
        headers.push_back({kIngestTimeHeader, ByteView(ingest)});
      }
      builder.append(Timestamp(event.timestamp_ms), as_bytes(key), as_bytes(event.value), headers);
    }
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{log_.topic(topic)->id, PartitionId(partition)}, builder.finish()});
    ASSERT_TRUE(
        log_.append(std::move(batches), [](auto result) { ASSERT_TRUE(result.has_value()); })
            .has_value());
    log_.run_once();
  }

  // `count` events in a batch, accepted at `ingest_us`.
  void append_many(std::size_t count, std::int64_t ingest_us = kNoon, std::int32_t partition = 0) {
    std::vector<Event> events;
    for (std::size_t i = 0; i < count; ++i) {
      events.push_back({.value = "{\"n\":" + std::to_string(i) + "}"});
    }
    events.front().ingest_us = ingest_us;
    append(events, partition);
  }

  [[nodiscard]] Result<std::unique_ptr<ArchiveSink>> open(SimFileSystem& disk) {
    return ArchiveSink::open({log_, disk, registry_, logger_},
                             std::make_unique<LocalArchiveStore>(disk, "/a"), options_,
                             clock_.now());
  }

  // Opened, with everything in the log archived.
  std::unique_ptr<ArchiveSink> archive_all() {
    auto sink = open(disk_);
    EXPECT_TRUE(sink.has_value()) << sink.error().message();
    EXPECT_TRUE(finish(**sink).has_value());
    return *std::move(sink);
  }

  [[nodiscard]] Status finish(ArchiveSink& sink) {
    PENSTOCK_TRY(sink.request_finish(clock_.now()));
    for (int step = 0; step < 10'000; ++step) {
      if (sink.finished()) {
        return {};
      }
      PENSTOCK_TRY(sink.run_once(clock_.now()));
      clock_.advance(milliseconds(1));
    }
    return Error(ErrorCode::kFatal, "the archive does not finish");
  }

  // Steps until nothing is due, at this moment.
  void run(ArchiveSink& sink) {
    for (;;) {
      const auto taken = sink.run_once(clock_.now());
      ASSERT_TRUE(taken.has_value()) << taken.error().message();
      if (*taken == 0) {
        return;
      }
    }
  }

  static std::vector<std::string> files_below(SimFileSystem& disk, const std::string& folder) {
    std::vector<std::string> paths;
    const auto names = disk.list(folder);
    if (!names.has_value()) {
      return {};
    }
    for (const std::string& name : *names) {
      const std::string path = os::join_path(folder, name);
      const std::vector<std::string> below = files_below(disk, path);
      if (disk.list(path).has_value()) {
        paths.insert(paths.end(), below.begin(), below.end());
      } else if (name != ".lock") {
        paths.push_back(path);
      }
    }
    return paths;
  }

  [[nodiscard]] std::vector<std::string> files() { return files_below(disk_, "/a"); }

  static std::vector<ParquetRow> rows(SimFileSystem& disk, const std::string& path) {
    const auto contents = read_parquet(*os::read_file(disk, path));
    EXPECT_TRUE(contents.has_value()) << path;
    return contents.has_value() ? contents->rows : std::vector<ParquetRow>{};
  }

  [[nodiscard]] double metric(const std::string& name, const std::string& topic = "web") {
    return registry_.value(name, {{"topic", topic}, {"store", "local"}}).value_or(-1);
  }

  SimClock clock_;
  std::string operator_log_;
  telemetry::Registry registry_;
  telemetry::Logger logger_{clock_,
                            {.write = [this](std::string_view line) { operator_log_ += line; }}};
  SimLog log_;
  SimFileSystem disk_;
  std::set<std::string> archived_{"web"};
  ArchiveSink::Options options_{.takes = [this](const log::TopicInfo& topic) {
    return archived_.contains(topic.config.name);
  }};
};

TEST_F(ArchiveSinkTest, RecordsComeOutAsTheyWentIn) {
  append({{.value = R"({"a":1})", .timestamp_ms = 77, .ingest_us = kNoon},
          {.value = R"({"b": 2 })", .timestamp_ms = 78}});

  const auto sink = archive_all();

  const std::string path = kNoonFolder + "web-0-0-1.parquet";
  EXPECT_THAT(files(), ElementsAre(path));
  EXPECT_THAT(rows(disk_, path),
              ElementsAre(ParquetRow{0, 0, 77, "key", R"({"a":1})", {}, kNoon},
                          ParquetRow{0, 1, 78, "key", R"({"b": 2 })", {}, kNoon}));
  EXPECT_EQ(metric("penstock_archive_rows_total"), 2);
  EXPECT_EQ(metric("penstock_archive_files_total"), 1);
  EXPECT_EQ(metric("penstock_archive_bytes_total"),
            static_cast<double>(os::read_file(disk_, path)->size()));
}

TEST_F(ArchiveSinkTest, APartitionWaitsForTheRollInterval) {
  const auto sink = open(disk_);
  append_many(10);
  run(**sink);
  clock_.advance(seconds(59));
  run(**sink);
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_EQ(metric("penstock_archive_lag_records"), 10);
  EXPECT_EQ(metric("penstock_archive_lag_seconds"), 59);

  clock_.advance(seconds(1));
  run(**sink);

  EXPECT_THAT(files(), ElementsAre(kNoonFolder + "web-0-0-9.parquet"));
  EXPECT_EQ(metric("penstock_archive_lag_records"), 0);
  EXPECT_EQ(metric("penstock_archive_lag_seconds"), 0);
}

TEST_F(ArchiveSinkTest, APartitionWithEnoughForAFileDoesNotWait) {
  options_.file_rows_max = 20;
  const auto sink = open(disk_);
  append_many(15);
  run(**sink);
  EXPECT_THAT(files(), IsEmpty());
  append_many(15);
  append_many(15);
  clock_.advance(milliseconds(100));

  run(**sink);

  EXPECT_THAT(files(),
              ElementsAre(kNoonFolder + "web-0-0-29.parquet", kNoonFolder + "web-0-30-44.parquet"));
}

TEST_F(ArchiveSinkTest, FilesRollBySize) {
  options_.file_size_max = 100;
  append_many(10);  // about 100 bytes
  append_many(10);
  append_many(2);

  const auto sink = archive_all();

  EXPECT_THAT(files(),
              ElementsAre(kNoonFolder + "web-0-0-9.parquet", kNoonFolder + "web-0-10-19.parquet",
                          kNoonFolder + "web-0-20-21.parquet"));
}

TEST_F(ArchiveSinkTest, AFileHoldsOneHourOfAcceptance) {
  append_many(2, kNoon + kHour - 1);
  append({{.value = "1", .ingest_us = kNoon + kHour},
          {.value = "2"},
          {.value = "3", .ingest_us = kNoon + 2 * kHour},
          {.value = "4"}});
  append_many(1, kNoon + kHour + 5);

  const auto sink = archive_all();

  EXPECT_THAT(files(), ElementsAre("/a/topic=web/dt=2024-05-01/hour=12/web-0-0-1.parquet",
                                   "/a/topic=web/dt=2024-05-01/hour=13/web-0-2-3.parquet",
                                   "/a/topic=web/dt=2024-05-01/hour=13/web-0-6-6.parquet",
                                   "/a/topic=web/dt=2024-05-01/hour=14/web-0-4-5.parquet"));
}

TEST_F(ArchiveSinkTest, WithoutATimeOfAcceptanceTheRecordsOwnTimeIsShownAndDoesNotRoll) {
  append({{.value = "1", .timestamp_ms = kNoon / 1000},
          {.value = "2", .timestamp_ms = kNoon / 1000 - 86'400'000},
          {.value = "3", .timestamp_ms = std::numeric_limits<std::int64_t>::max()}});

  const auto sink = archive_all();

  const std::string path = kNoonFolder + "web-0-0-2.parquet";
  ASSERT_THAT(files(), ElementsAre(path));
  EXPECT_EQ(rows(disk_, path)[1].ingest_us, kNoon - 24 * kHour);
}

TEST_F(ArchiveSinkTest, GoesOnAfterTheLastNameWhenOpenedAgain) {
  append_many(10);
  archive_all().reset();
  append_many(5);

  const auto sink = archive_all();

  EXPECT_EQ(sink->next_offset("web", PartitionId(0)), Offset(15));
  EXPECT_THAT(files(),
              ElementsAre(kNoonFolder + "web-0-0-9.parquet", kNoonFolder + "web-0-10-14.parquet"));
}

TEST_F(ArchiveSinkTest, FindsTheTimeOfAcceptanceOfABatchItGoesOnWithin) {
  append({{.value = "1", .ingest_us = kNoon}, {.value = "2"}, {.value = "3"}});
  archive_all().reset();
  ASSERT_TRUE(disk_.rename(kNoonFolder + "web-0-0-2.parquet", kNoonFolder + "web-0-0-0.parquet")
                  .has_value());

  const auto sink = archive_all();

  ASSERT_THAT(files(),
              ElementsAre(kNoonFolder + "web-0-0-0.parquet", kNoonFolder + "web-0-1-2.parquet"));
  EXPECT_EQ(rows(disk_, kNoonFolder + "web-0-1-2.parquet")[0],
            (ParquetRow{0, 1, 1000, "key", "2", {}, kNoon, {}}));
}

TEST_F(ArchiveSinkTest, AllPartitionsAndTopicsAreArchived) {
  create_topic("app", 3);
  append({{.value = "1", .ingest_us = kNoon}}, 0, "app");
  append({{.value = "2", .ingest_us = kNoon}}, 2, "app");
  append_many(4);
  const auto sink = archive_all();
  archived_.insert("app");

  ASSERT_TRUE(finish(*sink).has_value());

  EXPECT_THAT(files(), ElementsAre("/a/topic=app/dt=2024-05-01/hour=12/app-0-0-0.parquet",
                                   "/a/topic=app/dt=2024-05-01/hour=12/app-2-0-0.parquet",
                                   kNoonFolder + "web-0-0-3.parquet"));
}

TEST_F(ArchiveSinkTest, ValuesThatAreNoTextKeepTheirBytes) {
  append({{.value = "\xff not text", .ingest_us = kNoon}, {.value = "text"}});

  const auto sink = archive_all();

  const std::vector<ParquetRow> found = rows(disk_, kNoonFolder + "web-0-0-1.parquet");
  EXPECT_EQ(found[0].value, std::nullopt);
  EXPECT_EQ(found[0].value_bytes, "\xff not text");
  EXPECT_EQ(found[1].value, "text");
  EXPECT_EQ(found[1].value_bytes, std::nullopt);
}

TEST_F(ArchiveSinkTest, TopicsThatAreMadeWhileItRunsAreFound) {
  archived_.insert("later");
  options_.roll_interval = milliseconds(0);
  const auto sink = open(disk_);
  ASSERT_TRUE(sink.has_value());
  run(**sink);
  create_topic("later", 1);
  create_topic("other", 1);
  append({{.value = "{}", .ingest_us = kNoon}}, 0, "later");
  append({{.value = "{}", .ingest_us = kNoon}}, 0, "other");

  clock_.advance(options_.discover_interval);
  run(**sink);

  EXPECT_THAT(files(), ElementsAre("/a/topic=later/dt=2024-05-01/hour=12/later-0-0-0.parquet"));
}

TEST_F(ArchiveSinkTest, ANewTopicThatCannotBeArchivedDoesNotKeepOutTheOthers) {
  archived_.insert({"bad", "later"});
  const auto sink = open(disk_);
  ASSERT_TRUE(sink.has_value());
  const std::string stray = "/a/topic=bad/dt=2024-05-01/hour=12/stray.parquet";
  ASSERT_TRUE(disk_.create_directories(os::parent_path(stray)).has_value());
  ASSERT_TRUE(os::write_file_atomically(disk_, stray, as_bytes("not ours")).has_value());
  create_topic("bad", 1);
  create_topic("later", 1);
  append({{.value = "{}", .ingest_us = kNoon}}, 0, "later");
  append({{.value = "{}", .ingest_us = kNoon}});

  const Status refused = (*sink)->request_finish(clock_.now());
  for (int step = 0; step < 10 && !(*sink)->finished(); ++step) {
    static_cast<void>((*sink)->run_once(clock_.now()));  // it says so again
  }

  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message(), HasSubstr("a file that is not its own"));
  EXPECT_THAT(files(),
              ElementsAre(stray, "/a/topic=later/dt=2024-05-01/hour=12/later-0-0-0.parquet",
                          kNoonFolder + "web-0-0-0.parquet"));
}

TEST_F(ArchiveSinkTest, ATopicThatIsNoTextIsRefusedAndTheOthersGoOn) {
  create_topic("app", 1);
  archived_.insert("app");
  append({{.value = "fine", .ingest_us = kNoon}}, 0, "app", "\xff");
  append({{.value = "fine", .ingest_us = kNoon}});
  const auto sink = open(disk_);
  ASSERT_TRUE((*sink)->request_finish(clock_.now()).has_value());

  const auto refused = (*sink)->run_once(clock_.now());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message(),
            "archive of topic app, partition 0: the key at offset 0 is not UTF-8 text");
  EXPECT_TRUE((*sink)->run_once(clock_.now()).has_value());

  EXPECT_THAT(files(), ElementsAre(kNoonFolder + "web-0-0-0.parquet"));
  EXPECT_EQ(metric("penstock_archive_errors_total"), 0);
  EXPECT_EQ(metric("penstock_archive_errors_total", "app"), 1);
}

TEST_F(ArchiveSinkTest, ADeletedTopicDoesNotStopTheOthers) {
  create_topic("app", 1);
  archived_.insert("app");
  const auto sink = open(disk_);
  append_many(3);
  ASSERT_TRUE(log_.delete_topic("app").has_value());

  EXPECT_TRUE(finish(**sink).has_value());

  EXPECT_THAT(files(), ElementsAre(kNoonFolder + "web-0-0-2.parquet"));
}

TEST_F(ArchiveSinkTest, RecordsDeletedBeforeTheyWereArchivedAreNotedCountedAndSaid) {
  append_many(10);
  archive_all().reset();
  append_many(10);
  append_many(10);
  log_.drop_before({log_.topic("web")->id, PartitionId(0)}, Offset(20));

  archive_all().reset();

  EXPECT_THAT(files(),
              ElementsAre("/a/topic=web/_web-0-10-19.missing", kNoonFolder + "web-0-0-9.parquet",
                          kNoonFolder + "web-0-20-29.parquet"));
  EXPECT_EQ(metric("penstock_archive_missing_records_total"), 10);
  EXPECT_THAT(operator_log_,
              AllOf(HasSubstr("ERROR archive: records were gone from the log before they were "
                              "archived"),
                    HasSubstr("topic=web partition=0 first=10 last=19 count=10")));
  append_many(1);
  archive_all().reset();
  EXPECT_EQ(files().size(), 4U) << "and the archive can be opened again";
}

TEST_F(ArchiveSinkTest, RecordsWhoseLossWasAcceptedAreNotedBetweenTheFiles) {
  append_many(5);
  append_many(5);
  append_many(5);
  append_many(5);
  const TopicPartition partition{log_.topic("web")->id, PartitionId(0)};
  log_.lose_batch(partition, Offset(5));
  log_.lose_batch(partition, Offset(15));  // the last one

  archive_all().reset();

  EXPECT_THAT(files(),
              ElementsAre("/a/topic=web/_web-0-15-19.missing", "/a/topic=web/_web-0-5-9.missing",
                          kNoonFolder + "web-0-0-4.parquet", kNoonFolder + "web-0-10-14.parquet"));
  EXPECT_EQ(metric("penstock_archive_missing_records_total"), 10);
  EXPECT_EQ(metric("penstock_archive_rows_total"), 10);
  append_many(1);
  archive_all().reset();
  EXPECT_EQ(files().size(), 5U) << "and the archive can be opened again";
}

TEST_F(ArchiveSinkTest, RecordsDeletedWhileTheyAreBeingArchivedAreNotedToo) {
  const std::string large(3'000'000, 'x');
  for (int i = 0; i < 4; ++i) {
    append({{.value = large, .ingest_us = kNoon}});
  }
  const auto sink = open(disk_);
  ASSERT_TRUE((*sink)->request_finish(clock_.now()).has_value());
  ASSERT_TRUE((*sink)->run_once(clock_.now()).has_value());
  ASSERT_FALSE((*sink)->finished()) << "the first poll should not take all";
  log_.drop_before({log_.topic("web")->id, PartitionId(0)}, Offset(4));

  ASSERT_TRUE(finish(**sink).has_value());

  EXPECT_EQ(
      metric("penstock_archive_rows_total") + metric("penstock_archive_missing_records_total"), 4);
  EXPECT_GT(metric("penstock_archive_missing_records_total"), 0);
  EXPECT_GT(metric("penstock_archive_rows_total"), 0);
}

TEST_F(ArchiveSinkTest, AnArchiveOfAnotherLogIsRefused) {
  append_many(10);
  archive_all().reset();
  log_.crash();
  ASSERT_TRUE(log_.delete_topic("web").has_value());
  create_topic("web", 1);
  append_many(3);

  const auto sink = open(disk_);

  ASSERT_FALSE(sink.has_value());
  EXPECT_EQ(sink.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(
      sink.error().message(),
      HasSubstr("goes up to offset 9, but the log ends before 3: it belongs to another log"));
}

TEST_F(ArchiveSinkTest, ADirectoryIsOneSinksOnly) {
  const auto first = open(disk_);
  ASSERT_TRUE(first.has_value());

  EXPECT_EQ(open(disk_).error().code(), ErrorCode::kBusy);
}

TEST_F(ArchiveSinkTest, AFullDiskIsRetriedWithoutLossOrDoubles) {
  append_many(10);
  const auto sink = open(disk_);
  disk_.set_capacity(disk_.used_bytes());
  ASSERT_TRUE((*sink)->request_finish(clock_.now()).has_value());
  const auto full = (*sink)->run_once(clock_.now());
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code(), ErrorCode::kBusy);
  EXPECT_EQ(*(*sink)->run_once(clock_.now()), 0U) << "it waits before it tries again";
  EXPECT_THAT(files(), IsEmpty());

  disk_.set_capacity(SimFileSystem::kUnlimited);
  clock_.advance(seconds(1));
  ASSERT_TRUE(finish(**sink).has_value());

  EXPECT_THAT(files(), ElementsAre(kNoonFolder + "web-0-0-9.parquet"));
}

TEST_F(ArchiveSinkTest, FailedOperationsAreTriedAgainFromTheLog) {
  for (const DiskOp op : {DiskOp::kWrite, DiskOp::kSync, DiskOp::kTruncate, DiskOp::kOpen,
                          DiskOp::kCreateDirectories}) {
    append_many(10);
    auto sink = open(disk_);
    ASSERT_TRUE(sink.has_value());
    disk_.inject({.op = op, .path_contains = "topic=web"});
    ASSERT_FALSE(finish(**sink).has_value());
    clock_.advance(seconds(1));

    ASSERT_TRUE(finish(**sink).has_value());
  }
  EXPECT_THAT(files(),
              ElementsAre(kNoonFolder + "web-0-0-9.parquet", kNoonFolder + "web-0-10-19.parquet",
                          kNoonFolder + "web-0-20-29.parquet", kNoonFolder + "web-0-30-39.parquet",
                          kNoonFolder + "web-0-40-49.parquet"));
}

TEST_F(ArchiveSinkTest, AfterADoubtfulPublicationNothingGoesOnUntilOpenedAgain) {
  for (const DiskOp op : {DiskOp::kRename, DiskOp::kSyncDirectory}) {
    append_many(10);
    {
      const auto sink = open(disk_);
      disk_.inject({.op = op, .path_contains = "hour=12"});
      EXPECT_EQ(finish(**sink).error().code(), ErrorCode::kFatal);
      clock_.advance(seconds(10));
      const auto still = (*sink)->run_once(clock_.now());
      EXPECT_THAT(still.error().message(), HasSubstr("it is not known whether"));
    }
    archive_all().reset();
  }

  EXPECT_THAT(files(),
              ElementsAre(kNoonFolder + "web-0-0-9.parquet", kNoonFolder + "web-0-10-19.parquet"));
}

TEST_F(ArchiveSinkTest, RecordsOfAfterTheFinishRequestMayBeTakenAlong) {
  append_many(10);
  const auto sink = open(disk_);
  ASSERT_TRUE((*sink)->request_finish(clock_.now()).has_value());
  append_many(5);
  while (!(*sink)->finished()) {
    ASSERT_TRUE((*sink)->run_once(clock_.now()).has_value());
  }

  EXPECT_THAT(files(), ElementsAre(kNoonFolder + "web-0-0-14.parquet"));
}

TEST_F(ArchiveSinkTest, WithNothingToArchiveItIsFinishedAtOnce) {
  const auto sink = open(disk_);
  EXPECT_FALSE((*sink)->finished());

  ASSERT_TRUE((*sink)->request_finish(clock_.now()).has_value());

  EXPECT_TRUE((*sink)->finished());
  EXPECT_EQ(*(*sink)->run_once(clock_.now()), 0U);
}

// --- crashes ---

// The names and rows of all published files, checked to be sound and to join from offset 0.
class Union {
 public:
  Status add(SimFileSystem& disk, const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      if (!path.ends_with(".parquet")) {
        continue;
      }
      PENSTOCK_TRY_ASSIGN(const Bytes bytes, os::read_file(disk, path));
      const auto contents = read_parquet(bytes);
      if (!contents.has_value()) {
        return Error(ErrorCode::kCorrupt, path + " is not a sound Parquet file");
      }
      for (const ParquetRow& row : contents->rows) {
        if (!values_[row.partition].emplace(row.offset, row.value.value_or("")).second) {
          return Error(ErrorCode::kCorrupt, path + " repeats an offset");
        }
      }
    }
    return {};
  }

  // Everything in the log is there once.
  [[nodiscard]] Status check(std::int32_t partition, std::int64_t count) {
    const auto& values = values_[partition];
    if (static_cast<std::int64_t>(values.size()) != count || values.rbegin()->first != count - 1) {
      return Error(ErrorCode::kCorrupt,
                   std::to_string(values.size()) + " records instead of " + std::to_string(count));
    }
    return {};
  }

 private:
  std::map<std::int32_t, std::map<std::int64_t, std::string>> values_;
};

class ArchiveCrashTest : public ArchiveSinkTest {
 protected:
  static constexpr std::int64_t kEach = 25;

  ArchiveCrashTest() {
    create_topic("app", 2);
    archived_ = {"app"};
    options_.file_rows_max = 10;
    for (std::int32_t partition = 0; partition < 2; ++partition) {
      for (std::int64_t i = 0; i < kEach; i += 5) {
        std::vector<Event> events(5, Event{.value = "an event"});
        events.front().ingest_us = kNoon + (i >= 15 ? kHour : 0);
        append(events, partition, "app");
      }
    }
  }

  // Opens the archive and brings it to the end of the log.
  Status run_to_end(SimFileSystem& disk) {
    PENSTOCK_TRY_ASSIGN(const auto sink, open(disk));
    return finish(*sink);
  }

  // Opens the archive and stops after a few steps.
  Status run_part(SimFileSystem& disk, int steps) {
    PENSTOCK_TRY_ASSIGN(const auto sink, open(disk));
    PENSTOCK_TRY(sink->request_finish(clock_.now()));
    for (int step = 0; step < steps; ++step) {
      PENSTOCK_TRY(sink->run_once(clock_.now()));
    }
    return {};
  }

  Status check(SimFileSystem& disk) {
    Union all;
    PENSTOCK_TRY(all.add(disk, files_below(disk, "/a")));
    PENSTOCK_TRY(all.check(0, kEach));
    return all.check(1, kEach);
  }

  // Loses power during the nth change, then during another one while recovering, then recovers.
  Status crash_twice(std::uint64_t nth, std::uint64_t seed) {
    SimFileSystem disk({.seed = seed});
    disk.lose_power_during(nth);
    static_cast<void>(run_to_end(disk));
    disk.crash();
    disk.lose_power_during(1 + seed % 9);
    static_cast<void>(run_to_end(disk));
    disk.crash();
    PENSTOCK_TRY(run_to_end(disk));
    return check(disk);
  }
};

TEST_F(ArchiveCrashTest, PowerLostAtAnyMomentLosesAndRepeatsNothing) {
  SimFileSystem good;
  ASSERT_TRUE(run_to_end(good).has_value());
  ASSERT_TRUE(check(good).has_value());
  ASSERT_GT(good.changes(), 40U);

  for (std::uint64_t nth = 1; nth <= good.changes(); ++nth) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const Status crashed = crash_twice(nth, nth * 100 + seed);
      ASSERT_TRUE(crashed.has_value())
          << crashed.error().message() << "; change " << nth << ", seed " << seed;
    }
  }
}

TEST_F(ArchiveCrashTest, KilledProcessesLoseAndRepeatNothing) {
  SimFileSystem good;
  ASSERT_TRUE(run_to_end(good).has_value());
  for (std::uint64_t nth = 1; nth <= good.changes(); ++nth) {
    SimFileSystem disk({.seed = nth});
    disk.inject({.op = DiskOp::kRename, .nth = nth});
    static_cast<void>(run_to_end(disk));
    disk.kill_process();
    disk.clear_faults();
    ASSERT_TRUE(run_to_end(disk).has_value());
    disk.crash();  // power is lost later: what the killed process renamed must be durable by then

    const Status checked = check(disk);
    ASSERT_TRUE(checked.has_value()) << checked.error().message();
  }
}

TEST_F(ArchiveCrashTest, WithoutSyncsTheSameChecksFindLosses) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimFileSystem disk({.seed = seed});
    options_.file_rows_max = 5;
    ASSERT_TRUE(run_part(disk, 1).has_value());  // so that the folders are there for good
    disk.set_sync_mode(SimFileSystem::SyncMode::kLies);
    ASSERT_TRUE(run_to_end(disk).has_value());
    disk.crash();
    const Status recovered = run_to_end(disk);
    found += recovered.has_value() && check(disk).has_value() ? 0 : 1;
  }

  EXPECT_GT(found, 5);
}

}  // namespace
}  // namespace penstock::sinks
