// Tables that remember what they held, and joins that look back in them.
#include "streams/world.h"

namespace penstock::dsl {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

Text pair(const Text& left, const Text& right) {
  return left + "/" + right;
}

// Orders with the price of their time.
StreamBuilder priced_orders(const Joined& joined) {
  StreamBuilder builder({.application_id = "shop"});
  const auto prices =
      builder.table<Text, Text>("prices", Materialized("prices-store").versioned(10s));
  builder.stream<Text, Text>("orders").join(prices, pair, joined).to("priced");
  return builder;
}

TEST(VersionedTable, AJoinMeetsWhatWasValidAtTheTimeOfTheRecord) {
  World world(priced_orders(Joined("priced")));
  auto prices = world.driver.create_input_topic<Text, Text>("prices");
  auto orders = world.driver.create_input_topic<Text, Text>("orders");

  prices.pipe_input("apple", "10", Timestamp(1000));
  prices.pipe_input("apple", "12", Timestamp(5000));
  orders.pipe_input("apple", "late order", Timestamp(3000));
  orders.pipe_input("apple", "order", Timestamp(6000));
  prices.pipe_input("apple", "11", Timestamp(4000));  // out of order
  orders.pipe_input("apple", "other late order", Timestamp(4500));
  world.driver.restart();
  orders.pipe_input("apple", "order after a restart", Timestamp(4900));

  EXPECT_EQ((world.lines<Text, Text>("priced")),
            (Lines{"apple=late order/10@3000", "apple=order/12@6000",
                   "apple=other late order/11@4500", "apple=order after a restart/11@4900"}));
}

TEST(VersionedTable, RecordsWaitForLateUpdatesAndGoOnInTheOrderOfTime) {
  World world(priced_orders(Joined("priced").with_grace(1s)));
  auto prices = world.driver.create_input_topic<Text, Text>("prices");
  auto orders = world.driver.create_input_topic<Text, Text>("orders");

  prices.pipe_input("apple", "10", Timestamp(0));
  orders.pipe_input("apple", "second", Timestamp(2000));
  orders.pipe_input("apple", "first", Timestamp(1500));
  prices.pipe_input("apple", "11", Timestamp(1800));  // late, and in time
  EXPECT_TRUE((world.lines<Text, Text>("priced")).empty());
  world.driver.restart();
  orders.pipe_input("apple", "third", Timestamp(3000));
  orders.pipe_input("apple", "too late", Timestamp(1000));

  EXPECT_EQ((world.lines<Text, Text>("priced")),
            (Lines{"apple=first/10@1500", "apple=second/11@2000", "apple=too late/10@1000"}));
}

TEST(VersionedTable, WhatWaitsIsTakenBackByAnAbort) {
  World world(priced_orders(Joined("priced").with_grace(1s)));
  auto prices = world.driver.create_input_topic<Text, Text>("prices");
  auto orders = world.driver.create_input_topic<Text, Text>("orders");
  prices.pipe_input("apple", "10", Timestamp(0));
  const engine::DrivenRecord order{PartitionId(0), Timestamp(500), "apple", "order", Offset(0), {}};

  world.driver.driver().send("orders", order);
  world.driver.expect(world.driver.driver().run());
  world.driver.driver().abort();
  world.driver.expect(world.driver.driver().run());
  world.driver.expect(world.driver.driver().commit());
  orders.pipe_input("apple", "last", Timestamp(1500));

  EXPECT_EQ((world.lines<Text, Text>("priced")), (Lines{"apple=order/10@500"}));
}

TEST(VersionedTable, WhoWantsOnlyTheLatestDoesNotSeeWhatComesOutOfOrder) {
  StreamBuilder builder;
  const auto prices =
      builder.table<Text, Text>("prices", Materialized("prices-store").versioned(10s));
  prices.group_by([](const Text&, const Text& price) { return std::pair(price, price); })
      .count(Materialized("per-price"))
      .to_stream()
      .to("per-price");
  World world(std::move(builder));
  auto input = world.driver.create_input_topic<Text, Text>("prices");

  input.pipe_input("apple", "12", Timestamp(5000));
  input.pipe_input("apple", "10", Timestamp(1000));
  input.pipe_input("apple", "too old", Timestamp(20'000));
  input.pipe_input("apple", "expired", Timestamp(9000));

  EXPECT_EQ((world.lines<Text, std::int64_t>("per-price")),
            (Lines{"12=1@5000", "12=0@20000", "too old=1@20000"}));
  EXPECT_EQ(world.driver.counts().expired, 1U);
}

TEST(VersionedTable, BuildRefusesWhatMakesNoSense) {
  const auto why = [](StreamBuilder builder) {
    const auto topology = std::move(builder).build();
    return topology.has_value() ? "" : topology.error().message();
  };
  StreamBuilder without_versions;
  without_versions.stream<Text, Text>("orders")
      .join(without_versions.table<Text, Text>("prices", Materialized("p")), pair,
            Joined("priced").with_grace(1s))
      .to("out");
  StreamBuilder suppressed;
  suppressed.table<Text, Text>("prices", Materialized("p").versioned(1s))
      .suppress(Suppressed::until_time_limit("slow", 1s, BufferConfig::unbounded()))
      .to_stream()
      .to("out");
  StreamBuilder windows;
  static_cast<void>(windows.stream<Text, Text>("in")
                        .group_by_key()
                        .windowed_by(TimeWindows::of_size_with_no_grace(1s))
                        .count(Materialized("w").versioned(1s)));

  EXPECT_EQ(why(std::move(without_versions)),
            "join \"priced\" has a grace period, but its table is not versioned");
  EXPECT_NE(why(std::move(suppressed)).find("behind a versioned table"), std::string::npos);
  EXPECT_NE(why(std::move(windows)).find("cannot be versioned"), std::string::npos);
}

}  // namespace
}  // namespace penstock::dsl
