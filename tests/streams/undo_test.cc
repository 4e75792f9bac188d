// What is taken back leaves no trace: a topology with every kind of state gives the same results
// whether transactions are aborted and tasks restarted in between or not.
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "streams/world.h"
#include "testing/random.h"

namespace penstock::dsl {
namespace {

using namespace std::chrono_literals;
using Text = std::string;
using Number = std::int64_t;

Text both(const Text* left, const Text* right) {
  return (left == nullptr ? "-" : *left) + (right == nullptr ? "-" : *right);
}

Text tail(Text left, const Text& right) {
  const Text joined = std::move(left) + right;
  return joined.size() > 20 ? joined.substr(joined.size() - 20) : joined;
}

// Counts the records of each key between punctuations, by stream time.
class CountPerTick final : public Processor<Text, Text, Text, Number> {
 public:
  void init(Context& context) override {
    context_ = &context;
    counts_.emplace(context.key_value_store<Text, Number>("ticks"));
    context.schedule(PunctuationType::kStreamTime, 10ms, [this](Timestamp now) {
      for (const auto& [key, stored] : counts_->all()) {
        context_->forward(key, stored.value, now);
        counts_->erase(key, now);
      }
    });
  }

  void process(const Record<Text, Text>& record) override {
    if (record.key == nullptr) {
      context_->drop();
      return;
    }
    const auto stored = counts_->get(*record.key);
    counts_->put(*record.key, stored.has_value() ? stored->value + 1 : 1, record.timestamp);
  }

 private:
  Context* context_ = nullptr;
  std::optional<KeyValueStore<Text, Number>> counts_;
};

StreamBuilder everything() {
  StreamBuilder builder({.application_id = "app", .emit_interval = 0ms});
  builder.add_key_value_store("ticks");
  const auto left = builder.stream<Text, Text>("l");
  const auto right = builder.stream<Text, Text>("r");
  const auto grouped = left.group_by_key();
  grouped.count(Materialized("count")).to_stream().to("count");
  grouped.windowed_by(TimeWindows::of_size_and_grace(20ms, 10ms).advance_by(10ms))
      .count(Materialized("hop"))
      .suppress(Suppressed::until_window_closes("final"))
      .to_stream()
      .to("final");
  grouped.windowed_by(TimeWindows::of_size_and_grace(20ms, 10ms))
      .emit_strategy(EmitStrategy::kOnWindowClose)
      .reduce(tail, Materialized("closed"))
      .to_stream()
      .to("closed");
  grouped.windowed_by(SlidingWindows::of_time_difference_and_grace(8ms, 10ms))
      .reduce(tail, Materialized("slide"))
      .to_stream()
      .to("slide");
  grouped.windowed_by(SessionWindows::of_inactivity_gap_and_grace(4ms, 10ms))
      .reduce(tail, Materialized("session"))
      .to_stream()
      .to("session");
  left.outer_join(right, both, JoinWindows::of_time_difference_and_grace(5ms, 3ms),
                  StreamJoined("pairs"))
      .to("pairs");
  const auto left_table = left.to_table(Materialized("lt"));
  const auto right_table = right.to_table(Materialized("rt"));
  left_table.outer_join(right_table, both)
      .filter([](const Text& value) { return value.size() % 2 == 0; })
      .to_stream()
      .to("tables");
  left_table.group_by([](const Text& key, const Text& value) { return std::pair(value, key); })
      .count(Materialized("groups"))
      .to_stream()
      .to("groups");
  left_table.suppress(Suppressed::until_time_limit("slow", 7ms, BufferConfig::max_records(2)))
      .to_stream()
      .to("slow");
  left.process([] { return std::make_unique<CountPerTick>(); }, {"ticks"}).to("ticks");
  return builder;
}

constexpr const char* kOutputs[] = {"count", "final",  "closed", "slide", "session",
                                    "pairs", "tables", "groups", "slow",  "ticks"};

engine::DrivenRecord random_record(testing::SeededRandom& random, std::int64_t now) {
  engine::DrivenRecord record;
  record.timestamp = Timestamp(std::max<std::int64_t>(
      0,
      now - static_cast<std::int64_t>(random.below(10) == 0 ? random.below(40) : random.below(6))));
  if (random.below(20) != 0) {
    record.key = std::string(1, static_cast<char>('a' + random.below(3)));
  }
  if (random.below(10) != 0) {
    record.value = std::string(1, static_cast<char>('A' + random.below(4)));
  }
  return record;
}

std::string show(const std::optional<std::string>& bytes) {
  if (!bytes.has_value()) {
    return "null";
  }
  std::string text;
  for (const char byte : *bytes) {
    text += byte >= ' ' && byte <= '~' ? std::string(1, byte)
                                       : "\\" + std::to_string(static_cast<unsigned char>(byte));
  }
  return text;
}

std::string show(const engine::DrivenRecord& record) {
  return show(record.key) + "=" + show(record.value) + "@" + to_string(record.timestamp);
}

// The first place where they differ; empty if they do not.
std::string difference(const std::vector<engine::DrivenRecord>& left,
                       const std::vector<engine::DrivenRecord>& right) {
  for (std::size_t at = 0; at < std::max(left.size(), right.size()); ++at) {
    const std::string a = at < left.size() ? show(left[at]) : "nothing";
    const std::string b = at < right.size() ? show(right[at]) : "nothing";
    if (a != b) {
      return "record " + std::to_string(at) + ": " + a + " and " + b;
    }
  }
  return {};
}

TEST(Undo, AbortsAndRestartsChangeNothing) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    World plain(everything());
    World shaken(everything());
    testing::SeededRandom random(seed);
    std::int64_t now = 0;
    for (int step = 0; step < 100; ++step) {
      now += static_cast<std::int64_t>(random.below(4));
      const char* topic = random.below(3) == 0 ? "r" : "l";
      const engine::DrivenRecord record = random_record(random, now);
      testdriver::TopologyTestDriver::expect(plain.driver.pipe(topic, record));

      engine::TopologyDriver& driver = shaken.driver.driver();
      driver.send(topic, record);
      while (random.below(4) == 0) {
        ASSERT_TRUE(driver.run());
        driver.abort();
      }
      if (random.below(10) == 0) {
        ASSERT_TRUE(driver.run());
        shaken.driver.restart();
      }
      ASSERT_TRUE(driver.run());
      ASSERT_TRUE(driver.commit());
    }
    for (const char* topic : kOutputs) {
      EXPECT_EQ(difference(plain.driver.produced(topic), shaken.driver.produced(topic)), "")
          << "topic " << topic << ", seed " << seed;
      EXPECT_FALSE(plain.driver.produced(topic).empty()) << topic;
    }
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace penstock::dsl
