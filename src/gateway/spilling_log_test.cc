#include "gateway/spilling_log.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/sim_spill_store_for_test.h"
#include "log/read_partition.h"
#include "record/record_batch.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::gateway {
namespace {

using namespace std::chrono_literals;
using Breaker = CircuitBreaker::State;
using Mode = AppendRoute::Mode;

class SpillingLogTest : public ::testing::Test {
 protected:
  SpillingLogTest() {
    options_.route.breaker.sliding_window_size = 4;
    options_.route.breaker.minimum_number_of_calls = 4;
    options_.route.breaker.permitted_number_of_calls_in_half_open_state = 2;
  }

  ~SpillingLogTest() override { close(); }

  void open() {
    log_ = std::make_unique<SpillingLog>(kafka_, store_, clock_, metrics_, logger_, options_);
    for (int i = 0; i < 100 && !log_->is_ready(); ++i) {
      step();
    }
    ASSERT_TRUE(log_->is_ready());
    log::TopicConfig config;
    config.name = "web";
    config.partition_count = 2;
    web_ = log_->ensure_topic(config)->id;
  }

  void close() { log_.reset(); }

  // The process dies and comes back.
  void crash_and_reopen() {
    close();
    store_.crash();
    open();
  }

  void step() {
    store_.run_once();
    const auto busy = log_->run_once();
    ASSERT_TRUE(busy) << busy.error().message();
    if (!away_) {
      kafka_.run_once();
    }
  }

  void settle(int steps = 20) {
    for (int i = 0; i < steps; ++i) {
      step();
    }
  }

  static RecordBatch batch(const std::string& value) {
    RecordBatchBuilder builder;
    builder.append(Timestamp(1), std::nullopt, as_bytes(value));
    return builder.finish();
  }

  // One event into partition 0; its answer, once there is one, is answers_[number].
  std::size_t append(const std::string& value, std::int32_t partition = 0) {
    const std::size_t number = answers_.size();
    answers_.emplace_back();
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{web_, PartitionId(partition)}, batch(value)});
    const Status taken =
        log_->append(std::move(batches), [this, number](Result<log::AppendResult> result) {
          ASSERT_FALSE(answers_[number].has_value()) << "answered twice";
          answers_[number].emplace();
          if (!result) {
            answers_[number].emplace(result.error());
          }
        });
    if (!taken) {
      answers_[number] = taken;
    }
    return number;
  }

  [[nodiscard]] bool is_durable(std::size_t number) const {
    return answers_[number].has_value() && answers_[number]->has_value();
  }

  void append_and_settle(const std::string& value) {
    const std::size_t number = append(value);
    settle();
    ASSERT_TRUE(is_durable(number));
  }

  // Fails appends until the breaker is open.
  void open_breaker() {
    kafka_.fail_appends(4, ErrorCode::kBusy);
    for (int i = 0; i < 4; ++i) {
      append("fails");
    }
    settle();
    ASSERT_EQ(log_->view().breaker, Breaker::kOpen);
  }

  std::vector<std::string> in_kafka(std::int32_t partition = 0) {
    std::vector<std::string> values;
    EXPECT_TRUE(log::read_partition(kafka_, {web_, PartitionId(partition)}, "test",
                                    [&](const RecordView& record) -> Status {
                                      values.emplace_back(as_text(*record.value));
                                      return {};
                                    }));
    return values;
  }

  using Values = std::vector<std::string>;

  testing::SimClock clock_;
  testing::SimLog kafka_;
  bool away_ = false;
  SimSpillStore store_;
  telemetry::Registry metrics_;
  std::string logged_;
  telemetry::Logger logger_{clock_, {.write = [this](std::string_view line) { logged_ += line; }}};
  SpillingLog::Options options_;
  std::unique_ptr<SpillingLog> log_;
  TopicId web_;
  std::vector<std::optional<Status>> answers_;
};

TEST_F(SpillingLogTest, AppendsGoStraightToTheLogWhileAllIsWell) {
  open();

  append_and_settle("a");
  append_and_settle("b");

  EXPECT_EQ(in_kafka(), (Values{"a", "b"}));
  EXPECT_EQ(log_->view().mode, Mode::kDirect);
  EXPECT_EQ(metrics_.value("penstock_spill_appends_total"), 0);
}

TEST_F(SpillingLogTest, EventsAreDurableInTheSpillWhileTheBreakerIsOpen) {
  open();
  open_breaker();
  away_ = true;

  const std::size_t number = append("spilled");
  EXPECT_FALSE(is_durable(number)) << "not before it is on disk";
  store_.run_once();

  EXPECT_TRUE(is_durable(number));
  EXPECT_EQ(in_kafka(), Values());
  EXPECT_EQ(log_->view().mode, Mode::kSpill);
  EXPECT_GT(log_->view().waiting_bytes, 0U);
  EXPECT_EQ(metrics_.value("penstock_circuit_breaker_state", {{"name", "log"}, {"state", "open"}}),
            1);
  EXPECT_EQ(metrics_.value("penstock_spill_active"), 1);
}

TEST_F(SpillingLogTest, ShipsInOrderAndGoesBackToTheLog) {
  open();
  append_and_settle("1");
  open_breaker();
  append_and_settle("2");
  append_and_settle("3");
  EXPECT_EQ(in_kafka(), Values{"1"}) << "nothing is tried while the breaker is open";

  clock_.advance(60s);
  settle();
  append_and_settle("4");

  EXPECT_EQ(in_kafka(), (Values{"1", "2", "3", "4"}));
  EXPECT_EQ(log_->view().mode, Mode::kDirect);
  EXPECT_EQ(log_->view().breaker, Breaker::kClosed);
  EXPECT_EQ(log_->view().waiting_bytes, 0U);
  EXPECT_EQ(metrics_.value("penstock_spill_shipped_batches_total"), 2);
  EXPECT_EQ(store_.size(), 1U) << "what was shipped is removed";
}

TEST_F(SpillingLogTest, ALogThatDoesNotAnswerOpensTheBreaker) {
  open();
  away_ = true;
  for (int i = 0; i < 4; ++i) {
    append("hangs " + std::to_string(i));
  }
  settle();
  EXPECT_EQ(log_->view().breaker, Breaker::kClosed);

  clock_.advance(1001ms);
  settle();

  EXPECT_EQ(log_->view().breaker, Breaker::kOpen);
  EXPECT_EQ(metrics_.value("penstock_circuit_breaker_timeouts_total", {{"name", "log"}}), 4);
  const std::size_t number = append("spilled");
  settle();
  EXPECT_TRUE(is_durable(number));
}

TEST_F(SpillingLogTest, ShipsNothingBeforeWhatIsUnderWayToTheLogIsAnswered) {
  open();
  away_ = true;
  for (int i = 0; i < 4; ++i) {
    append("early " + std::to_string(i));
  }
  clock_.advance(1001ms);
  settle();
  append("late");
  clock_.advance(60s);
  settle();
  EXPECT_EQ(in_kafka(), Values());

  away_ = false;
  settle(40);

  EXPECT_EQ(in_kafka(), (Values{"early 0", "early 1", "early 2", "early 3", "late"}));
}

TEST_F(SpillingLogTest, OpensAgainIfTheFirstShippingsFail) {
  open();
  open_breaker();
  append_and_settle("spilled");
  kafka_.fail_commits(2, ErrorCode::kBusy);

  for (int i = 0; i < 5; ++i) {
    clock_.advance(60s);
    settle();
  }

  EXPECT_EQ(metrics_.value("penstock_spill_shipping_failures_total"), 2);
  EXPECT_EQ(in_kafka(), Values{"spilled"});
  EXPECT_EQ(log_->view().mode, Mode::kDirect);
}

TEST_F(SpillingLogTest, ShipsOnceIfTheAnswerToACommitIsLost) {
  open();
  open_breaker();
  append_and_settle("spilled");
  kafka_.lose_commit_answers(1);

  for (int i = 0; i < 5; ++i) {
    clock_.advance(60s);
    settle();
  }

  EXPECT_EQ(in_kafka(), Values{"spilled"});
  EXPECT_EQ(log_->view().mode, Mode::kDirect);
}

TEST_F(SpillingLogTest, ShipsAfterACrashWhatAnEarlierProcessHasLeft) {
  open();
  open_breaker();
  append_and_settle("1");
  append_and_settle("2");

  crash_and_reopen();

  EXPECT_EQ(in_kafka(), (Values{"1", "2"}));
  EXPECT_EQ(store_.size(), 1U);
  append_and_settle("3");
  EXPECT_EQ(in_kafka(), (Values{"1", "2", "3"}));
}

TEST_F(SpillingLogTest, ShipsNothingAgainIfItDiesBeforeTheSpillIsRemoved) {
  open();
  open_breaker();
  append_and_settle("1");
  clock_.advance(60s);
  for (int i = 0; i < 20 && in_kafka().empty(); ++i) {
    step();
  }
  ASSERT_EQ(in_kafka(), Values{"1"});
  ASSERT_EQ(log_->view().mode, Mode::kSpill);

  crash_and_reopen();

  EXPECT_EQ(in_kafka(), Values{"1"});
}

TEST_F(SpillingLogTest, RefusesWhatTheSpillMayNotHold) {
  options_.route.spill_bytes_max = 200;
  open();
  open_breaker();
  append_and_settle("fits");

  const std::size_t number = append(std::string(200, 'x'));

  ASSERT_TRUE(answers_[number].has_value());
  EXPECT_EQ(answers_[number]->error().code(), ErrorCode::kBusy);
  EXPECT_EQ(metrics_.value("penstock_spill_refused_total"), 1);
}

TEST_F(SpillingLogTest, RefusesFurtherEventsWhenTheOldestInTheSpillAreTooOld) {
  options_.route.spill_age_max = 30s;
  open();
  open_breaker();
  append_and_settle("old");
  clock_.advance(31s);

  const std::size_t number = append("new");

  ASSERT_TRUE(answers_[number].has_value());
  EXPECT_EQ(answers_[number]->error().code(), ErrorCode::kBusy);
}

TEST_F(SpillingLogTest, AFullDiskOfTheSpillRefusesAndLosesNothing) {
  open();
  open_breaker();
  store_.newest().fail_appends(1, ErrorCode::kBusy);
  const std::size_t refused = append("refused");
  settle();
  EXPECT_EQ(answers_[refused]->error().code(), ErrorCode::kBusy);

  append_and_settle("taken");
  clock_.advance(60s);
  settle();

  EXPECT_EQ(in_kafka(), Values{"taken"});
  EXPECT_EQ(log_->view().waiting_bytes, 0U);
}

TEST_F(SpillingLogTest, HeldAppendsFollowWhatWasSpilled) {
  open();
  open_breaker();
  append_and_settle("1");
  clock_.advance(60s);
  for (int i = 0; i < 20 && log_->view().mode != Mode::kHold; ++i) {
    step();
  }
  ASSERT_EQ(log_->view().mode, Mode::kHold);

  const std::size_t held = append("2");
  EXPECT_FALSE(answers_[held].has_value());
  settle();

  EXPECT_TRUE(is_durable(held));
  EXPECT_EQ(in_kafka(), (Values{"1", "2"}));
  EXPECT_EQ(log_->view().mode, Mode::kDirect);
}

TEST_F(SpillingLogTest, HeldAppendsGoIntoTheSpillIfTheLogFailsOnceMore) {
  open();
  open_breaker();
  append_and_settle("1");
  clock_.advance(60s);
  for (int i = 0; i < 20 && log_->view().breaker != Breaker::kClosed; ++i) {
    step();
  }
  append("2");
  kafka_.fail_commits(1, ErrorCode::kBusy);
  for (int i = 0; i < 20 && log_->view().mode != Mode::kHold; ++i) {
    step();
  }
  ASSERT_EQ(log_->view().mode, Mode::kHold);
  const std::size_t held = append("3");
  for (int i = 0; i < 20 && log_->view().mode == Mode::kHold; ++i) {
    step();
  }

  ASSERT_EQ(log_->view().mode, Mode::kSpill);
  store_.run_once();
  EXPECT_TRUE(is_durable(held));
  clock_.advance(60s);
  settle(40);
  EXPECT_EQ(in_kafka(), (Values{"1", "2", "3"}));
}

TEST_F(SpillingLogTest, StopsIfAnotherProcessShipsUnderItsId) {
  open();
  open_breaker();
  append_and_settle("1");
  SpillProgress foreign("gateway-1");
  ASSERT_TRUE(foreign.read(kafka_));
  auto other = *kafka_.open_transactional_producer("penstock-spill-gateway-1");
  ASSERT_TRUE(other->begin());
  ASSERT_TRUE(other->append(
      foreign.partition(),
      foreign.encode({{foreign.key("web", PartitionId(0)), {7, Offset(5)}}}, Timestamp(0))));
  other->commit([](Status) {});
  kafka_.run_once();
  clock_.advance(60s);

  std::optional<Error> failure;
  for (int i = 0; i < 50 && !failure; ++i) {
    clock_.advance(10s);
    store_.run_once();
    if (const auto busy = log_->run_once(); !busy) {
      failure = busy.error();
    }
    kafka_.run_once();
  }

  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code(), ErrorCode::kCorrupt);
  EXPECT_EQ(in_kafka(), Values());
}

TEST_F(SpillingLogTest, NamesTheTopicThatSpilledEventsCanNoLongerGoTo) {
  open();
  open_breaker();
  append_and_settle("1");
  close();
  ASSERT_TRUE(kafka_.delete_topic("web"));
  log_ = std::make_unique<SpillingLog>(kafka_, store_, clock_, metrics_, logger_, options_);

  Result<bool> busy = true;
  for (int i = 0; i < 20 && busy; ++i) {
    busy = log_->run_once();
  }

  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(busy.error().message().find("\"web\""), std::string::npos) << busy.error().message();
}

}  // namespace
}  // namespace penstock::gateway
