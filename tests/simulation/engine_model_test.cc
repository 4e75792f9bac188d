// Random events, crashes, aborts, fencing and lost answers: in the end store, restored store and
// output equal a naive recomputation from the events. Run with a seed of your own by
// PENSTOCK_SEED=n; a failure prints the seed.
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "os/random.h"
#include "record/partitioner.h"
#include "simulation/engine_world.h"

namespace penstock::testing {
namespace {

using std::chrono::milliseconds;

EngineWorld::Options options_for(std::uint64_t seed) {
  using Kind = store::AggregateColumn::Kind;
  EngineWorld::Options options;
  options.job.name = "totals";
  options.job.topic.name = "events";
  options.job.topic.key = seed % 3 == 0 ? "/k" : "/g";  // by another field, or by the key
  options.job.topic.partition_count = 1 + static_cast<std::int32_t>(seed % 4);
  options.job.group_by = {"/g"};
  options.job.window = milliseconds(1000);
  options.job.grace = milliseconds(seed % 2 == 0 ? 0 : 700);
  options.job.columns = {{Kind::kCount, ""}};
  if (seed % 3 != 1) {
    options.job.columns.push_back({Kind::kSum, "/n"});
  }
  options.job.emit_interval = milliseconds(seed % 5 == 0 ? 0 : 50);
  options.threads = 1 + static_cast<std::int32_t>(seed / 7 % 2);
  options.marks_transactions = seed / 2 % 2 == 0;
  options.shares_out_anew = seed / 3 % 2 == 0;
  return options;
}

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed, EngineWorld::Options options)
      : random_(seed), options_(options), world_(std::move(options)) {}

  void act() {
    switch (random_.below(20)) {
      case 0:
        restart();
        break;
      case 1:
        world_.log().fail_commits(1 + random_.below(3), any_error());
        break;
      case 2:
        world_.log().lose_commit_answers(
            1, random_.below(2) == 0 ? ErrorCode::kFatal : ErrorCode::kFenced);
        break;
      case 3:
        // Somebody else takes the place of the first thread: it is fenced and comes back.
        static_cast<void>(world_.log().open_transactional_producer("totals-0"));
        break;
      case 4:
        // Brokers are away while it looks where to begin.
        world_.log().fail_questions(1 + random_.below(4), ErrorCode::kRetry);
        static_cast<void>(world_.log().open_transactional_producer("totals-0"));
        break;
      default:
        send();
        break;
    }
    world_.run(static_cast<int>(random_.below(6)));
    if (!world_.failure().empty()) {
      restart();
    }
  }

  [[nodiscard]] EngineWorld& world() { return world_; }

  void calm() {
    world_.log().fail_commits(0, ErrorCode::kBusy);
    world_.log().lose_commit_answers(0);
    world_.log().fail_questions(0, ErrorCode::kRetry);
    restart();
  }

 private:
  void restart() {
    world_.crash();
    world_.start();
  }

  ErrorCode any_error() {
    constexpr ErrorCode kCodes[] = {ErrorCode::kAbortTxn, ErrorCode::kBusy, ErrorCode::kFenced,
                                    ErrorCode::kRetry};
    return kCodes[random_.below(4)];
  }

  void send() {
    time_ += static_cast<std::int64_t>(random_.below(300));
    std::vector<SimEvent> events(1 + random_.below(20));
    for (SimEvent& event : events) {
      // Some seconds late or early, and around the epoch, where times are negative.
      event.timestamp = time_ - static_cast<std::int64_t>(random_.below(3000)) +
                        static_cast<std::int64_t>(random_.below(500)) - 2000;
      const std::string group = "group-" + std::to_string(random_.below(7)) +
                                (random_.below(3) == 0 ? "-with-a-key-of-many-bytes" : "");
      const bool by_key = options_.job.topic.key == "/g";
      event.key = by_key ? group : std::to_string(random_.below(100));
      event.partition =
          partition_for_key(as_bytes(event.key), options_.job.topic.partition_count).value();
      event.json = R"({"g":")" + group + R"(","n":)" +
                   std::to_string(static_cast<std::int64_t>(random_.below(100)) - 50) + "}";
    }
    world_.send(events);
  }

  os::SeededRandom random_;
  const EngineWorld::Options options_;
  EngineWorld world_;
  std::int64_t time_ = 0;
};

class EngineModel : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(EngineModel, EqualsRecomputationAfterFaults) {
  std::uint64_t seed = GetParam();
  if (const char* given = std::getenv("PENSTOCK_SEED")) {
    seed = std::strtoull(given, nullptr, 10);
  }
  SCOPED_TRACE("seed " + std::to_string(seed));
  Chaos chaos(seed, options_for(seed));

  for (int count = 0; count < 150; ++count) {
    chaos.act();
  }
  chaos.calm();
  chaos.world().run_until_idle();

  const Rows expected = chaos.world().expected();
  EXPECT_GT(expected.size(), 10U);
  EXPECT_EQ(chaos.world().query_all(7), expected);
  EXPECT_EQ(chaos.world().output(), expected);

  chaos.world().crash();
  chaos.world().start();
  chaos.world().run_until_idle();

  EXPECT_EQ(chaos.world().query_all(1000), expected) << "restored from the changelog";
  EXPECT_EQ(chaos.world().output(), expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, EngineModel, ::testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace penstock::testing
