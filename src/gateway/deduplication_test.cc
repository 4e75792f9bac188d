#include <string>

#include <gtest/gtest.h>

#include "gateway/gateway_fixture_test.h"
#include "log/forwarding_log.h"

namespace penstock::gateway {
namespace {

using DeduplicationTest = GatewayFixture;

constexpr std::string_view kAccepted =
    R"({"accepted":1,"duplicates":0,"dead_lettered":0,"errors":[]})";
constexpr std::string_view kDuplicate =
    R"({"accepted":0,"duplicates":1,"dead_lettered":0,"errors":[]})";

TEST_F(DeduplicationTest, AnIdIsTakenOnce) {
  open(with_ids());

  EXPECT_EQ(ask("web", R"({"id":"a","n":1})").body, kAccepted);
  EXPECT_EQ(ask("web", R"({"id":"a","n":2})").body, kDuplicate);
  EXPECT_EQ(ask("web", R"({"id":7})").body, kAccepted);
  EXPECT_EQ(ask("web", R"({"id":7})").body, kDuplicate);

  EXPECT_EQ(values("web"), (std::vector<std::string>{R"({"id":"a","n":1})", R"({"id":7})"}));
  EXPECT_EQ(events("web", "duplicate"), 2.0);
}

TEST_F(DeduplicationTest, EventsWithoutAnIdAreAllTaken) {
  open(with_ids());

  EXPECT_EQ(ask("web", R"({"x":1}{"x":1}{"id":null}{"id":null}{"id":{}})").body,
            R"({"accepted":5,"duplicates":0,"dead_lettered":0,"errors":[]})");
}

TEST_F(DeduplicationTest, ADuplicateWithinARequestIsFound) {
  open(with_ids());

  EXPECT_EQ(ask("web", R"({"id":"a"}{"id":"b"}{"id":"a"})").body,
            R"({"accepted":2,"duplicates":1,"dead_lettered":0,"errors":[]})");
}

TEST_F(DeduplicationTest, ADuplicateIsNotAnsweredBeforeTheFirstIsDurable) {
  open(with_ids());
  const std::size_t first = post("web", R"({"id":"a"})");
  const std::size_t same_append = post("web", R"({"id":"a"})");
  turn();
  const std::size_t next_append = post("web", R"({"id":"a"})");
  turn();
  EXPECT_FALSE(answer(first).has_value());
  EXPECT_FALSE(answer(same_append).has_value());
  EXPECT_FALSE(answer(next_append).has_value());

  settle();

  EXPECT_EQ(answer(first)->body, kAccepted);
  EXPECT_EQ(answer(same_append)->body, kDuplicate);
  EXPECT_EQ(answer(next_append)->body, kDuplicate);
  EXPECT_EQ(values("web").size(), 1U);
}

TEST_F(DeduplicationTest, ADuplicateOnAnotherLoopWaitsToo) {
  open(with_ids(), 2);
  const std::size_t first = post("web", R"({"id":"a"})", {}, 0);
  const std::size_t second = post("web", R"({"id":"a"}{"id":"b"})", {}, 1);
  turn();
  EXPECT_FALSE(answer(second).has_value());

  settle();

  EXPECT_EQ(answer(first)->body, kAccepted);
  EXPECT_EQ(answer(second)->body, R"({"accepted":1,"duplicates":1,"dead_lettered":0,"errors":[]})");
  EXPECT_EQ(values("web").size(), 2U);
}

TEST_F(DeduplicationTest, IfTheFirstFailsTheDuplicateTakesItsPlace) {
  open(with_ids());
  const std::size_t first = post("web", R"({"id":"a"})");
  turn();
  const std::size_t second = post("web", R"({"id":"x"}{"id":"a"})");
  turn();

  log_.fail_appends(1, ErrorCode::kFatal);
  settle();

  EXPECT_EQ(answer(first)->status, 503);
  EXPECT_EQ(answer(second)->body, R"({"accepted":2,"duplicates":0,"dead_lettered":0,"errors":[]})");
  EXPECT_EQ(values("web").size(), 2U);
}

TEST_F(DeduplicationTest, AfterAFailedAppendItsIdsCanBeSentAgain) {
  open(with_ids());
  log_.refuse_appends(1, ErrorCode::kBusy);

  EXPECT_EQ(ask("web", R"({"id":"a"})").status, 429);

  EXPECT_EQ(ask("web", R"({"id":"a"})").body, kAccepted);
}

TEST_F(DeduplicationTest, KnownIdsSurviveACrash) {
  open(with_ids());
  ask("web", R"({"id":"a"}{"id":"b"})");
  const std::size_t unanswered = post("web", R"({"id":"c"})");
  turn();
  ASSERT_FALSE(answer(unanswered).has_value());

  crash_and_reopen(with_ids());

  EXPECT_EQ(ask("web", R"({"id":"b"}{"id":"a"})").body,
            R"({"accepted":0,"duplicates":2,"dead_lettered":0,"errors":[]})");
  EXPECT_EQ(ask("web", R"({"id":"c"})").body, kAccepted);  // it was not durable
  EXPECT_EQ(values("web").size(), 3U);
}

TEST_F(DeduplicationTest, DurableButUnansweredIsKnownAfterACrash) {
  open(with_ids());
  post("web", R"({"id":"a"})");
  turn();
  log_.run_once();  // the answer does not get out any more

  crash_and_reopen(with_ids());

  EXPECT_EQ(ask("web", R"({"id":"a"})").body, kDuplicate);
}

TEST_F(DeduplicationTest, TheRebuiltWindowHoldsTheNewestIdsOfAllPartitions) {
  GatewayOptions options = with_ids({.count_max = 1000});
  options.topics[0].log.partition_count = 4;
  options.topics[0].key = pointer("/key");
  open(options);
  // Nearly everything goes to one partition, so that an even share of each is not enough.
  int number = 0;
  for (int request = 0; request < 60; ++request) {
    std::string body;
    for (int i = 0; i < 100; ++i, ++number) {
      body += "{\"key\":\"" + std::string(number % 50 == 0 ? "b" : "a") +
              "\",\"id\":" + std::to_string(number) + "}";
    }
    ask("web", body);
    clock_.advance(std::chrono::seconds(1));
  }

  crash_and_reopen(options);

  std::string newest;
  for (int i = number - 1000; i < number; ++i) {
    newest += "{\"key\":\"a\",\"id\":" + std::to_string(i) + "}";
  }
  EXPECT_EQ(ask("web", newest).body,
            R"({"accepted":0,"duplicates":1000,"dead_lettered":0,"errors":[]})");
  EXPECT_EQ(ask("web", R"({"key":"a","id":100})").body, kAccepted);
}

// Retention goes on while the window is rebuilt.
class ExpiringLog final : public log::ForwardingLog {
 public:
  ExpiringLog(penstock::testing::SimLog& inner, std::string topic)
      : ForwardingLog(inner), inner_(inner), topic_(std::move(topic)) {}

  // All that the topic has goes between the look at its offsets and the reading.
  Result<std::unique_ptr<log::Consumer>> open_consumer(log::ConsumerOptions options) override {
    const auto info = inner_.topic(topic_);
    for (std::int32_t i = 0; i < info->config.partition_count; ++i) {
      const TopicPartition partition{info->id, PartitionId(i)};
      inner_.drop_before(partition, inner_.offsets(partition)->end);
    }
    return inner_.open_consumer(std::move(options));
  }

 private:
  penstock::testing::SimLog& inner_;
  const std::string topic_;
};

TEST_F(DeduplicationTest, RebuildingEndsAlthoughRetentionTakesWhatItWasToRead) {
  open(with_ids());
  ask("web", R"({"id":"a"}{"id":"b"})");
  ExpiringLog expiring(log_, "web");

  const auto opened = Gateway::open(expiring, clock_, metrics_, logger_, with_ids());

  EXPECT_TRUE(opened.has_value());
}

TEST_F(DeduplicationTest, TheRebuiltWindowForgetsOnlyTheIdsOfAnAcceptedLoss) {
  open(with_ids());
  for (const char* id : {"a", "b", "c"}) {
    ask("web", R"({"id":")" + std::string(id) + R"("})");
  }
  const log::TopicInfo topic = *log_.topic("web");
  for (std::int32_t i = 0; i < topic.config.partition_count; ++i) {
    const TopicPartition partition{topic.id, PartitionId(i)};
    if (log_.offsets(partition)->end > Offset(0)) {
      log_.lose_batch(partition, Offset(0));  // the first that is read: it says nothing of times
      break;
    }
  }

  crash_and_reopen(with_ids());

  int accepted = 0;
  for (const char* id : {"a", "b", "c"}) {
    accepted += ask("web", R"({"id":")" + std::string(id) + R"("})").body == kAccepted ? 1 : 0;
  }
  EXPECT_EQ(accepted, 1);
}

TEST_F(DeduplicationTest, TheRebuiltWindowIsBoundedByTime) {
  const GatewayOptions options =
      with_ids({.count_max = 1000, .time_max = std::chrono::seconds(60)});
  open(options);
  ask("web", R"({"id":"old"})");
  clock_.advance(std::chrono::seconds(50));
  ask("web", R"({"id":"young"})");
  clock_.advance(std::chrono::seconds(20));

  crash_and_reopen(options);

  EXPECT_EQ(ask("web", R"({"id":"young"})").body, kDuplicate);
  EXPECT_EQ(ask("web", R"({"id":"old"})").body, kAccepted);
}

TEST_F(DeduplicationTest, AWholeRequestCanBeRepeated) {
  open(with_ids());
  const Headers key = {{"Idempotency-Key", "r1"}};

  EXPECT_EQ(ask("web", R"({"x":1}{"x":2})", key).body,
            R"({"accepted":2,"duplicates":0,"dead_lettered":0,"errors":[]})");
  EXPECT_EQ(ask("web", R"({"x":1}{"x":2})", key).body,
            R"({"accepted":0,"duplicates":2,"dead_lettered":0,"errors":[]})");
  EXPECT_EQ(ask("web", R"({"x":1}{"x":2})", {{"Idempotency-Key", "r2"}}).body,
            R"({"accepted":2,"duplicates":0,"dead_lettered":0,"errors":[]})");

  EXPECT_EQ(values("web").size(), 4U);
}

TEST_F(DeduplicationTest, ARepeatedRequestWaitsForTheFirst) {
  open(with_ids(), 2);
  const Headers key = {{"Idempotency-Key", "r1"}};
  const std::size_t first = post("web", R"({"x":1})", key, 0);
  const std::size_t same_append = post("web", R"({"x":1})", key, 0);
  const std::size_t other_loop = post("web", R"({"x":1})", key, 1);
  turn();
  EXPECT_FALSE(answer(same_append).has_value());
  EXPECT_FALSE(answer(other_loop).has_value());

  settle();

  EXPECT_EQ(answer(first)->body, kAccepted);
  EXPECT_EQ(answer(same_append)->body, kDuplicate);
  EXPECT_EQ(answer(other_loop)->body, kDuplicate);
}

TEST_F(DeduplicationTest, ARepeatedRequestTakesTheFirstOnesPlaceIfThatFails) {
  open(with_ids());
  const Headers key = {{"Idempotency-Key", "r1"}};
  const std::size_t first = post("web", R"({"x":1})", key);
  turn();
  const std::size_t second = post("web", R"({"x":1})", key);
  turn();

  log_.fail_appends(1, ErrorCode::kFatal);
  settle();

  EXPECT_EQ(answer(first)->status, 503);
  EXPECT_EQ(answer(second)->body, kAccepted);
}

TEST_F(DeduplicationTest, RequestKeysSurviveACrashAndAreThoseOfTheirTopic) {
  GatewayOptions options = with_ids();
  options.topics.push_back(topic("app"));
  open(options);
  const Headers key = {{"Idempotency-Key", "r1"}};
  ask("web", R"({"x":1})", key);

  crash_and_reopen(options);

  EXPECT_EQ(ask("web", R"({"x":1})", key).body, kDuplicate);
  EXPECT_EQ(ask("app", R"({"x":1})", key).body, kAccepted);
}

// The key must not become known with an append that leaves out an event of another one that fails.
TEST_F(DeduplicationTest, AKeyedRequestIsNotRememberedBeforeItsDuplicatesAreSettled) {
  open(with_ids());
  const Headers key = {{"Idempotency-Key", "r1"}};
  post("web", R"({"id":"a"})");
  turn();
  const std::size_t keyed = post("web", R"({"id":"a"}{"id":"b"})", key);
  turn();

  log_.fail_appends(1, ErrorCode::kFatal);
  settle();

  EXPECT_EQ(answer(keyed)->body, R"({"accepted":2,"duplicates":0,"dead_lettered":0,"errors":[]})");
  EXPECT_EQ(ask("web", R"({"id":"a"}{"id":"b"})", key).body,
            R"({"accepted":0,"duplicates":2,"dead_lettered":0,"errors":[]})");
}

TEST_F(DeduplicationTest, DeadLettersAreNotDeduplicated) {
  GatewayOptions options = with_ids();
  options.topics[0].key = pointer("/key");
  open(options);

  ask("web", R"({"id":"a"})");  // no key
  const Answer answer = ask("web", R"({"id":"a","key":"k"})");

  EXPECT_EQ(answer.body, kAccepted);
}

}  // namespace
}  // namespace penstock::gateway
