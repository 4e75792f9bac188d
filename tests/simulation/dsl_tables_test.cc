// Global, versioned and cached tables on the engine, through failed commits and crashes.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"
#include "dsl/dsl.h"
#include "simulation/dsl_world.h"

namespace penstock::testing {
namespace {

using namespace std::chrono_literals;
using Text = std::string;
using Number = std::int64_t;

topology::Topology built(dsl::StreamBuilder builder) {
  auto topology = std::move(builder).build();
  PENSTOCK_CHECK(topology.has_value());
  return *std::move(topology);
}

// Orders "country:product" with the name of the country, from whatever partition.
topology::Topology named_orders() {
  dsl::StreamBuilder builder({.application_id = "shop"});
  const auto countries =
      builder.global_table<Text, Text>("countries", dsl::Materialized("country-names"));
  builder.stream<Text, Text>("orders")
      .left_join(
          countries, [](const Text& order) { return order.substr(0, order.find(':')); },
          [](const Text& order, const Text* country) {
            return order + "/" + (country == nullptr ? "?" : *country);
          })
      .to("named");
  return built(std::move(builder));
}

TEST(DslTables, AGlobalTableIsWholeBeforeTheFirstRecordAfterEveryCrash) {
  // A batch at a time, so that reading the table takes much longer than reading an order.
  DslWorld world(
      {.topics = {"countries", "orders", "named"}, .topology = named_orders, .fetch_bytes = 1});
  SeededRandom random(11);
  std::map<Text, Text> names;
  for (int number = 0; number < 30; ++number) {
    const Text country = "c" + std::to_string(number);
    names[country] = "name-" + std::to_string(number);
    world.send("countries", country, names[country], 0);
  }
  world.send("countries", "gone", "name", 0);
  world.send("countries", "gone", std::nullopt, 1);
  world.run_until_idle();
  Values expected;
  for (int number = 0; number < 500; ++number) {
    const Text country = "c" + std::to_string(random.below(30));
    const Text key = "o" + std::to_string(random.below(40));
    const Text order = country + ":" + std::to_string(number);
    world.send("orders", key, order, number);
    expected[key].push_back(order + "/" + names[country]);
    world.disturb(random);
  }
  world.run_until_idle();

  EXPECT_EQ(world.read("named"), expected);
  std::map<std::string, std::string> quoted;
  for (const auto& [country, name] : names) {
    quoted[country] = "\"" + name + "\"";
  }
  EXPECT_EQ(world.query("country-names"), quoted);
  EXPECT_EQ(world.query("country-names", "c7"),
            (std::map<std::string, std::string>{{"c7", "\"name-7\""}}));
}

TEST(DslTables, AGlobalTableIsKeptCurrent) {
  DslWorld world({.topics = {"countries", "orders", "named"}, .topology = named_orders});
  Values expected;
  for (int number = 0; number < 20; ++number) {
    const Text name = "name-" + std::to_string(number);
    world.send("countries", "c", name, number);
    for (int steps = 0; steps < 20; ++steps) {
      world.step();
    }
    const Text order = "c:" + std::to_string(number);
    world.send("orders", "o" + std::to_string(number % 5), order, number);
    expected["o" + std::to_string(number % 5)].push_back(order + "/" + name);
    for (int steps = 0; steps < 20; ++steps) {
      world.step();
    }
  }
  world.run_until_idle();

  EXPECT_EQ(world.read("named"), expected);
}

// Orders with the price of their time, waiting a second for late prices.
topology::Topology priced_orders() {
  dsl::StreamBuilder builder({.application_id = "shop"});
  const auto prices =
      builder.table<Text, Text>("prices", dsl::Materialized("prices-store").versioned(1h));
  builder.stream<Text, Text>("orders")
      .join(
          prices, [](const Text& order, const Text& price) { return order + "/" + price; },
          dsl::Joined("priced").with_grace(1s))
      .to("priced");
  return built(std::move(builder));
}

TEST(DslTables, EachOrderMeetsThePriceOfItsTimeOnceThroughFailedCommitsAndCrashes) {
  DslWorld world({.topics = {"prices", "orders", "priced"}, .topology = priced_orders});
  SeededRandom random(5);
  constexpr int kProducts = 6;
  for (int product = 0; product < kProducts; ++product) {
    for (int second = 20; second-- > 0;) {  // the latest first
      world.send("prices", "p" + std::to_string(product), std::to_string(second),
                 second * std::int64_t{1000});
      world.disturb(random);
    }
  }
  world.run_until_idle();
  std::map<Text, std::vector<Text>> expected;
  for (int number = 0; number < 300; ++number) {
    const Text product = "p" + std::to_string(random.below(kProducts));
    const auto at = static_cast<std::int64_t>(random.below(20'000));
    const Text order = "order-" + std::to_string(number);
    world.send("orders", product, order, at);
    expected[product].push_back(order + "/" + std::to_string(at / 1000));
    world.disturb(random);
  }
  for (int product = 0; product < kProducts; ++product) {
    const Text name = "p" + std::to_string(product);
    world.send("orders", name, "last", 19'999);
    expected[name].push_back("last/19");
    world.send("orders", name, "pushes the others out", 40'000);
  }
  world.run_until_idle();

  std::map<Text, std::vector<Text>> got = world.read("priced");
  for (auto* all : {&expected, &got}) {
    for (auto& [product, orders] : *all) {
      std::ranges::sort(orders);  // they go on in the order of time
    }
  }
  EXPECT_EQ(got, expected);
}

topology::Topology cached_counts() {
  dsl::StreamBuilder builder({.application_id = "shop", .caching = dsl::Caching::kOn});
  builder.stream<Text, Text>("orders")
      .group_by([](const Text& product) { return product; })
      .count(dsl::Materialized("per-product"))
      .to_stream()
      .to("per-product");
  return built(std::move(builder));
}

// Whether each count is larger than the one before, and the last one that of all orders.
bool counts_cached_orders(bool exactly_once) {
  DslWorld world({.topics = {"orders", "per-product"},
                  .topology = cached_counts,
                  .exactly_once = exactly_once});
  SeededRandom random(3);
  std::map<Text, Number> totals;
  for (int number = 0; number < 600; ++number) {
    const Text product = "p" + std::to_string(random.below(5));
    world.send("orders", "o" + std::to_string(random.below(20)), product, number);
    ++totals[product];
    world.disturb(random);
  }
  world.run_until_idle();

  std::map<Text, Number> last;
  std::size_t count = 0;
  for (const auto& [product, texts] : world.read("per-product")) {
    for (const std::string& text : texts) {
      const Number value = load_be<Number>(as_bytes(text).data());
      if (value <= last[product]) {
        return false;
      }
      last[product] = value;
      ++count;
    }
  }
  EXPECT_LT(count, 600U) << "nothing was held back";
  return last == totals;
}

TEST(DslTables, CachedCountsEndWithAllRecordsThroughFailedCommitsAndCrashes) {
  EXPECT_TRUE(counts_cached_orders(true));
}

TEST(DslTables, NegativeControlOfCachedCountsFindsDoubles) {
  EXPECT_FALSE(counts_cached_orders(false));
}

}  // namespace
}  // namespace penstock::testing
