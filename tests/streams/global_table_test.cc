// Global tables: joined by any key, the same in all partitions, there after a restart.
#include "streams/world.h"

namespace penstock::dsl {
namespace {

using Text = std::string;

// Orders "country:product" with the name of the country.
StreamBuilder orders_with_country() {
  StreamBuilder builder;
  const auto countries = builder.global_table<Text, Text>("countries", Materialized("names"));
  builder.stream<Text, Text>("orders")
      .left_join(
          countries, [](const Text& order) { return order.substr(0, order.find(':')); },
          [](const Text& order, const Text* country) {
            return order + "/" + (country == nullptr ? "?" : *country);
          })
      .to("named");
  return builder;
}

TEST(GlobalTable, IsJoinedByAnyKeyFromAllPartitions) {
  World world(orders_with_country(), {.partition_count = 4});
  auto countries = world.driver.create_input_topic<Text, Text>("countries");
  auto orders = world.driver.create_input_topic<Text, Text>("orders");

  orders.pipe_input("o1", "fr:tea", Timestamp(1));
  countries.pipe_input("fr", "France", Timestamp(2));
  countries.pipe_input("jp", "Japan", Timestamp(2));
  countries.pipe_input(std::nullopt, "nobody", Timestamp(2));
  for (const char* key : {"o2", "o3", "o4", "o5", "o6"}) {
    orders.pipe_input(key, "fr:tea", Timestamp(3));
  }
  world.driver.restart();
  orders.pipe_input("o7", "jp:tea", Timestamp(4));
  countries.pipe_input("jp", std::nullopt, Timestamp(5));
  orders.pipe_input("o8", "jp:tea", Timestamp(6));

  EXPECT_EQ(
      (world.lines<Text, Text>("named")),
      (Lines{"o1=fr:tea/?@1", "o2=fr:tea/France@3", "o3=fr:tea/France@3", "o4=fr:tea/France@3",
             "o5=fr:tea/France@3", "o6=fr:tea/France@3", "o7=jp:tea/Japan@4", "o8=jp:tea/?@6"}));
  EXPECT_EQ(world.driver.counts().dropped, 1U);  // the one without key
  EXPECT_EQ((world.driver.key_value_store<Text, Text>("names").get("fr")->value), "France");
}

TEST(GlobalTable, RefusesWhatCannotBeReadUnlessToldToDropIt) {
  const auto build = [](Malformed malformed) {
    StreamBuilder builder;
    const auto numbers = builder.global_table<Text, std::int64_t>(
        "numbers", Materialized("numbers"), {.name = {}, .malformed = malformed});
    builder.stream<Text, Text>("in")
        .join(
            numbers, [](const Text& value) { return value; },
            [](const Text&, const std::int64_t& number) { return number; })
        .to("out");
    return builder;
  };
  World strict(build(Malformed::kFail));
  World lenient(build(Malformed::kDrop));

  auto text = strict.driver.create_input_topic<Text, Text>("numbers");
  const Status refused = text.send({"k", "no number", Timestamp(1)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().to_string().find("cannot be decoded"), std::string::npos);
  lenient.driver.create_input_topic<Text, Text>("numbers").pipe_input("k", "no number");
  EXPECT_EQ(lenient.driver.counts().dropped, 1U);
}

TEST(GlobalTable, BuildRefusesATopicThatIsReadOtherwiseToo) {
  StreamBuilder builder;
  static_cast<void>(builder.global_table<Text, Text>("topic", Materialized("global")));
  builder.stream<Text, Text>("topic").to("out");

  const auto topology = std::move(builder).build();

  ASSERT_FALSE(topology.has_value());
  EXPECT_NE(topology.error().message().find("read as a global table"), std::string::npos);
}

TEST(GlobalTable, IsShownInTheDescription) {
  const topology::Topology topology = built(orders_with_country());

  EXPECT_NE(topology.describe().find("for global store (will not generate tasks)\n"
                                     "    Source: KSTREAM-SOURCE-0000000000 (topics: [countries])\n"
                                     "      --> KTABLE-SOURCE-0000000001\n"),
            std::string::npos)
      << topology.describe();
}

}  // namespace
}  // namespace penstock::dsl
