// The foreign-key join: entries of the left table follow what they name in the right one.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dsl/murmur3.h"
#include "streams/world.h"

namespace penstock::dsl {
namespace {

using Text = std::string;

Text with_right(const Text& left, const Text* right) {
  return left + "/" + (right == nullptr ? "-" : *right);
}

// Orders name their customer by their first letter; "?" names nobody.
std::optional<Text> customer_of(const Text& order) {
  return order.starts_with("?") ? std::nullopt : std::optional(order.substr(0, 1));
}

StreamBuilder orders_with_customers() {
  StreamBuilder builder({.application_id = "app"});
  const auto orders = builder.table<Text, Text>("orders", Materialized("orders"));
  const auto customers = builder.table<Text, Text>("customers", Materialized("customers"));
  orders
      .join(
          customers, customer_of,
          [](const Text& order, const Text& customer) { return order + "/" + customer; },
          TableJoined("inner"), Materialized("inner-result"))
      .to_stream()
      .to("inner");
  orders
      .left_join(customers, customer_of, with_right, TableJoined("left"),
                 Materialized("left-result"))
      .to_stream()
      .to("left");
  return builder;
}

TEST(ForeignKeyJoin, FollowsBothTables) {
  World world(orders_with_customers(), {.partition_count = 2});
  auto orders = world.driver.create_input_topic<Text, Text>("orders");
  auto customers = world.driver.create_input_topic<Text, Text>("customers");

  orders.pipe_input("o1", "a1", Timestamp(1));
  customers.pipe_input("a", "anna", Timestamp(2));
  orders.pipe_input("o2", "a2", Timestamp(3));
  customers.pipe_input("a", "ann", Timestamp(4));
  orders.pipe_input("o1", "b1", Timestamp(5));
  customers.pipe_input("b", "bob", Timestamp(6));
  orders.pipe_input("o2", std::nullopt, Timestamp(7));
  orders.pipe_input("o3", "?", Timestamp(8));

  auto inner = world.driver.create_output_topic<Text, Text>("inner");
  auto left = world.driver.create_output_topic<Text, Text>("left");
  EXPECT_EQ(inner.read_key_values_to_map(), (std::map<Text, Text>{{"o1", "b1/bob"}}));
  EXPECT_EQ(left.read_key_values_to_map(), (std::map<Text, Text>{{"o1", "b1/bob"}, {"o3", "?/-"}}));
  EXPECT_EQ(world.driver.produced("app-inner-subscription-registration-topic").size(), 5U);
}

TEST(ForeignKeyJoin, SurvivesARestartAndGivesEachResultInOrder) {
  World world(orders_with_customers());
  auto orders = world.driver.create_input_topic<Text, Text>("orders");
  auto customers = world.driver.create_input_topic<Text, Text>("customers");

  orders.pipe_input("o1", "a1", Timestamp(5));
  customers.pipe_input("a", "anna", Timestamp(2));
  world.driver.restart();
  customers.pipe_input("a", "ann", Timestamp(7));
  customers.pipe_input("a", std::nullopt, Timestamp(8));

  EXPECT_EQ((world.lines<Text, Text>("inner")),
            (Lines{"o1=a1/anna@2", "o1=a1/ann@7", "o1=null@8"}));
  EXPECT_EQ((world.lines<Text, Text>("left")),
            (Lines{"o1=a1/-@5", "o1=a1/anna@2", "o1=a1/ann@7", "o1=a1/-@8"}));
}

TEST(Murmur3, HashesAsTheReferenceImplementation) {
  // The cases of Kafka Streams' own test, with its seed.
  const std::vector<std::pair<std::string, std::pair<std::int64_t, std::int64_t>>> cases = {
      {"21", {5857341059704281894, -5288187638297930763}},
      {"foobar", {-351361463397418609, 8959716011862540668}},
      {"a-little-bit-long-string", {8836256500583638442, -198172363548498523}},
      {"a-little-bit-longer-string", {1838346159335108511, 8794688210320490705}},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
       {-4024021876037397259, -1482317706335141238}},
      {"abc", {1489494923063836066, -5440978547625122829}}};
  for (const auto& [text, expected] : cases) {
    const Hash128 hash = murmur3_128(as_bytes(text), 123);
    EXPECT_EQ(load_be<std::int64_t>(hash.data()), expected.first) << text;
    EXPECT_EQ(load_be<std::int64_t>(hash.data() + 8), expected.second) << text;
  }
}

}  // namespace
}  // namespace penstock::dsl
