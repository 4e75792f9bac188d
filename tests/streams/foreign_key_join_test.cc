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
  // Different lengths reach all branches; equal bytes give equal hashes, others do not.
  const Bytes text = to_bytes("the quick brown fox jumps over the lazy dog");
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_NE(murmur3_128(ByteView(text).first(size)), murmur3_128(ByteView(text).first(size + 1)));
  }
}

}  // namespace
}  // namespace penstock::dsl
