// A log that is sent more than its disk takes: plain appends are refused before transactions are.
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

class Overload : public ::testing::TestWithParam<std::size_t> {
 protected:
  Overload() {
    Options options;
    options.directory = "data/log";
    options.segment_bytes = 4 * kMiB;
    options.group_bytes_max = kMiB;
    options.append_bytes_max = 128 * kKiB;
    options.queue_bytes_max = kMiB;
    options.queue_length_max = 64;
    options.reserve_bytes = 32 * kKiB;
    log_ = *EmbeddedLog::open(options, disk_, clock_, random_, metrics_);
    partition_ = {log_->ensure_topic({.name = "events"})->id, PartitionId(0)};
  }

  [[nodiscard]] RecordBatch batch() const {
    RecordBatchBuilder builder;
    builder.append(Timestamp(0), std::nullopt, as_bytes(std::string(GetParam(), 'v')));
    return builder.finish();
  }

  // Appends until the log refuses; nobody writes meanwhile.
  int fill() {
    for (int count = 0;; ++count) {
      std::vector<log::PartitionBatch> batches;
      batches.push_back({partition_, batch()});
      const Status taken = log_->append(std::move(batches), [](const auto&) {});
      if (!taken) {
        EXPECT_EQ(taken.error().code(), ErrorCode::kBusy);
        return count;
      }
    }
  }

  testing::SimClock clock_;
  testing::SimFileSystem disk_;
  os::SeededRandom random_{1};
  telemetry::Registry metrics_;
  std::unique_ptr<EmbeddedLog> log_;
  TopicPartition partition_;
};

TEST_P(Overload, LeavesRoomForTransactions) {
  const auto producer = *log_->open_transactional_producer("job-0");
  ASSERT_GT(fill(), 3);

  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(producer->begin().has_value());
    ASSERT_TRUE(producer->append(partition_, batch()).has_value());
    std::optional<Status> committed;
    producer->commit([&](Status status) { committed.emplace(std::move(status)); });
    ASSERT_GE(fill(), 0);  // who sends too much goes on trying
    ASSERT_TRUE(log_->run_once(clock_.now()).has_value());
    ASSERT_TRUE(committed.has_value());
    EXPECT_TRUE(committed->has_value()) << committed->error().to_string();
    fill();
  }
}

INSTANTIATE_TEST_SUITE_P(LargeAndSmall, Overload, ::testing::Values(100 * kKiB, 10));

}  // namespace
}  // namespace penstock::wal
