// Stateless steps: what they hand on, in which order, and how they treat null.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "streams/world.h"

namespace penstock::dsl {
namespace {

using Text = std::string;
using Number = std::int64_t;

TEST(Stateless, ChainIsOneNodeAndEveryStepIsDescribed) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .filter([](const Text& value) { return value.size() > 1; })
      .map_values([](const Text& value) { return static_cast<Number>(value.size()); })
      .to("out");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");
  auto out = world.driver.create_output_topic<Text, Number>("out");

  in.pipe_input("a", "x", Timestamp(1));
  in.pipe_input("b", "yes", Timestamp(2));

  EXPECT_EQ(out.read_records(),
            (std::vector<testdriver::TestRecord<Text, Number>>{{"b", 3, Timestamp(2), {}}}));
  EXPECT_EQ(world.topology.describe(),
            "Topologies:\n"
            "   Sub-topology: 0\n"
            "    Source: KSTREAM-SOURCE-0000000000 (topics: [in])\n"
            "      --> KSTREAM-FILTER-0000000001\n"
            "    Processor: KSTREAM-FILTER-0000000001 (stores: [])\n"
            "      --> KSTREAM-MAPVALUES-0000000002\n"
            "      <-- KSTREAM-SOURCE-0000000000\n"
            "    Processor: KSTREAM-MAPVALUES-0000000002 (stores: [])\n"
            "      --> KSTREAM-SINK-0000000003\n"
            "      <-- KSTREAM-FILTER-0000000001\n"
            "    Sink: KSTREAM-SINK-0000000003 (topic: out)\n"
            "      <-- KSTREAM-MAPVALUES-0000000002\n"
            "\n");
}

TEST(Stateless, NullValuesPassWhatDoesNotAskForThem) {
  StreamBuilder builder;
  const auto in_stream = builder.stream<Text, Text>("in");
  in_stream.map_values([](const Text& value) { return value + "!"; }).to("mapped");
  in_stream.map_values([](const Text* value) { return value == nullptr ? Text("none") : *value; })
      .to("seen");
  in_stream.filter([](const Text&) { return true; }).to("matched");
  in_stream.filter_not([](const Text&) { return true; }).to("unmatched");
  in_stream
      .map_values([](const Text& value) -> std::optional<Text> {
        return value == "x" ? std::nullopt : std::optional(value);
      })
      .to("made-null");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  in.pipe_input("k", std::nullopt);
  in.pipe_input("k", "x");

  EXPECT_EQ(world.read<Text>("mapped"), (Pairs<Text>{{"k", std::nullopt}, {"k", "x!"}}));
  EXPECT_EQ(world.read<Text>("seen"), (Pairs<Text>{{"k", "none"}, {"k", "x"}}));
  EXPECT_EQ(world.read<Text>("matched"), (Pairs<Text>{{"k", "x"}}));
  EXPECT_EQ(world.read<Text>("unmatched"), (Pairs<Text>{{"k", std::nullopt}}));
  EXPECT_EQ(world.read<Text>("made-null"), (Pairs<Text>{{"k", std::nullopt}, {"k", std::nullopt}}));
}

TEST(Stateless, BranchesSeeEachRecordDepthFirst) {
  StreamBuilder builder;
  const auto in_stream = builder.stream<Text, Text>("in");
  in_stream.map_values([](const Text& value) { return value + "1"; }).to("out");
  in_stream
      .flat_map_values([](const Text& value) {
        return std::vector<Text>{value + "2", value + "3"};
      })
      .to("out");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  world.driver.driver().send("in", {PartitionId(0), Timestamp(1), "k", "a", Offset(0), {}});
  world.driver.driver().send("in", {PartitionId(0), Timestamp(1), "k", "b", Offset(0), {}});
  ASSERT_TRUE(world.driver.driver().run());
  ASSERT_TRUE(world.driver.driver().commit());

  // Two sinks of one topic keep the order of their own records.
  EXPECT_EQ(world.read<Text>("out").size(), 6U);
}

TEST(Stateless, SplitGivesEachRecordToTheFirstBranchThatWantsIt) {
  StreamBuilder builder;
  auto [short_ones, with_b, rest] =
      builder.stream<Text, Text>("in").split([](const Text& value) { return value.size() < 2; },
                                             [](const Text& value) { return value[0] == 'b'; });
  short_ones.to("short");
  with_b.merge(short_ones).to("merged");
  rest.to("rest");
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");

  for (const char* value : {"b", "bb", "cc"}) {
    in.pipe_input("k", value);
  }

  EXPECT_EQ(world.read<Text>("short"), (Pairs<Text>{{"k", "b"}}));
  EXPECT_EQ(world.read<Text>("merged"), (Pairs<Text>{{"k", "b"}, {"k", "bb"}}));
  EXPECT_EQ(world.read<Text>("rest"), (Pairs<Text>{{"k", "cc"}}));
}

TEST(Stateless, HeadersFlowThroughAndTopicsAreChosenPerRecord) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .map([](const Text& key, const Text& value) { return std::pair(value, key); })
      .to({"a", "b"}, [](const Text& key, const Text&) { return key; });
  World world(std::move(builder));
  auto in = world.driver.create_input_topic<Text, Text>("in");
  const Headers headers{{"trace", to_bytes("42")}, {"empty", std::nullopt}};

  in.pipe_input({"v1", "a", Timestamp(5), headers});
  in.pipe_input({"v2", "b", Timestamp(6), {}});
  const Status undeclared = in.send({"v3", "c", Timestamp(7), {}});

  auto first = world.driver.create_output_topic<Text, Text>("a");
  EXPECT_EQ(first.read_records(),
            (std::vector<testdriver::TestRecord<Text, Text>>{{"a", "v1", Timestamp(5), headers}}));
  EXPECT_EQ(world.read<Text>("b"), (Pairs<Text>{{"b", "v2"}}));
  ASSERT_FALSE(undeclared);
  EXPECT_NE(undeclared.error().message().find("\"c\""), std::string::npos);
}

TEST(Stateless, MalformedRecordsStopOrAreDropped) {
  StreamBuilder builder;
  builder.stream<Text, Number>("strict").to("out");
  builder.stream<Text, Number>("lenient", {.malformed = Malformed::kDrop}).to("out2");
  World world(std::move(builder));
  auto strict = world.driver.create_input_topic<Text, Text>("strict");
  auto lenient = world.driver.create_input_topic<Text, Text>("lenient");

  lenient.pipe_input("k", "abc");
  EXPECT_EQ(world.driver.counts().dropped, 1U);
  const Status stopped = strict.send({"k", "abc", Timestamp(1), {}});
  ASSERT_FALSE(stopped);
  EXPECT_NE(stopped.error().message().find("topic \"strict\", partition 0, offset 0: the value"),
            std::string::npos);
}

}  // namespace
}  // namespace penstock::dsl
