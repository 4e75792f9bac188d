// The asynchronous step on the real engine and the simulated log: answers that come late, out of
// order or not at all, commits that fail and crashes. Every record must come out once, those of one
// key in their order.
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "simulation/stream_world.h"
#include "testing/random.h"

namespace penstock::testing {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

constexpr int kRecordCount = 300;
constexpr std::uint64_t kKeyCount = 7;

struct Question {
  Text value;
  dsl::AsyncReply<Text> reply;
};

class AsyncEngine : public ::testing::Test {
 protected:
  AsyncEngine()
      : world_({"in", "out", "dead-letters"}, [this] {
          dsl::StreamBuilder builder({.application_id = "app",
                                      .errors = {.processing = dsl::ErrorResponse::kDeadLetter,
                                                 .dead_letter_topic = "dead-letters"}});
          builder.stream<Text, Text>("in")
              .map_values_async<Text>(
                  [this](const Text&, const Text& value, dsl::AsyncReply<Text> reply) {
                    questions_.push_back({value, std::move(reply)});
                  },
                  {.in_flight_max = 5,
                   .timeout = 50ms,
                   .attempts_max = 100,
                   .backoff = 1ms,
                   .deadline = 10'000ms})
              .to("out");
          return builder;
        }) {}

  // Answers one of the questions, most of them well.
  void answer_one(SeededRandom& random) {
    if (questions_.empty()) {
      return;
    }
    const auto at = static_cast<std::ptrdiff_t>(random.below(questions_.size()));
    Question question = std::move(questions_[static_cast<std::size_t>(at)]);
    questions_.erase(questions_.begin() + at);
    if (question.value.starts_with("bad")) {
      question.reply.set(Error(ErrorCode::kInvalid, "it is bad"));
    } else if (random.below(10) == 0) {
      question.reply.set(Error(ErrorCode::kRetry, "not now"));
    } else if (random.below(20) != 0) {  // some are never answered
      question.reply.set(question.value);
    }
  }

  void crash() {
    questions_.clear();
    const Status restarted = world_.crash();
    ASSERT_TRUE(restarted) << restarted.error().to_string();
  }

  // Crashes when a commit has become durable and the engine does not know yet.
  void crash_after_commit(SeededRandom& random) {
    for (int turn = 0; turn < 200 && world_.log().waiting_count() == 0; ++turn) {
      ASSERT_TRUE(world_.step_engine());
      answer_one(random);
    }
    world_.log().run_once();
    crash();
  }

  [[nodiscard]] bool each_comes_out_once(bool exactly_once);

  std::deque<Question> questions_;
  StreamWorld world_;
};

// The values of each key, in order.
std::map<Text, std::vector<Text>> by_key(const std::vector<Text>& lines) {
  std::map<Text, std::vector<Text>> values;
  for (const Text& line : lines) {
    const std::size_t at = line.find('=');
    values[line.substr(0, at)].push_back(line.substr(at + 1));
  }
  return values;
}

// Whether each record came out once, through failures and crashes.
bool AsyncEngine::each_comes_out_once(bool exactly_once) {
  SeededRandom random(11);
  world_.options.exactly_once = exactly_once;
  PENSTOCK_CHECK(world_.start().has_value());
  std::map<Text, std::vector<Text>> good;
  std::map<Text, std::vector<Text>> bad;
  for (int number = 0; number < kRecordCount; ++number) {
    const Text key = "k" + std::to_string(random.below(kKeyCount));
    const bool is_bad = random.below(15) == 0;
    const Text value = (is_bad ? "bad" : "v") + std::to_string(number);
    (is_bad ? bad : good)[key].push_back(value);
    world_.send("in", key, value, number);
    for (std::uint64_t steps = random.below(8); steps > 0; --steps) {
      world_.run(1);
      answer_one(random);
    }
    if (random.below(25) == 0) {
      world_.log().fail_commits(1, ErrorCode::kAbortTxn);
    }
    if (random.below(30) == 0) {
      crash_after_commit(random);
    }
    if (random.below(40) == 0) {
      crash();
    }
  }
  const auto missing = [&] {
    return world_.read("out").size() + world_.read("dead-letters").size() < kRecordCount;
  };
  for (int turn = 0; turn < 100'000 && missing(); ++turn) {
    world_.run(1);
    answer_one(random);
  }
  world_.run(100);

  return by_key(world_.read("out")) == good && by_key(world_.read("dead-letters")) == bad;
}

TEST_F(AsyncEngine, EachRecordComesOutOnceThroughFailuresAndCrashes) {
  EXPECT_TRUE(each_comes_out_once(true));
}

TEST_F(AsyncEngine, NegativeControlFindsDoublesWhenOffsetsAreCommittedOutsideTheTransaction) {
  EXPECT_FALSE(each_comes_out_once(false));
}

TEST_F(AsyncEngine, NothingIsCommittedWhileACallIsUnderWay) {
  ASSERT_TRUE(world_.start());
  world_.send("in", "a", "1", 1);
  world_.run(40);
  ASSERT_EQ(questions_.size(), 1U);

  EXPECT_TRUE(world_.read("out").empty());
  EXPECT_TRUE(world_.log().committed("app")->empty());
  questions_.front().reply.set(Text("1"));
  world_.run(40);

  EXPECT_EQ(world_.read("out"), (std::vector<Text>{"a=1"}));
  EXPECT_FALSE(world_.log().committed("app")->empty());
}

}  // namespace
}  // namespace penstock::testing
