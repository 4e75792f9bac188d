// Descriptions of topologies, and what one version makes of another's state.
#include "topology/description.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "streams/world.h"
#include "topology/topology_diff.h"

namespace penstock::dsl {
namespace {

using namespace std::chrono_literals;
using topology::TopologyDescription;
using Text = std::string;

TopologyDescription described(StreamBuilder builder) {
  return topology::describe(built(std::move(builder)), "app");
}

StreamBuilder app() {
  return StreamBuilder({.application_id = "app"});
}

// Values counted by key and window.
TopologyDescription counted(Duration window, Duration retention = 1h) {
  StreamBuilder builder = app();
  builder.stream<Text, Text>("in")
      .group_by([](const Text& value) { return value; })
      .windowed_by(TimeWindows::of_size_and_grace(window, 0ms))
      .count(Materialized("counts").with_retention(retention))
      .to_stream()
      .to("out");
  return described(std::move(builder));
}

std::string verdicts(const TopologyDescription& before, const TopologyDescription& after) {
  return to_text(topology::diff(before, after));
}

TEST(Description, KnowsStoresTopicsAndTheirTypes) {
  const TopologyDescription description = counted(1min);

  ASSERT_EQ(description.sub_topologies.size(), 2U);
  EXPECT_EQ(description.sub_topologies[0].sources, (Lines{"in"}));
  ASSERT_EQ(description.sub_topologies[1].stores.size(), 1U);
  const topology::DescribedStore& store = description.sub_topologies[1].stores[0];
  EXPECT_EQ(store, (topology::DescribedStore{"counts",
                                             {"window", {"string", "long"}, 60'000, 3'600'000},
                                             "app-counts-changelog"}));
  ASSERT_EQ(description.repartitions.size(), 1U);
  EXPECT_EQ(description.repartitions[0],
            (topology::DescribedRepartition{"app-counts-repartition", {"string", "string"}, 0}));
}

TEST(Description, SurvivesJson) {
  const TopologyDescription description = counted(1min);

  const auto again = topology::parse_description(to_json(description));

  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, description);
  EXPECT_EQ(to_text(*again), to_text(description));
}

TEST(Description, RefusesWhatIsNoneAndWhatItDoesNotKnowYet) {
  for (const char* text : {"", "{}", "[]", R"({"version":1})", R"({"sub_topologies":[]})"}) {
    EXPECT_FALSE(topology::parse_description(text).has_value()) << text;
  }
  const auto later = topology::parse_description(R"({"version":2,"sub_topologies":[]})");
  ASSERT_FALSE(later);
  EXPECT_NE(later.error().message().find("use a later Penstock"), std::string::npos);
}

TEST(Description, IsDrawnAsAFlowChart) {
  StreamBuilder builder = app();
  builder.table<Text, Text>("in", Materialized("latest")).to_stream().to("out");

  EXPECT_EQ(to_mermaid(described(std::move(builder))),
            "flowchart TD\n"
            "  t0([\"in\"])\n"
            "  t1([\"out\"])\n"
            "  subgraph sub0[\"Sub-topology 0\"]\n"
            "    p2[\"KSTREAM-SOURCE-0000000000\"]\n"
            "    p3[\"KTABLE-SOURCE-0000000001\"]\n"
            "    p4[\"KTABLE-TOSTREAM-0000000002\"]\n"
            "    p6[\"KSTREAM-SINK-0000000003\"]\n"
            "    s5[(\"latest\")]\n"
            "  end\n"
            "  p2 --> p3\n"
            "  t0 --> p2\n"
            "  p3 --> p4\n"
            "  p3 --- s5\n"
            "  p4 --> p6\n"
            "  p6 --> t1\n");
}

TEST(TopologyDiff, StatelessStepsAndNamesOfStepsMayChange) {
  StreamBuilder builder = app();
  builder.stream<Text, Text>("in", {.name = "source"})
      .filter([](const Text&) { return true; })
      .group_by([](const Text& value) { return value; })
      .windowed_by(TimeWindows::of_size_and_grace(1min, 0ms))
      .count(Materialized("counts").with_retention(1h))
      .to_stream()
      .to("elsewhere");

  EXPECT_EQ(verdicts(counted(1min), described(std::move(builder))),
            "kept          store \"counts\"\n"
            "kept          repartition topic \"app-counts-repartition\"\n");
}

TEST(TopologyDiff, RetentionMayChangeAndIsMentioned) {
  EXPECT_EQ(verdicts(counted(1min, 1h), counted(1min, 2h)),
            "kept          store \"counts\": its retention 3600000 ms became 7200000 ms\n"
            "kept          repartition topic \"app-counts-repartition\"\n");
}

TEST(TopologyDiff, OtherWindowsAreIncompatible) {
  const auto found = topology::diff(counted(1min), counted(2min));

  EXPECT_FALSE(found.is_compatible());
  EXPECT_EQ(found.findings[0].why, "its window size 60000 ms became 120000 ms");
}

TEST(TopologyDiff, OtherTypesAndKindsAreIncompatible) {
  const auto grouped = [](auto finish) {
    StreamBuilder builder = app();
    finish(builder.stream<Text, Text>("in").group_by_key());
    return described(std::move(builder));
  };
  const TopologyDescription count = grouped([](const GroupedStream<Text, Text>& stream) {
    stream.count(Materialized("store")).to_stream().to("out");
  });
  const TopologyDescription reduced = grouped([](const GroupedStream<Text, Text>& stream) {
    stream.reduce([](const Text& left, const Text&) { return left; }, Materialized("store"))
        .to_stream()
        .to("out");
  });
  const TopologyDescription sessions = grouped([](const GroupedStream<Text, Text>& stream) {
    stream.windowed_by(SessionWindows::of_inactivity_gap_and_grace(1min, 0ms))
        .count(Materialized("store"))
        .to_stream()
        .to("out");
  });

  EXPECT_EQ(verdicts(count, reduced),
            "incompatible  store \"store\": its value type long became string\n");
  EXPECT_EQ(verdicts(count, sessions),
            "incompatible  store \"store\": its kind key-value became session\n");
}

TEST(TopologyDiff, NewAndDroppedStateIsNamed) {
  StreamBuilder builder = app();
  builder.stream<Text, Text>("in")
      .group_by_key()
      .count(Materialized("per-key"))
      .to_stream()
      .to("out");

  EXPECT_EQ(
      verdicts(counted(1min), described(std::move(builder))),
      "dropped       store \"counts\"\n"
      "new           store \"per-key\"\n"
      "dropped       repartition topic \"app-counts-repartition\": records that were not read "
      "from it yet are lost\n");
}

TEST(TopologyDiff, AStoreThatMovesAwayFromItsTopicIsIncompatible) {
  const auto from = [](const std::string& topic) {
    StreamBuilder builder = app();
    builder.stream<Text, Text>(topic)
        .group_by_key()
        .count(Materialized("counts"))
        .to_stream()
        .to("out");
    return described(std::move(builder));
  };

  EXPECT_EQ(
      verdicts(from("in"), from("other")),
      "incompatible  store \"counts\": its sub-topology does not read topic \"in\" any more\n");
}

TEST(TopologyDiff, OtherNumbersOfPartitionsAreIncompatibleWhereTheyAreKnown) {
  TopologyDescription before = counted(1min);
  TopologyDescription after = before;
  after.sub_topologies[1].partitions = 4;
  EXPECT_TRUE(topology::diff(before, after).is_compatible());
  before.sub_topologies[1].partitions = 3;

  const auto found = topology::diff(before, after);

  EXPECT_FALSE(found.is_compatible());
  EXPECT_EQ(found.findings[0].why, "its number of partitions 3 became 4");
}

}  // namespace
}  // namespace penstock::dsl
