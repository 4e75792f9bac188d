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
// and of each customer. What is "broken" is a dead letter.
topology::Topology orders_by_country() {
  dsl::StreamBuilder builder({.application_id = "shop",
                              .errors = {.processing = dsl::ErrorResponse::kDeadLetter,
                                         .dead_letter_topic = "dead-letters"}});
  const auto customers =
      builder.table<Text, Text>("customers", dsl::Materialized("customers-store"));
  const auto orders = builder.stream<Text, Text>("orders");
  orders
      .filter([](const Text& product) -> Result<bool> {
        if (product == "broken") {
          return Error(ErrorCode::kInvalid, "it is broken");
        }
        return product != "none";
      })
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

// How many of each key.
std::map<std::string, Number> letters_of(const Values& values) {
  std::map<std::string, Number> letters;
  for (const auto& [key, texts] : values) {
    EXPECT_EQ(texts, std::vector<std::string>(texts.size(), "broken"));
    letters[key] = static_cast<Number>(texts.size());
  }
  return letters;
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
bool counts_each_record_once(DslWorld& world) {
  SeededRandom random(7);
  const std::vector<Text> countries = {"FR", "JP", "BR"};
  for (int customer = 0; customer < 10; ++customer) {
    world.send("customers", "c" + std::to_string(customer),
               countries[static_cast<std::size_t>(customer) % 3], 0);
  }
  world.run_until_idle();

  std::map<std::string, Number> per_country;
  std::map<std::string, Number> per_customer;
  std::map<std::string, Number> broken;
  for (int number = 0; number < 600; ++number) {
    const auto customer = random.below(10);
    const Text key = "c" + std::to_string(customer);
    const std::vector<Text> products = {"none", "broken", "p1", "p2", "p3", "p4"};
    const Text product = products[random.below(products.size())];
    const std::int64_t at = std::int64_t{number} * 500 + static_cast<int>(random.below(90'000));
    world.send("orders", key, product, at);
    ++per_customer[key];
    if (product == "broken") {
      ++broken[key];
    }
    if (product.starts_with('p')) {
      ++per_country[window_key(countries[customer % 3], at)];
    }
    world.disturb(random);
  }
  world.run_until_idle();

  return counts_of(world.read("per-customer")) == sequences(per_customer) &&
         counts_of(world.read("per-country")) == sequences(per_country) &&
         letters_of(world.read("dead-letters")) == broken;
}

DslWorld::Options options(bool exactly_once) {
  return {.topics = {"orders", "customers", "per-country", "per-customer", "dead-letters"},
          .topology = orders_by_country,
          .exactly_once = exactly_once};
}

TEST(DslEngine, CountsEveryRecordOnceThroughFailedCommitsAndCrashes) {
  DslWorld world(options(true));
  EXPECT_TRUE(counts_each_record_once(world));
}

TEST(DslEngine, DeletesRepartitionRecordsThatWereRead) {
  DslWorld world(options(true));
  ASSERT_TRUE(counts_each_record_once(world));

  for (const log::PartitionOffsets& offsets : world.offsets("shop-per-country-repartition")) {
    if (offsets.end > Offset(0)) {
      EXPECT_GT(offsets.start, Offset(0));
    }
  }
}

TEST(DslEngine, NegativeControlFindsDoublesWhenOffsetsAreCommittedOutsideTheTransaction) {
  DslWorld world(options(false));
  EXPECT_FALSE(counts_each_record_once(world));
}

}  // namespace
}  // namespace penstock::testing
