// A program of the DSL on the real engine and the simulated log: repartitioned windows, a join of a
// stream with a table, transactions that fail and crashes in between. Each result is a running
// count, so that a lost or repeated record shows as a gap or a repetition.
#include <chrono>
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

// Orders "product" by customer; customers: the country. Counts orders of each country and minute,
// and of each customer.
topology::Topology orders_by_country() {
  dsl::StreamBuilder builder({.application_id = "shop"});
  const auto customers =
      builder.table<Text, Text>("customers", dsl::Materialized("customers-store"));
  const auto orders = builder.stream<Text, Text>("orders");
  orders.filter([](const Text& product) { return product != "none"; })
      .join(
          customers,
          [](const Text& product, const Text& country) { return country + "/" + product; },
          dsl::Joined("with-country"))
      .group_by([](const Text&, const Text& value) { return value.substr(0, value.find('/')); })
      .windowed_by(dsl::TimeWindows::of_size_and_grace(1min, 24h))
      .count(dsl::Materialized("per-country"))
      .to_stream()
      .to("per-country");
  orders.group_by_key().count(dsl::Materialized("per-customer")).to_stream().to("per-customer");
  auto topology = std::move(builder).build();
  PENSTOCK_CHECK(topology.has_value());
  return *std::move(topology);
}

using Counts = std::map<std::string, std::vector<Number>>;  // by key bytes, in order

Counts counts_of(const Values& values) {
  Counts counts;
  for (const auto& [key, texts] : values) {
    for (const std::string& text : texts) {
      counts[key].push_back(load_be<std::int64_t>(as_bytes(text).data()));
    }
  }
  return counts;
}

std::string window_key(const Text& country, std::int64_t at) {
  Bytes bytes;
  dsl::Serde<dsl::Windowed<Text>>::encode(
      {country, {Timestamp(at / 60'000 * 60'000), Timestamp(0)}}, bytes);
  return std::string(as_text(bytes));
}

// 1, 2, ... up to how often each key was counted.
Counts sequences(const std::map<std::string, Number>& totals) {
  Counts counts;
  for (const auto& [key, total] : totals) {
    for (Number number = 1; number <= total; ++number) {
      counts[key].push_back(number);
    }
  }
  return counts;
}

// Counts through failed commits and crashes. Whether every record was counted once.
bool counts_each_record_once(bool exactly_once) {
  DslWorld world({.topics = {"orders", "customers", "per-country", "per-customer"},
                  .topology = orders_by_country,
                  .exactly_once = exactly_once});
  SeededRandom random(7);
  const std::vector<Text> countries = {"FR", "JP", "BR"};
  for (int customer = 0; customer < 10; ++customer) {
    world.send("customers", "c" + std::to_string(customer),
               countries[static_cast<std::size_t>(customer) % 3], 0);
  }
  world.run_until_idle();

  std::map<std::string, Number> per_country;
  std::map<std::string, Number> per_customer;
  for (int number = 0; number < 600; ++number) {
    const auto customer = random.below(10);
    const Text key = "c" + std::to_string(customer);
    const Text product = random.below(5) == 0 ? "none" : "p" + std::to_string(random.below(4));
    const std::int64_t at = std::int64_t{number} * 500 + static_cast<int>(random.below(90'000));
    world.send("orders", key, product, at);
    ++per_customer[key];
    if (product != "none") {
      ++per_country[window_key(countries[customer % 3], at)];
    }
    world.disturb(random);
  }
  world.run_until_idle();

  return counts_of(world.read("per-customer")) == sequences(per_customer) &&
         counts_of(world.read("per-country")) == sequences(per_country);
}

TEST(DslEngine, CountsEveryRecordOnceThroughFailedCommitsAndCrashes) {
  EXPECT_TRUE(counts_each_record_once(true));
}

TEST(DslEngine, NegativeControlFindsDoublesWhenOffsetsAreCommittedOutsideTheTransaction) {
  EXPECT_FALSE(counts_each_record_once(false));
}

}  // namespace
}  // namespace penstock::testing
