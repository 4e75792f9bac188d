#include "console/balance.h"

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::console {
namespace {

using telemetry::Labels;

// Plays the gateway and one job "hits", which count on their side what they do to the log.
class BalanceTest : public ::testing::Test {
 protected:
  BalanceTest() {
    web_ = {log_.ensure_topic({.name = "web"})->id, PartitionId(0)};
    dead_ = {log_.ensure_topic({.name = "web.dlq"})->id, PartitionId(0)};
    append(web_, 3);  // of an earlier run
    commit(1);
    balance_ = Balance::open(log_, registry_, {.jobs = {{"hits", {"web"}}}}).value();
  }

  void append(TopicPartition to, int count) {
    RecordBatchBuilder builder;
    for (int n = 0; n < count; ++n) {
      builder.append(Timestamp(n), std::nullopt, as_bytes("{}"));
    }
    std::vector<log::PartitionBatch> batches;
    batches.push_back({to, builder.finish()});
    ASSERT_TRUE(log_.append(std::move(batches), [](const Result<log::AppendResult>&) {}));
    log_.run_once();
  }

  void commit(std::int64_t offset) {
    auto producer = log_.open_transactional_producer("hits-0");
    log_.run_once();
    auto consumer = log_.open_consumer(
        {.name = "hits-0", .group_id = "hits", .topics = {web_.topic}, .instance_id = "hits-0"});
    ASSERT_TRUE(producer && consumer);
    (void)(*consumer)->poll(1);
    ASSERT_TRUE((*producer)->begin());
    ASSERT_TRUE(
        (*producer)->commit_offsets((*consumer)->group_metadata(), {{web_, Offset(offset), ""}}));
    bool committed = false;
    (*producer)->commit([&](const Status& status) { committed = status.has_value(); });
    log_.run_once();
    ASSERT_TRUE(committed);
  }

  void sent(const char* topic, int count) { logged(topic, "sent", count); }

  void refused(const char* topic, int count) { logged(topic, "refused", count); }

  void sink(const char* stage, int count) {
    registry_
        .counter("penstock_sink_dead_letter_records_total", "Dead letters.",
                 {{"topic", "web.dlq"}, {"stage", stage}})
        .add(static_cast<std::uint64_t>(count));
  }

  void answered(const char* outcome, int count) {
    registry_
        .counter("penstock_ingest_events_total", "Events.",
                 {{"topic", "web"}, {"outcome", outcome}})
        .add(static_cast<std::uint64_t>(count));
  }

  void processed(const char* stage, int count) {
    registry_
        .counter("penstock_engine_transaction_records_total", "Records.",
                 {{"job", "hits"}, {"topic", "web"}, {"stage", stage}})
        .add(static_cast<std::uint64_t>(count));
  }

  // The next reading's figure.
  double figure(const char* name, const Labels& labels) {
    clock_.advance(std::chrono::seconds(1));
    EXPECT_TRUE(balance_->run_once(clock_.now()));
    return registry_.value(name, labels).value_or(-1);
  }

  double accepted_imbalance(const char* topic = "web") {
    return figure("penstock_pipeline_imbalance_records", {{"topic", topic}, {"stage", "accepted"}});
  }

  double processed_imbalance() {
    return figure("penstock_pipeline_imbalance_records",
                  {{"topic", "web"}, {"job", "hits"}, {"stage", "processed"}});
  }

  testing::SimLog log_;
  testing::SimClock clock_;
  telemetry::Registry registry_;
  TopicPartition web_;
  TopicPartition dead_;
  std::unique_ptr<Balance> balance_;

 private:
  void logged(const char* topic, const char* stage, int count) {
    registry_
        .counter("penstock_ingest_log_records_total", "Records.",
                 {{"topic", topic}, {"stage", stage}})
        .add(static_cast<std::uint64_t>(count));
  }
};

TEST_F(BalanceTest, DeadLettersOfSinksAreInBalanceAtEachStep) {
  sink("begun", 3);
  EXPECT_EQ(accepted_imbalance("web.dlq"), 0);
  append(dead_, 2);
  EXPECT_EQ(accepted_imbalance("web.dlq"), 0);
  sink("committed", 2);
  sink("taken_back", 1);
  EXPECT_EQ(accepted_imbalance("web.dlq"), 0);
}

TEST_F(BalanceTest, ShowsDeadLettersThatNoSinkKnowsAndThoseThatAreLost) {
  append(dead_, 1);
  EXPECT_EQ(accepted_imbalance("web.dlq"), 1);
  sink("begun", 3);
  sink("committed", 3);
  EXPECT_EQ(accepted_imbalance("web.dlq"), 2);
}

TEST_F(BalanceTest, AJobsOutputIsNotTheGatewaysThoughItHasDeadLetters) {
  const TopicPartition output{log_.ensure_topic({.name = "hits"})->id, PartitionId(0)};
  ASSERT_TRUE(log_.ensure_topic({.name = "hits.dlq"}));

  append(output, 5);

  EXPECT_EQ(accepted_imbalance("hits"), -1);  // there is no such figure
}

TEST_F(BalanceTest, AcceptedIsProcessedAndInFlight) {
  const Labels job = {{"topic", "web"}, {"job", "hits"}};

  EXPECT_EQ(figure("penstock_pipeline_accepted_records", {{"topic", "web"}}), 3);
  EXPECT_EQ(figure("penstock_pipeline_processed_records", job), 1);
  EXPECT_EQ(figure("penstock_pipeline_in_flight_records", job), 2);
  EXPECT_EQ(figure("penstock_pipeline_accepted_records", {{"topic", "web.dlq"}}), 0);
}

TEST_F(BalanceTest, WhatAnEarlierRunLeftIsInBalance) {
  EXPECT_EQ(accepted_imbalance(), 0);
  EXPECT_EQ(processed_imbalance(), 0);
}

TEST_F(BalanceTest, EventsOnTheirWayAreInBalanceAtEachStep) {
  sent("web", 5);
  EXPECT_EQ(accepted_imbalance(), 0);
  append(web_, 5);
  EXPECT_EQ(accepted_imbalance(), 0);
  answered("accepted", 5);
  EXPECT_EQ(accepted_imbalance(), 0);
}

TEST_F(BalanceTest, RefusedEventsAreInBalance) {
  sent("web", 5);
  refused("web", 5);

  EXPECT_EQ(accepted_imbalance(), 0);
}

TEST_F(BalanceTest, ShowsAcknowledgedEventsThatTheLogDoesNotHave) {
  sent("web", 5);
  append(web_, 4);
  answered("accepted", 5);

  EXPECT_EQ(accepted_imbalance(), 1);
}

TEST_F(BalanceTest, ShowsRecordsThatNobodySent) {
  sent("web", 5);
  append(web_, 5);
  append(web_, 2);
  answered("accepted", 5);

  EXPECT_EQ(accepted_imbalance(), 2);
}

TEST_F(BalanceTest, ShowsRefusedEventsThatAreInTheLogAllTheSame) {
  sent("web", 5);
  refused("web", 5);
  append(web_, 5);

  EXPECT_EQ(accepted_imbalance(), 5);
}

TEST_F(BalanceTest, DeadLettersAreCountedApart) {
  sent("web.dlq", 2);
  append(dead_, 2);
  answered("dead_lettered", 2);
  EXPECT_EQ(accepted_imbalance("web.dlq"), 0);

  append(dead_, 1);

  EXPECT_EQ(accepted_imbalance("web.dlq"), 1);
  EXPECT_EQ(accepted_imbalance("web"), 0);
}

TEST_F(BalanceTest, TransactionsAreInBalanceAtEachStep) {
  processed("begun", 2);
  EXPECT_EQ(processed_imbalance(), 0);
  processed("taken_back", 2);
  processed("begun", 2);
  EXPECT_EQ(processed_imbalance(), 0);
  commit(3);
  EXPECT_EQ(processed_imbalance(), 0);
  processed("committed", 2);
  EXPECT_EQ(processed_imbalance(), 0);
}

TEST_F(BalanceTest, ShowsRecordsThatAreCommittedButNotProcessed) {
  processed("begun", 1);
  commit(3);
  processed("committed", 1);

  EXPECT_EQ(processed_imbalance(), 1);
}

TEST_F(BalanceTest, ShowsRecordsThatAreProcessedTwice) {
  processed("begun", 4);
  commit(3);
  processed("committed", 4);

  EXPECT_EQ(processed_imbalance(), 2);
}

TEST_F(BalanceTest, TopicsThatAreMadeLaterBeginAtNothing) {
  const TopicPartition app{log_.ensure_topic({.name = "app"})->id, PartitionId(0)};
  ASSERT_TRUE(log_.ensure_topic({.name = "app.dlq"}));
  sent("app", 1);
  append(app, 1);
  EXPECT_EQ(accepted_imbalance("app"), 0);

  append(app, 1);

  EXPECT_EQ(accepted_imbalance("app"), 1);
}

TEST_F(BalanceTest, ATopicThatOnlyTheEngineWritesToIsNoBusinessOfTheGateway) {
  const TopicPartition hits{log_.ensure_topic({.name = "hits"})->id, PartitionId(0)};
  append(hits, 7);

  EXPECT_EQ(accepted_imbalance("hits"), -1);
}

TEST_F(BalanceTest, ReadingsAreTakenWhenTheyAreDue) {
  const os::TimePoint now = clock_.now();

  ASSERT_TRUE(balance_->run_once(now));
  ASSERT_TRUE(balance_->run_once(now + std::chrono::milliseconds(999)));
  EXPECT_EQ(registry_.value("penstock_pipeline_readings_total"), 1);
  ASSERT_TRUE(balance_->run_once(now + std::chrono::seconds(1)));
  EXPECT_EQ(registry_.value("penstock_pipeline_readings_total"), 2);
}

}  // namespace
}  // namespace penstock::console
