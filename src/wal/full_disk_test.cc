// A log on a full disk: it refuses appends, and starts again.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"
#include "record/record_batch.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "wal/embedded_log.h"

namespace penstock::wal {
namespace {

class FullDisk : public ::testing::Test {
 protected:
  FullDisk() { PENSTOCK_CHECK(open().has_value()); }

  Status open() {
    Options options;
    options.directory = "data/log";
    options.segment_bytes = 256 * kKiB;
    options.group_bytes_max = 64 * kKiB;
    options.append_bytes_max = 64 * kKiB;
    options.reserve_bytes = 32 * kKiB;
    metrics_ = std::make_unique<telemetry::Registry>();
    auto opened = EmbeddedLog::open(options, disk_, clock_, random_, *metrics_);
    if (!opened) {
      return std::move(opened).error();
    }
    log_ = *std::move(opened);
    return {};
  }

  void kill() {
    log_.reset();
    disk_.kill_process();
  }

  Status append(TopicPartition to) {
    RecordBatchBuilder builder;
    builder.append(Timestamp(0), std::nullopt, as_bytes(std::string(8 * kKiB, 'v')));
    std::vector<log::PartitionBatch> batches;
    batches.push_back({to, builder.finish()});
    std::optional<Status> answer;
    PENSTOCK_TRY(log_->append(std::move(batches), [&](Result<log::AppendResult> result) {
      answer.emplace(result ? Status() : Status(result.error()));
    }));
    PENSTOCK_CHECK(log_->run_once(clock_.now()).has_value());
    return *answer;
  }

  testing::SimClock clock_;
  testing::SimFileSystem disk_;
  os::SeededRandom random_{1};
  std::unique_ptr<telemetry::Registry> metrics_;
  std::unique_ptr<EmbeddedLog> log_;
};

TEST_F(FullDisk, StartsAgainWithEverythingThatWasAcknowledged) {
  const auto topic = log_->ensure_topic({.name = "events", .partition_count = 1});
  ASSERT_TRUE(topic.has_value());
  const TopicPartition partition{topic->id, PartitionId(0)};
  disk_.set_capacity(disk_.used_bytes());
  std::int64_t acknowledged = 0;
  while (append(partition).has_value()) {
    ++acknowledged;
  }
  ASSERT_GT(acknowledged, 0);

  for (int restart = 0; restart < 3; ++restart) {
    kill();
    const Status opened = open();

    ASSERT_TRUE(opened.has_value()) << opened.error().to_string();
    EXPECT_EQ(log_->offsets(partition)->end, Offset(acknowledged));
    const auto producer = log_->open_transactional_producer("job-0");
    EXPECT_TRUE(producer.has_value()) << producer.error().to_string();
    EXPECT_EQ(append(partition).error().code(), ErrorCode::kBusy);
  }

  disk_.set_capacity(testing::SimFileSystem::kUnlimited);
  clock_.advance(std::chrono::seconds(2));
  static_cast<void>(log_->run_once(clock_.now()));
  EXPECT_TRUE(append(partition).has_value());
}

}  // namespace
}  // namespace penstock::wal
