// Stores in RocksDB under the real engine and the simulated log, with real files: restarts, crashes
// that lose what the database had in memory, folders that are deleted or damaged. Each result is a
// running count, so that a lost or repeated record shows as a gap or a repetition.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"
#include "dsl/dsl.h"
#include "engine/streams.h"
#include "record/partitioner.h"
#include "simulation/read_topic.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/random.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::testing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Text = std::string;
using Counts = std::map<Text, std::vector<std::int64_t>>;

constexpr std::int32_t kPartitionCount = 2;

topology::Topology count_on_disk() {
  dsl::StreamBuilder builder({.application_id = "app", .default_store = dsl::StoreType::kRocksDb});
  builder.stream<Text, Text>("events")
      .group_by_key()
      .count(dsl::Materialized("counted"))
      .to_stream()
      .to("counts");
  auto topology = std::move(builder).build();
  PENSTOCK_CHECK(topology.has_value());
  return *std::move(topology);
}

class RocksEngine : public ::testing::Test {
 protected:
  RocksEngine() : logger_(clock_, {.write = [this](std::string_view line) { logged_ += line; }}) {
    std::string path = (fs::temp_directory_path() / "penstock-rocks-XXXXXX").string();
    PENSTOCK_CHECK(::mkdtemp(path.data()) != nullptr);
    root_ = path;
    state_ = root_ / "state";
    for (const char* name : {"events", "counts"}) {
      log::TopicConfig topic;
      topic.name = name;
      topic.partition_count = kPartitionCount;
      PENSTOCK_CHECK(log_.ensure_topic(topic).has_value());
    }
  }

  ~RocksEngine() override {
    streams_.reset();
    fs::remove_all(root_);
  }

  [[nodiscard]] Result<std::unique_ptr<engine::Streams>> open(const std::string& state_directory) {
    std::vector<engine::Job> jobs;
    jobs.push_back({"app", count_on_disk()});
    engine::Streams::Options options;
    options.state_directory = state_directory;
    options.thread.hash_seed = 42;
    return engine::Streams::open(log_, clock_, registry_, logger_, std::move(jobs), options);
  }

  void start() {
    auto streams = open(state_.string());
    ASSERT_TRUE(streams.has_value()) << streams.error().to_string();
    streams_ = *std::move(streams);
  }

  void restart() {
    streams_.reset();
    log_.crash();
    start();
  }

  // Crashes when a commit has become durable, and neither the engine nor its stores know yet.
  void crash_after_commit() {
    while (log_.waiting_count() > 0) {
      log_.run_once();
    }
    for (int index = 0; index < 200 && log_.waiting_count() == 0; ++index) {
      run_engine_once();
    }
    log_.run_once();
    streams_.reset();
    log_.crash();
  }

  void send(const Text& key) {
    RecordBatchBuilder builder;
    builder.append(Timestamp(1), as_bytes(key), as_bytes("v"));
    std::vector<log::PartitionBatch> batches;
    batches.push_back(
        {{log_.topic("events")->id, partition_for_key(as_bytes(key), kPartitionCount)},
         builder.finish()});
    ASSERT_TRUE(log_.append(std::move(batches), [](auto) {}).has_value());
  }

  void run_engine_once() {
    for (engine::StreamThread* thread : streams_->threads()) {
      const auto worked = thread->run_once();
      ASSERT_TRUE(worked) << worked.error().to_string();
    }
    clock_.advance(3ms);
  }

  void step() {
    run_engine_once();
    log_.run_once();
  }

  void run_until_idle() {
    streams_->drain();
    for (int index = 0; index < 100'000 && !streams_->is_drained(); ++index) {
      step();
    }
    ASSERT_TRUE(streams_->is_drained());
  }

  // Counts 1 to `count` of each key, and restarts: what was drained takes no more.
  void count_to(std::size_t count) {
    for (const char* key : {"a", "b", "c", "d"}) {
      for (std::size_t sent = expected_[key].size(); sent < count; ++sent) {
        send(key);
        expected_[key].push_back(static_cast<std::int64_t>(sent) + 1);
      }
    }
    run_until_idle();
  }

  // Of changelogs, since the registry was made.
  [[nodiscard]] std::uint64_t restored_count() {
    const auto count = registry_.value("penstock_engine_restored_records_total", {{"job", "app"}});
    PENSTOCK_CHECK(count.has_value());
    return static_cast<std::uint64_t>(*count);
  }

  // What a crash leaves on the disk: what was there some time before.
  void save_disk() {
    fs::remove_all(root_ / "saved");
    fs::copy(state_, root_ / "saved", fs::copy_options::recursive);
  }

  void rewind_disk() {
    fs::remove_all(state_);
    fs::copy(root_ / "saved", state_, fs::copy_options::recursive);
  }

  // Turns a byte in the middle of every file whose name ends so.
  void damage(std::string_view ending) {
    int damaged = 0;
    for (const auto& entry : fs::recursive_directory_iterator(state_)) {
      if (entry.is_regular_file() && entry.path().string().ends_with(ending)) {
        std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
        const auto middle = static_cast<std::streamoff>(fs::file_size(entry.path()) / 4);
        file.seekg(middle);
        const int byte = file.get();
        file.seekp(middle);
        file.put(static_cast<char>(byte ^ 0x55));
        ++damaged;
      }
    }
    ASSERT_GT(damaged, 0);
  }

  [[nodiscard]] Counts read() {
    Counts counts;
    read_topic(log_, "counts", [&](const RecordView& record) {
      counts[Text(as_text(*record.key))].push_back(load_be<std::int64_t>(record.value->data()));
    });
    return counts;
  }

  fs::path root_;
  fs::path state_;
  std::string logged_;
  SimClock clock_;
  telemetry::Registry registry_;
  telemetry::Logger logger_;
  SimLog log_;
  std::unique_ptr<engine::Streams> streams_;
  Counts expected_;
};

TEST_F(RocksEngine, RefusesStoresInRocksDbWithoutAStateDirectory) {
  const auto streams = open("");

  ASSERT_FALSE(streams.has_value());
  EXPECT_EQ(streams.error().code(), ErrorCode::kInvalid);
  EXPECT_NE(streams.error().message().find("\"counted\""), std::string::npos);
  EXPECT_NE(streams.error().message().find("state_directory"), std::string::npos);
}

TEST_F(RocksEngine, RefusesAStateDirectoryThatCannotBeMade) {
  std::ofstream(root_ / "file") << "no folder";

  const auto streams = open((root_ / "file/state").string());

  ASSERT_FALSE(streams.has_value());
  EXPECT_NE(streams.error().message().find("state_directory"), std::string::npos);
}

TEST_F(RocksEngine, GoesOnAfterARestartWithoutReadingTheChangelogAgain) {
  start();
  count_to(50);
  restart();
  count_to(60);
  restart();
  const std::uint64_t restored = restored_count();

  count_to(70);

  EXPECT_EQ(read(), expected_);
  EXPECT_LT(restored_count() - restored, 50U) << "all is 200 and more";
  EXPECT_EQ(logged_.find("removed a database"), std::string::npos);
}

// The log has transactions that the database has lost.
TEST_F(RocksEngine, ReplaysWhatTheDatabaseHadNotWritten) {
  start();
  count_to(20);
  streams_.reset();
  save_disk();
  start();
  count_to(40);
  streams_.reset();
  rewind_disk();
  const std::uint64_t restored = restored_count();
  restart();

  count_to(60);

  EXPECT_EQ(read(), expected_);
  EXPECT_GT(restored_count(), restored);
  EXPECT_EQ(logged_.find("removed a database"), std::string::npos);
}

TEST_F(RocksEngine, RestoresFoldersThatWereDeleted) {
  start();
  count_to(30);
  streams_.reset();
  fs::remove_all(state_);
  restart();

  count_to(40);

  EXPECT_EQ(read(), expected_);
}

TEST_F(RocksEngine, RestoresFoldersWhoseFilesAreGone) {
  start();
  count_to(30);
  streams_.reset();
  for (const auto& entry : fs::recursive_directory_iterator(state_)) {
    if (entry.path().extension() == ".sst") {
      fs::remove(entry.path());
    }
  }
  restart();

  count_to(40);

  EXPECT_EQ(read(), expected_);
  EXPECT_NE(logged_.find("removed a database"), std::string::npos);
}

TEST_F(RocksEngine, RestoresFoldersThatWereDamaged) {
  for (const std::string_view ending : {"CURRENT", ".sst"}) {
    logged_.clear();
    start();
    count_to(expected_["a"].size() + 30);
    streams_.reset();
    damage(ending);
    restart();

    count_to(expected_["a"].size() + 10);
    streams_.reset();

    EXPECT_EQ(read(), expected_) << ending;
    EXPECT_NE(logged_.find("removed a database"), std::string::npos) << ending;
  }
}

TEST_F(RocksEngine, CountsEveryRecordOnceThroughFailedCommitsAndCrashes) {
  SeededRandom random(5);
  start();
  step();
  save_disk();
  for (int number = 0; number < 500; ++number) {
    const Text key(1, static_cast<char>('a' + random.below(5)));
    send(key);
    expected_[key].push_back(static_cast<std::int64_t>(expected_[key].size()) + 1);
    for (std::uint64_t steps = random.below(3); steps > 0; --steps) {
      step();
    }
    if (random.below(30) == 0) {
      log_.fail_commits(1, ErrorCode::kAbortTxn);
    }
    if (random.below(50) == 0) {
      crash_after_commit();
      random.below(2) == 0 ? rewind_disk() : save_disk();
      start();
    }
  }
  run_until_idle();

  EXPECT_EQ(read(), expected_);
  EXPECT_EQ(logged_.find("removed a database"), std::string::npos);
}

// A million with PENSTOCK_TEST_FULL=1.
TEST_F(RocksEngine, RestoresManyKeysWithoutProcessingTheirRecordsAgain) {
  const bool is_full = std::getenv("PENSTOCK_TEST_FULL") != nullptr;
  const int key_count = is_full ? 1'000'000 : 20'000;
  start();
  for (int number = 0; number < key_count; ++number) {
    send("key-" + std::to_string(number));
    if (number % 1000 == 0) {
      step();
    }
  }
  run_until_idle();
  streams_.reset();
  fs::remove_all(state_);
  restart();
  send("key-0");
  run_until_idle();

  const Counts counts = read();
  EXPECT_EQ(counts.size(), static_cast<std::size_t>(key_count));
  EXPECT_EQ(counts.at("key-0"), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(counts.at("key-1"), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(restored_count(), static_cast<std::uint64_t>(key_count));
}

}  // namespace
}  // namespace penstock::testing
