// The asynchronous step: order per key, limits, retries, deadlines, what a transaction takes back.
#include <chrono>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "os/call_pool.h"
#include "streams/world.h"

namespace penstock::dsl {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

// An outside system that the test answers for.
struct System {
  struct Request {
    Text key;
    Text value;
    AsyncReply<Text> reply;
  };

  std::deque<Request> requests;

  [[nodiscard]] Lines waiting() const {
    Lines lines;
    for (const Request& request : requests) {
      lines.push_back(request.key + "=" + request.value);
    }
    return lines;
  }

  // Answers the request of that number with the value in brackets.
  void answer(std::size_t number = 0) {
    Request request = std::move(requests[number]);
    requests.erase(requests.begin() + static_cast<std::ptrdiff_t>(number));
    request.reply.set("[" + request.value + "]");
  }

  void fail(ErrorCode code) {
    Request request = std::move(requests.front());
    requests.pop_front();
    request.reply.set(Error(code, "no"));
  }
};

class Async : public ::testing::Test {
 protected:
  void open(const AsyncOptions& options, ErrorHandlers errors = {}) {
    StreamBuilder builder({.application_id = "app", .errors = std::move(errors)});
    builder.stream<Text, Text>("in")
        .map_values_async<Text>(
            [this](const Text& key, const Text& value, AsyncReply<Text> reply) {
              system_.requests.push_back({key, value, std::move(reply)});
            },
            options, {.name = "call"})
        .to("out");
    world_.emplace(std::move(builder));
  }

  [[nodiscard]] engine::TopologyDriver& driver() { return world_->driver.driver(); }

  void send(const Text& key, std::optional<Text> value) {
    driver().send("in", {.partition = PartitionId(0),
                         .timestamp = Timestamp(++sent_),
                         .key = key,
                         .value = std::move(value),
                         .offset = {},
                         .headers = {}});
  }

  // Lets the topology go on with what there is.
  void run() {
    const Status ran = driver().run();
    ASSERT_TRUE(ran) << ran.error().to_string();
  }

  void advance_clock(std::chrono::milliseconds by) {
    world_->driver.move_clock(by);
    run();
  }

  // Fails the oldest request.
  void fail(ErrorCode code) {
    system_.fail(code);
    run();
  }

  [[nodiscard]] Lines committed() {
    const Status done = driver().commit();
    EXPECT_TRUE(done) << done.error().to_string();
    return world_->lines<Text, Text>("out");
  }

  System system_;
  std::optional<World> world_;
  std::int64_t sent_ = 0;
};

TEST_F(Async, CallsOfDifferentKeysAreUnderWayTogetherAndComeAsTheyAreAnswered) {
  open({});
  send("a", "1");
  send("b", "2");
  run();
  ASSERT_EQ(system_.waiting(), (Lines{"a=1", "b=2"}));

  system_.answer(1);
  system_.answer(0);

  EXPECT_EQ(committed(), (Lines{"b=[2]@2", "a=[1]@1"}));
}

TEST_F(Async, CallsOfOneKeyAreMadeOneAfterTheOther) {
  open({});
  send("a", "1");
  send("a", "2");
  send("b", "3");
  run();
  EXPECT_EQ(system_.waiting(), (Lines{"a=1", "b=3"}));
  system_.answer(0);
  run();
  EXPECT_EQ(system_.waiting(), (Lines{"b=3", "a=2"}));

  system_.answer(1);
  system_.answer(0);

  EXPECT_EQ(committed(), (Lines{"a=[1]@1", "a=[2]@2", "b=[3]@3"}));
}

TEST_F(Async, AllComeInTheirOrderWhereThatIsAskedFor) {
  open({.order = AsyncOptions::Order::kAsTheyCame});
  send("a", "1");
  send("b", "2");
  run();

  system_.answer(1);
  run();
  system_.answer(0);

  EXPECT_EQ(committed(), (Lines{"a=[1]@1", "b=[2]@2"}));
}

TEST_F(Async, NoMoreThanTheLimitAreUnderWay) {
  open({.in_flight_max = 2});
  for (int number = 0; number < 10; ++number) {
    send("k" + std::to_string(number), "v");
  }
  run();
  EXPECT_EQ(system_.requests.size(), 2U);

  std::size_t most = 0;
  while (!system_.requests.empty()) {
    system_.answer();
    run();
    most = std::max(most, system_.requests.size());
  }

  EXPECT_EQ(most, 2U);
  EXPECT_EQ(committed().size(), 10U);
}

TEST_F(Async, NullValuesPassWithoutACallInTheirTurn) {
  open({});
  send("a", "1");
  send("a", std::nullopt);
  run();
  EXPECT_EQ(system_.waiting(), (Lines{"a=1"}));

  system_.answer();

  EXPECT_EQ(committed(), (Lines{"a=[1]@1", "a=null@2"}));
}

TEST_F(Async, FailedCallsAreMadeAgainAfterAPauseThatDoubles) {
  open({.attempts_max = 3, .backoff = 100ms});
  send("a", "1");
  run();
  fail(ErrorCode::kRetry);
  EXPECT_TRUE(system_.requests.empty());
  advance_clock(99ms);
  EXPECT_TRUE(system_.requests.empty());
  advance_clock(1ms);
  ASSERT_EQ(system_.requests.size(), 1U);
  fail(ErrorCode::kRetry);
  advance_clock(199ms);
  EXPECT_TRUE(system_.requests.empty());
  advance_clock(1ms);
  ASSERT_EQ(system_.requests.size(), 1U);

  system_.answer();

  EXPECT_EQ(committed(), (Lines{"a=[1]@1"}));
}

TEST_F(Async, WhatFailsForGoodIsADeadLetterOfTheRecordItCameFrom) {
  open({.attempts_max = 2, .backoff = 10ms},
       {.processing = ErrorResponse::kDeadLetter, .dead_letter_topic = "dead-letters"});
  send("a", "1");
  send("a", "2");
  run();
  fail(ErrorCode::kRetry);
  advance_clock(10ms);
  fail(ErrorCode::kRetry);
  system_.answer();

  EXPECT_EQ(committed(), (Lines{"a=[2]@2"}));
  const auto& letters = world_->driver.produced("dead-letters");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].key, "a");
  EXPECT_EQ(letters[0].value, "1");
  EXPECT_EQ(letters[0].timestamp, Timestamp(1));
}

TEST_F(Async, ErrorsOfTheInputAreNotRetried) {
  open({.attempts_max = 5}, {.processing = ErrorResponse::kContinue});
  send("a", "1");
  run();
  fail(ErrorCode::kInvalid);

  EXPECT_EQ(committed(), Lines());
  EXPECT_EQ(world_->driver.counts().dropped, 1U);
  EXPECT_TRUE(system_.requests.empty());
}

TEST_F(Async, AnAttemptThatTakesTooLongIsGivenUpAndItsLateAnswerIgnored) {
  open({.timeout = 500ms, .attempts_max = 2, .backoff = 0ms});
  send("a", "1");
  run();
  AsyncReply<Text> late = system_.requests.front().reply;
  system_.requests.clear();
  advance_clock(500ms);
  ASSERT_EQ(system_.requests.size(), 1U);
  late.set(Text("late"));
  run();

  system_.answer();

  EXPECT_EQ(committed(), (Lines{"a=[1]@1"}));
}

TEST_F(Async, ADeadlineEndsAllAttempts) {
  open({.timeout = 10'000ms, .attempts_max = 100, .deadline = 1'000ms},
       {.processing = ErrorResponse::kContinue});
  send("a", "1");
  run();
  advance_clock(1'000ms);

  EXPECT_EQ(committed(), Lines());
  EXPECT_EQ(world_->driver.counts().dropped, 1U);
}

TEST_F(Async, AnOpenBreakerMakesNoCallsUntilItsWaitIsOver) {
  open({.attempts_max = 10,
        .backoff = 0ms,
        .breaker = CircuitBreaker::Options{.sliding_window_size = 2,
                                           .minimum_number_of_calls = 2,
                                           .wait_duration_in_open_state = 1'000ms,
                                           .permitted_number_of_calls_in_half_open_state = 1}});
  send("a", "1");
  run();
  fail(ErrorCode::kRetry);
  fail(ErrorCode::kRetry);
  EXPECT_TRUE(system_.requests.empty());
  advance_clock(999ms);
  EXPECT_TRUE(system_.requests.empty());
  advance_clock(1ms);
  ASSERT_EQ(system_.requests.size(), 1U);

  system_.answer();

  EXPECT_EQ(committed(), (Lines{"a=[1]@1"}));
}

TEST_F(Async, ACommitWaitsForCallsAndSaysWhenNobodyAnswers) {
  open({});
  send("a", "1");
  run();

  const Status done = driver().commit();

  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), ErrorCode::kRetry);
  EXPECT_TRUE((world_->lines<Text, Text>("out").empty()));
}

TEST_F(Async, AnAbortForgetsCallsAndTheyAreMadeAgain) {
  open({});
  send("a", "1");
  run();
  AsyncReply<Text> forgotten = system_.requests.front().reply;
  system_.requests.clear();
  driver().abort();
  forgotten.set(Text("of the transaction that was taken back"));
  run();
  ASSERT_EQ(system_.waiting(), (Lines{"a=1"}));

  system_.answer();

  EXPECT_EQ(committed(), (Lines{"a=[1]@1"}));
}

TEST(AsyncThreads, AnswersComeFromThreadsOfAPool) {
  os::CallPool pool(4, 1'000);
  StreamBuilder builder({.application_id = "app"});
  builder.stream<Text, Text>("in")
      .map_values_async<Text>([&pool](const Text&, const Text& value, AsyncReply<Text> reply) {
        AsyncReply<Text> refused = reply;
        const Status taken =
            pool.run([value, reply = std::move(reply)]() mutable { reply.set(value + value); });
        if (!taken) {
          refused.set(taken.error());
        }
      })
      .to("out");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in", Timestamp(0), 1ms);

  for (int number = 0; number < 200; ++number) {
    in.pipe_input("k" + std::to_string(number % 7), std::to_string(number));
  }

  const auto records = world.driver.create_output_topic<Text, Text>("out").read_records();
  ASSERT_EQ(records.size(), 200U);
  for (std::size_t number = 0; number < records.size(); ++number) {
    EXPECT_EQ(records[number].value, std::to_string(number) + std::to_string(number));
  }
}

}  // namespace
}  // namespace penstock::dsl
