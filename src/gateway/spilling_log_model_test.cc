// Random appends, outages, failed and lost commits, crashes: in the end the log has every
// acknowledged event once, and in order.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/sim_spill_store_for_test.h"
#include "gateway/spilling_log.h"
#include "log/forwarding_log.h"
#include "log/read_partition.h"
#include "record/record_batch.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/random.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::gateway {
namespace {

using namespace std::chrono_literals;

// The SimLog as a client library shows it: appends wait in a queue of their own, so that a
// transaction may overtake them. It can lose what transactions write into the progress topic: the
// protection switched off.
class ClientLog final : public log::ForwardingLog {
 public:
  ClientLog(log::Log& log, bool forgets_progress)
      : ForwardingLog(log), forgets_progress_(forgets_progress) {}

  // Hands on so many appends that wait.
  void run_once(std::size_t count) {
    for (std::size_t i = 0; i < count && !waiting_.empty(); ++i) {
      Waiting append = std::move(waiting_.front());
      waiting_.pop_front();
      const auto done = make_ref<Answer>(std::move(append.done));
      const Status taken = forwards_to().append(
          std::move(append.batches),
          [done](Result<log::AppendResult> result) { done->done(std::move(result)); });
      if (!taken) {
        done->done(taken.error());
      }
    }
  }

  // What waits dies with the process.
  void crash() { waiting_.clear(); }

  Status append(std::vector<log::PartitionBatch> batches, log::AppendDone done) override {
    waiting_.push_back({std::move(batches), std::move(done)});
    return {};
  }

  Result<std::unique_ptr<log::TransactionalProducer>> open_transactional_producer(
      std::string_view id) override {
    PENSTOCK_TRY_ASSIGN(auto producer, forwards_to().open_transactional_producer(id));
    return std::unique_ptr<log::TransactionalProducer>(
        std::make_unique<Producer>(*this, std::move(producer)));
  }

 private:
  class Producer final : public log::TransactionalProducer {
   public:
    Producer(ClientLog& log, std::unique_ptr<log::TransactionalProducer> producer)
        : log_(log), producer_(std::move(producer)) {}

    Status begin() override { return producer_->begin(); }

    Status append(TopicPartition to, RecordBatch batch) override {
      const auto progress = log_.topic(kSpillProgressTopic);
      return log_.forgets_progress_ && progress && progress->id == to.topic
                 ? Status()
                 : producer_->append(to, std::move(batch));
    }

    Status commit_offsets(const log::GroupMetadata& group,
                          std::vector<log::OffsetCommit> offsets) override {
      return producer_->commit_offsets(group, std::move(offsets));
    }

    void commit(Done done) override { producer_->commit(std::move(done)); }

    Status abort() override { return producer_->abort(); }

    std::optional<Offset> known_end(TopicPartition partition) const override {
      return producer_->known_end(partition);
    }

   private:
    ClientLog& log_;
    std::unique_ptr<log::TransactionalProducer> producer_;
  };

  struct Waiting {
    std::vector<log::PartitionBatch> batches;
    log::AppendDone done;
  };

  struct Answer final : RefCounted {
    explicit Answer(log::AppendDone answer) : done(std::move(answer)) {}

    log::AppendDone done;
  };

  const bool forgets_progress_;
  std::deque<Waiting> waiting_;
};

class World {
 public:
  enum class Progress { kKept, kForgotten };

  World(std::uint32_t seed, Progress progress) : random_(seed), progress_(progress) {
    options_.route.breaker.sliding_window_size = 8;
    options_.route.breaker.minimum_number_of_calls = 4;
    options_.route.breaker.permitted_number_of_calls_in_half_open_state = 2;
    options_.route.breaker.wait_duration_in_open_state = 2s;
    options_.route.held_bytes_max = 1000;
    options_.shipper.transaction_bytes_max = 300;
    start();
  }

  ~World() { log_.reset(); }

  // Chaos for `steps`, then peace until everything is in the log.
  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      if (i % 400 == 150) {
        end_faults();
      }
      chaos(i % 400 < 150);
    }
    end_faults();
    for (int i = 0; i < 2000; ++i) {
      clock_.advance(20ms);
      store_.run_once();
      step();
      client_.run_once(10);
      kafka_.run_once();
      restart_if_it_must();
    }
    EXPECT_EQ(log_->view().mode, AppendRoute::Mode::kDirect);
    EXPECT_EQ(log_->view().waiting_bytes, 0U);
  }

  struct Sums {
    std::size_t acknowledged = 0;
    std::size_t spilled = 0;
    std::size_t lost = 0;
    std::size_t doubled = 0;
    std::size_t out_of_order = 0;
  };

  Sums add_up() {
    Sums sums;
    sums.spilled = spilled_ + static_cast<std::size_t>(
                                  metrics_->value("penstock_spill_appends_total").value_or(0));
    std::map<std::size_t, int> found;
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      std::map<std::size_t, std::size_t> last_of_caller;
      for (const std::size_t number : numbers_in(i)) {
        ++found[number];
        const Event& event = events_[number];
        if (event.acknowledged && found[number] == 1) {
          std::size_t& last = last_of_caller[event.caller];
          sums.out_of_order += number < last ? 1U : 0U;
          last = std::max(last, number);
        }
      }
    }
    for (std::size_t number = 0; number < events_.size(); ++number) {
      const int count = found[number];
      sums.acknowledged += events_[number].acknowledged ? 1U : 0U;
      sums.lost += events_[number].acknowledged && count == 0 ? 1U : 0U;
      sums.doubled += count > 1 ? 1U : 0U;
    }
    return sums;
  }

 private:
  static constexpr std::int32_t kPartitions = 3;

  struct Event {
    std::size_t caller;
    bool acknowledged = false;
  };

  [[nodiscard]] std::uint32_t below(std::uint32_t limit) {
    return static_cast<std::uint32_t>(random_.next() % limit);
  }

  void start() {
    metrics_ = std::make_unique<telemetry::Registry>();
    log_ = std::make_unique<SpillingLog>(client_, store_, clock_, *metrics_, logger_, options_);
    end_faults();
    for (int i = 0; i < 500 && !log_->is_ready(); ++i) {
      store_.run_once();
      step();
      kafka_.run_once();
    }
    ASSERT_TRUE(log_->is_ready());
    log::TopicConfig config;
    config.name = "web";
    config.partition_count = kPartitions;
    web_ = log_->ensure_topic(config)->id;
  }

  void crash() {
    spilled_ +=
        static_cast<std::size_t>(metrics_->value("penstock_spill_appends_total").value_or(0));
    ++life_;
    log_.reset();
    store_.crash();
    client_.crash();
    start();
  }

  void step() {
    const auto busy = log_->run_once();
    if (!busy) {
      // Without its progress the shipper takes itself for another one: the process must stop.
      ASSERT_EQ(progress_, Progress::kForgotten) << busy.error().message();
      must_restart_ = true;
    }
  }

  void restart_if_it_must() {
    if (std::exchange(must_restart_, false)) {
      crash();
    }
  }

  void append() {
    const std::size_t number = events_.size();
    events_.push_back({below(3)});
    RecordBatchBuilder builder;
    builder.append(Timestamp(1), std::nullopt, as_bytes(std::to_string(number)));
    std::vector<log::PartitionBatch> batches;
    batches.push_back(
        {{web_, PartitionId(static_cast<std::int32_t>(below(kPartitions)))}, builder.finish()});
    // What is refused was not taken, and what is answered after a crash nobody hears.
    static_cast<void>(log_->append(
        std::move(batches), [this, number, life = life_](const Result<log::AppendResult>& result) {
          if (life == life_) {
            events_[number].acknowledged = result.has_value();
          }
        }));
  }

  void end_faults() {
    kafka_.fail_appends(0, ErrorCode::kBusy);
    kafka_.fail_commits(0, ErrorCode::kBusy);
    kafka_.lose_commit_answers(0);
  }

  void chaos(bool with_faults) {
    clock_.advance(std::chrono::milliseconds(below(60)));
    switch (with_faults ? below(40) : 40) {
      case 0:
        kafka_.fail_appends(1 + below(8), ErrorCode::kBusy);
        break;
      case 1:
        kafka_.fail_commits(1 + below(3), ErrorCode::kAbortTxn);
        break;
      case 2:
        kafka_.lose_commit_answers(1);
        break;
      case 3:
        away_until_ = clock_.now() + std::chrono::milliseconds(below(3000));
        break;
      case 4:
        store_.newest().fail_appends(1 + below(2), ErrorCode::kBusy);
        break;
      case 5:
        if (below(4) == 0) {
          crash();
        }
        break;
      default:
        append();
    }
    if (below(2) == 0) {
      store_.run_once();
    }
    if (below(3) != 0) {
      step();
      restart_if_it_must();
    }
    if (clock_.now() >= away_until_ && below(3) != 0) {
      client_.run_once(below(3));
      kafka_.run_once(below(4));
    }
  }

  std::vector<std::size_t> numbers_in(std::int32_t partition) {
    std::vector<std::size_t> numbers;
    EXPECT_TRUE(log::read_partition(
        kafka_, {web_, PartitionId(partition)}, "test", [&](const RecordView& record) -> Status {
          numbers.push_back(std::stoul(std::string(as_text(*record.value))));
          return {};
        }));
    return numbers;
  }

  testing::SeededRandom random_;
  const Progress progress_;
  testing::SimClock clock_;
  testing::SimLog kafka_;
  ClientLog client_{kafka_, progress_ == Progress::kForgotten};
  SimSpillStore store_;
  telemetry::Logger logger_{clock_, {.write = [](std::string_view) {}}};
  std::unique_ptr<telemetry::Registry> metrics_;
  SpillingLog::Options options_;
  std::unique_ptr<SpillingLog> log_;
  TopicId web_;
  std::vector<Event> events_;
  std::size_t life_ = 1;
  std::size_t spilled_ = 0;  // of earlier lives
  os::TimePoint away_until_;
  bool must_restart_ = false;
};

class SpillingLogModel : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(SpillingLogModel, LosesAndDoublesNothing) {
  World world(GetParam(), World::Progress::kKept);

  world.run(4000);

  const World::Sums sums = world.add_up();
  EXPECT_GT(sums.acknowledged, 500U);
  EXPECT_GT(sums.spilled, 100U);
  EXPECT_EQ(sums.lost, 0U);
  EXPECT_EQ(sums.doubled, 0U);
  EXPECT_EQ(sums.out_of_order, 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SpillingLogModel, ::testing::Range(1U, 101U));

// The same without the progress in the transaction: the sums must notice.
TEST(SpillingLogModelControl, FindsDoublesWhenProgressIsForgotten) {
  std::size_t doubled = 0;
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    World world(seed, World::Progress::kForgotten);
    world.run(4000);
    doubled += world.add_up().doubled;
  }

  EXPECT_GT(doubled, 0U);
}

}  // namespace
}  // namespace penstock::gateway
