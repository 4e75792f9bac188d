// Every query over generated events, against a recomputation that knows all of them.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "nexmark/naive.h"
#include "nexmark/queries.h"
#include "nexmark/runner.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::nexmark {
namespace {

constexpr std::int64_t kEvents = 30'000;
constexpr std::int64_t kEventsPerSecond = 1000;
constexpr Millis kStart = 1'704'153'590'000;  // ten seconds before midnight

Generator make_generator() {
  return Generator({.seed = 7, .start = kStart, .events_per_second = kEventsPerSecond});
}

// Of results by window: those that are surely closed.
std::vector<std::string> closed_only(std::vector<std::string> rows) {
  const Millis last = make_generator().time_of(kEvents - 1);
  std::erase_if(rows, [&](const std::string& row) {
    return std::stoll(row.substr(0, row.find('|'))) + 10'000 > last - 3000;
  });
  return rows;
}

class NexmarkTest : public ::testing::TestWithParam<std::string> {};

TEST_P(NexmarkTest, EqualsARecomputation) {
  const Query& query = *find_query(GetParam());
  testing::SimClock clock;
  testing::SimLog log;
  Runner runner(log, clock, {.step = [&] {
                  log.run_once();
                  clock.advance(std::chrono::milliseconds(10));
                  return Status();
                }});
  ASSERT_TRUE(runner.make_topics().has_value());
  ASSERT_TRUE(runner.append_pages().has_value());
  ASSERT_TRUE(
      runner.start({&query}, {.grace = std::chrono::hours(1), .emit_interval = dsl::Duration(0)})
          .has_value());
  const Generator generator = make_generator();
  std::vector<Event> events;
  for (std::int64_t number = 0; number < kEvents; ++number) {
    events.push_back(generator.event(number));
    if (number % kEventsPerSecond == 0) {
      ASSERT_TRUE(runner.flush().has_value());
      ASSERT_TRUE(runner.run_until_processed().has_value());
      clock.set_wall(os::WallTime(std::chrono::milliseconds(kStart)) +
                     std::chrono::seconds(number / kEventsPerSecond));
    }
    ASSERT_TRUE(runner.append(events.back()).has_value());
  }
  ASSERT_TRUE(runner.flush().has_value());
  ASSERT_TRUE(runner.run_until_processed().has_value());
  ASSERT_TRUE(runner.drain().has_value());
  runner.stop();
  const Result<std::vector<std::string>> found = runner.results(query);
  ASSERT_TRUE(found.has_value()) << found.error().to_string();

  std::vector<std::string> rows = *found;
  std::vector<std::string> expected = naive_results(query.name, events);
  if (query.output == Query::Output::kWindows) {
    rows = closed_only(std::move(rows));
    expected = closed_only(std::move(expected));
  }
  EXPECT_FALSE(expected.empty());
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t index = 0; index < rows.size(); ++index) {
    ASSERT_EQ(rows[index], expected[index]) << "row " << index;
  }
}

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const Query& query : queries()) {
    names.emplace_back(query.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Queries, NexmarkTest, ::testing::ValuesIn(all_names()),
                         [](const auto& query) { return query.param; });

TEST(GeneratorTest, MakesEventsInTheirProportions) {
  const Generator generator({.seed = 1, .start = 0, .events_per_second = 1000});
  std::array<int, 3> counts{};
  for (std::int64_t number = 0; number < 5000; ++number) {
    ++counts.at(generator.event(number).index());
  }
  EXPECT_EQ(counts, (std::array{100, 300, 4600}));
}

TEST(GeneratorTest, MakesAnEventAgainByItsNumber) {
  const Generator one({.seed = 3, .start = 0, .events_per_second = 1000});
  const Generator same({.seed = 3, .start = 0, .events_per_second = 1000});
  const Generator other({.seed = 4, .start = 0, .events_per_second = 1000});
  const auto price = [](const Generator& generator) {
    return std::get<Bid>(generator.event(1234)).price;
  };
  EXPECT_EQ(price(one), price(same));
  EXPECT_NE(price(one), price(other));
}

TEST(GeneratorTest, HalfOfTheBidsGoToOneAuctionOfAHundred) {
  const Generator generator({.seed = 1, .start = 0, .events_per_second = 1000});
  int hot = 0;
  int bids = 0;
  for (std::int64_t number = 0; number < 20'000; ++number) {
    const Event event = generator.event(number);
    if (const auto* bid = std::get_if<Bid>(&event)) {
      hot += bid->auction % 100 == 0 ? 1 : 0;
      ++bids;
    }
  }
  EXPECT_NEAR(static_cast<double>(hot) / bids, 0.5, 0.03);
}

}  // namespace
}  // namespace penstock::nexmark
