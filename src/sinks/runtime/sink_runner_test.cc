#include "sinks/runtime/sink_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sinks/runtime/sink_fixture_test.h"

namespace penstock::sinks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Fault = FakeDatabase::Fault;

const telemetry::Labels kSink = {{"sink", "db"}, {"topic", "app"}};

class SinkRunnerTest : public ::testing::Test, protected SinkWorld {
 protected:
  double metric(const char* name) { return registry_.value(name, kSink).value_or(-1); }

  static std::function<bool(const std::string&)> one_of(std::vector<std::string> values) {
    return [values = std::move(values)](const std::string& value) {
      return std::find(values.begin(), values.end(), value) != values.end();
    };
  }
};

TEST_F(SinkRunnerTest, DeliversEveryPartitionAndStoresHowFarItRead) {
  append(0, 10);
  append(2, 5);
  const auto runner = make_runner();

  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(audit(), IsEmpty());
  for (std::int32_t i = 0; i < kPartitions; ++i) {
    EXPECT_EQ(database_->positions[static_cast<std::size_t>(i)],
              log_.offsets({topic_, PartitionId(i)})->end);
  }
  EXPECT_EQ(metric("penstock_sink_rows_total"), 15);
  EXPECT_EQ(metric("penstock_sink_lag_records"), 0);
}

TEST_F(SinkRunnerTest, ClosesABatchByRows) {
  options_.batch_rows_max = 10;
  append(0, 25);
  const auto runner = make_runner();

  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_EQ(database_->writes, 3U);
}

TEST_F(SinkRunnerTest, WaitsForABatchToFillAtMostItsTime) {
  append(0, 1);
  const auto runner = make_runner();
  ASSERT_TRUE(*runner->run_once());  // opens
  ASSERT_TRUE(*runner->run_once());  // reads
  EXPECT_FALSE(*runner->run_once());
  EXPECT_EQ(database_->writes, 0U);

  clock_.advance(options_.batch_time_max);
  while (*runner->run_once()) {
  }

  EXPECT_EQ(database_->writes, 1U);
}

TEST_F(SinkRunnerTest, GoesOnWhereTheDestinationSays) {
  append(0, 10);
  ASSERT_TRUE(drain(*make_runner()));
  append(0, 10);

  ASSERT_TRUE(drain(*make_runner()));

  EXPECT_THAT(audit(), IsEmpty());
}

TEST_F(SinkRunnerTest, DoesNotRepeatAWriteWhoseAnswerWasLost) {
  append(0, 10);
  const auto runner = make_runner();
  database_->next_write = Fault::kAfter;

  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_EQ(metric("penstock_sink_retries_total"), 1);
}

TEST_F(SinkRunnerTest, RefusedRecordsBecomeDeadLettersAloneAndTheRestGoesOn) {
  const auto values = append(1, 40);
  database_->refuses = one_of({values[0], values[17], values[39]});
  const auto runner = make_runner();

  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_THAT(database_->rows, SizeIs(37));
  const auto found = letters();
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[1].value, values[17]);
  const auto& headers = found[1].headers;
  EXPECT_EQ(headers.at("penstock.dlq.code"), "sink_refused");
  EXPECT_EQ(headers.at("penstock.dlq.message"), "constraint violated by " + values[17]);
  EXPECT_EQ(headers.at("penstock.dlq.sink"), "db");
  EXPECT_EQ(headers.at("penstock.dlq.topic"), "app");
  EXPECT_EQ(headers.at("penstock.dlq.partition"), "1");
  EXPECT_EQ(registry_.value("penstock_sink_dead_letters_total",
                            {{"sink", "db"}, {"topic", "app"}, {"reason", "refused"}}),
            3);
}

TEST_F(SinkRunnerTest, WhatDoesNotFitIsNeverGivenToTheDestination) {
  const auto values = append(0, 10);
  database_->does_not_fit = one_of({values[3], values[9]});
  const auto runner = make_runner();

  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_EQ(database_->writes, 1U);
  EXPECT_THAT(letters(), SizeIs(2));
}

TEST_F(SinkRunnerTest, ARefusalIsNoFailureOfTheDestination) {
  append(0, 64);
  database_->refuses = [](const std::string&) { return true; };
  const auto runner = make_runner();

  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_EQ(runner->breaker_state(), CircuitBreaker::State::kClosed);
}

// The record is taken by then: without the note it would be in both places.
TEST_F(SinkRunnerTest, ADeadLetterStaysOneAfterACrashBeforeItsPositionMoved) {
  const auto values = append(0, 1);
  database_->refuses = one_of({values[0]});
  auto runner = make_runner();
  while (letters().empty()) {
    ASSERT_TRUE(runner->run_once());
    clock_.advance(std::chrono::milliseconds(50));
    log_.run_once();
  }
  runner.reset();
  log_.crash();
  database_->refuses = one_of({});
  EXPECT_EQ(database_->positions[0], Offset(0));

  ASSERT_TRUE(drain(*make_runner()));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_THAT(letters(), SizeIs(1));
  EXPECT_GT(database_->positions[0], Offset(0));
}

TEST_F(SinkRunnerTest, ADeadLetterWhoseCommitWasLostSightOfIsThereOnce) {
  const auto values = append(0, 5);
  database_->refuses = one_of({values[2]});
  log_.lose_commit_answers(1);

  ASSERT_TRUE(drain(*make_runner()));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_THAT(letters(), SizeIs(1));
}

TEST_F(SinkRunnerTest, AnOpenBreakerKeepsEverythingUntilTheDestinationIsBack) {
  append(0, 10);
  const auto runner = make_runner();
  ASSERT_TRUE(drain(*runner));
  database_->is_away = true;
  append(0, 10);
  const auto away = append(1, 10);
  while (runner->breaker_state() != CircuitBreaker::State::kOpen) {
    ASSERT_TRUE(runner->run_once());
    clock_.advance(std::chrono::milliseconds(100));
  }
  const std::uint64_t writes = database_->writes;
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(*runner->run_once());
    clock_.advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(database_->writes, writes);
  EXPECT_EQ(metric("penstock_sink_breaker_state"), 1);
  EXPECT_GE(metric("penstock_sink_lag_records"), 20);  // and gaps between offsets
  EXPECT_GT(metric("penstock_sink_lag_seconds"), 9);
  database_->is_away = false;

  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_EQ(metric("penstock_sink_lag_records"), 0);
  EXPECT_EQ(metric("penstock_sink_lag_seconds"), 0);
}

TEST_F(SinkRunnerTest, TheOneThatWasDisplacedStopsForGood) {
  const auto old = make_runner();
  append(0, 5);
  ASSERT_TRUE(drain(*old));
  const auto successor = make_runner();
  ASSERT_TRUE(drain(*successor));
  append(0, 5);

  const Status stopped = drain(*old);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ErrorCode::kFenced);
  EXPECT_EQ(metric("penstock_sink_up"), 1);  // the sum of both

  ASSERT_TRUE(drain(*successor));
  EXPECT_THAT(audit(), IsEmpty());
}

TEST_F(SinkRunnerTest, ADisplacedOneWhoseConnectionBreaksDoesNotComeBack) {
  const auto old = make_runner();
  ASSERT_TRUE(drain(*old));
  const auto successor = make_runner();
  ASSERT_TRUE(drain(*successor));
  const auto values = append(0, 5);
  database_->refuses = one_of({values[1]});
  database_->next_write = Fault::kBefore;

  EXPECT_FALSE(drain(*old));
  ASSERT_TRUE(drain(*successor));  // its dead letters are not fenced either

  EXPECT_THAT(audit(), IsEmpty());
}

TEST_F(SinkRunnerTest, SaysWhenTheDestinationBelongsToAnotherLog) {
  append(0, 5);
  database_->positions = {Offset(1000), Offset(0), Offset(0)};
  const auto runner = make_runner();

  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(database_->rows, IsEmpty());
  EXPECT_GT(metric("penstock_sink_retries_total"), 3);
}

TEST_F(SinkRunnerTest, CountsWhatRetentionTookAwayBeforeIt) {
  append(0, 10);
  const auto kept = append(0, 10);
  const Offset start = log_.offsets({topic_, PartitionId(0)})->start + 5;
  log_.drop_before({topic_, PartitionId(0)}, start);
  const Offset begin = log_.offsets({topic_, PartitionId(0)})->start;

  ASSERT_TRUE(drain(*make_runner()));

  EXPECT_EQ(metric("penstock_sink_missing_records_total"), static_cast<double>(begin.value()));
  EXPECT_EQ(database_->positions[0], log_.offsets({topic_, PartitionId(0)})->end);
}

TEST_F(SinkRunnerTest, WaitsForItsTopicToComeIntoBeing) {
  options_.topic = "later";
  const auto runner = make_runner();
  ASSERT_TRUE(drain(*runner));
  log::TopicConfig config;
  config.name = "later";
  ASSERT_TRUE(log_.ensure_topic(config));

  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(database_->positions, ElementsAre(Offset(0)));
}

TEST_F(SinkRunnerTest, AsksAnIdleDestinationWhetherItIsAsItWasLeft) {
  append(0, 10);
  const auto runner = make_runner();
  ASSERT_TRUE(drain(*runner));
  const std::uint64_t checks = database_->checks;
  EXPECT_GT(checks, 5U);
  EXPECT_FALSE(*runner->run_once());
  EXPECT_FALSE(*runner->run_once());
  EXPECT_LE(database_->checks, checks + 1);

  database_->rows.clear();  // it loses everything by itself
  database_->positions.assign(kPartitions, Offset(0));
  ASSERT_TRUE(drain(*runner));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_EQ(metric("penstock_sink_up"), 1);
}

TEST_F(SinkRunnerTest, StopsForGoodIfACheckFindsAnotherOwner) {
  const auto runner = make_runner();
  ASSERT_TRUE(drain(*runner));
  const auto successor = make_runner();
  ASSERT_TRUE(drain(*successor));

  const Status stopped = drain(*runner);

  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code(), ErrorCode::kFenced);
}

TEST_F(SinkRunnerTest, DoesNotRepeatWhatARefusedWriteHasDoneInOtherPartitions) {
  database_->atomic = FakeDatabase::Atomic::kPartition;
  const auto first = append(0, 10);
  append(1, 10);
  const auto third = append(2, 10);
  database_->refuses = one_of({first[3], first[4], third[9]});

  ASSERT_TRUE(drain(*make_runner()));

  EXPECT_THAT(audit(), IsEmpty());
  EXPECT_THAT(letters(), SizeIs(3));
}

}  // namespace
}  // namespace penstock::sinks
