#include "testing/sim_log.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "testing/log_contract.h"

namespace penstock::testing {
namespace {

class SimLogUnderTest final : public LogUnderTest {
 public:
  log::Log& log() override { return log_; }

  void drive() override { log_.run_once(); }

  void reopen() override { log_.crash(); }

  SimLog& sim_log() { return log_; }

 private:
  SimLog log_;
};

std::unique_ptr<LogUnderTest> make_sim_log() {
  return std::make_unique<SimLogUnderTest>();
}

std::unique_ptr<LogUnderTest> make_marking_sim_log() {
  auto under_test = std::make_unique<SimLogUnderTest>();
  under_test->sim_log().mark_transactions();
  return under_test;
}

std::unique_ptr<LogUnderTest> make_sim_log_that_shares_out_anew() {
  auto under_test = std::make_unique<SimLogUnderTest>();
  under_test->sim_log().share_out_anew();
  return under_test;
}

INSTANTIATE_TEST_SUITE_P(SimLog, LogContract, ::testing::Values(&make_sim_log));
INSTANTIATE_TEST_SUITE_P(SimLogWithMarks, LogContract, ::testing::Values(&make_marking_sim_log));
INSTANTIATE_TEST_SUITE_P(SimLogThatSharesOutAnew, LogContract,
                         ::testing::Values(&make_sim_log_that_shares_out_anew));

struct Appended {
  bool answered = false;
  Result<log::AppendResult> result = Error(ErrorCode::kFatal, "not answered");
};

class SimLogFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    log::TopicConfig config;
    config.name = "t";
    partition_ = {log_.ensure_topic(config)->id, PartitionId(0)};
  }

  Status append(Appended& into) {
    RecordBatchBuilder builder;
    builder.append(Timestamp(1), std::nullopt, as_bytes("v"));
    std::vector<log::PartitionBatch> batches;
    batches.push_back({partition_, builder.finish()});
    return log_.append(std::move(batches), [&into](Result<log::AppendResult> result) {
      into.answered = true;
      into.result = std::move(result);
    });
  }

  Offset end() { return log_.offsets(partition_)->end; }

  SimLog log_;
  TopicPartition partition_;
};

TEST_F(SimLogFaults, ShowsNothingBeforeItIsDriven) {
  Appended appended;
  ASSERT_TRUE(append(appended));
  EXPECT_FALSE(appended.answered);
  EXPECT_EQ(end(), Offset(0));

  EXPECT_EQ(log_.run_once(), 1U);

  EXPECT_TRUE(appended.result.has_value());
  EXPECT_EQ(end(), Offset(1));
}

TEST_F(SimLogFaults, RefusesAndFailsAppendsOnDemand) {
  Appended appended;
  log_.refuse_appends(1, ErrorCode::kBusy);
  EXPECT_EQ(append(appended).error().code(), ErrorCode::kBusy);

  log_.fail_appends(1, ErrorCode::kFatal);
  ASSERT_TRUE(append(appended));
  log_.run_once();

  ASSERT_TRUE(appended.answered);
  EXPECT_EQ(appended.result.error().code(), ErrorCode::kFatal);
  EXPECT_EQ(end(), Offset(0));
}

TEST_F(SimLogFaults, LosesWhatWaitedInACrash) {
  Appended appended;
  ASSERT_TRUE(append(appended));

  log_.crash();
  log_.run_once();

  EXPECT_FALSE(appended.answered);
  EXPECT_EQ(end(), Offset(0));
}

TEST_F(SimLogFaults, MarksTheEndOfTransactionsOnDemand) {
  log_.mark_transactions();
  auto producer = *log_.open_transactional_producer("tx");
  RecordBatchBuilder builder;
  builder.append(Timestamp(1), std::nullopt, as_bytes("v"));
  ASSERT_TRUE(producer->begin());
  ASSERT_TRUE(producer->append(partition_, builder.finish()));

  producer->commit([](const Status&) {});
  log_.run_once();

  EXPECT_EQ(end(), Offset(2)) << "one record, one mark";
}

TEST_F(SimLogFaults, MayCommitAndLoseTheAnswer) {
  auto producer = *log_.open_transactional_producer("tx");
  RecordBatchBuilder builder;
  builder.append(Timestamp(1), std::nullopt, as_bytes("v"));
  ASSERT_TRUE(producer->begin());
  ASSERT_TRUE(producer->append(partition_, builder.finish()));
  Status answer;
  log_.lose_commit_answers(1);

  producer->commit([&](Status status) { answer = std::move(status); });
  log_.run_once();

  EXPECT_EQ(answer.error().code(), ErrorCode::kFatal);
  EXPECT_EQ(end(), Offset(1));
}

}  // namespace
}  // namespace penstock::testing
