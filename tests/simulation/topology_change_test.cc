// A program comes back in another version: what it may take over of its state, and what not.
#include <string>

#include <gtest/gtest.h>

#include "engine/stored_topology.h"
#include "simulation/stream_world.h"

namespace penstock::testing {
namespace {

using Text = std::string;
using Number = std::int64_t;

Text as_sequence(const Text&, const Number& count) {
  return std::to_string(count);
}

dsl::StreamBuilder counting() {
  dsl::StreamBuilder builder({.application_id = "app"});
  builder.stream<Text, Text>("in")
      .group_by_key()
      .count(dsl::Materialized("counts"))
      .to_stream()
      .map_values(as_sequence)
      .to("out");
  return builder;
}

// The same with a filter before it, and another store beside it.
dsl::StreamBuilder counting_more() {
  dsl::StreamBuilder builder({.application_id = "app"});
  const auto in = builder.stream<Text, Text>("in");
  in.filter([](const Text& value) { return value != "none"; })
      .group_by_key()
      .count(dsl::Materialized("counts"))
      .to_stream()
      .map_values(as_sequence)
      .to("out");
  in.group_by_key()
      .count(dsl::Materialized("again"))
      .to_stream()
      .map_values(as_sequence)
      .to("again");
  return builder;
}

// Under the store's name is something else.
dsl::StreamBuilder concatenating() {
  dsl::StreamBuilder builder({.application_id = "app"});
  builder.stream<Text, Text>("in")
      .group_by_key()
      .reduce([](const Text& left, const Text& right) { return left + right; },
              dsl::Materialized("counts"))
      .to_stream()
      .to("out");
  return builder;
}

class TopologyChange : public ::testing::Test {
 protected:
  TopologyChange() : world_({"in", "out", "again"}, counting) {}

  // Two records counted by the first version.
  void run_first_version() {
    ASSERT_TRUE(world_.start());
    world_.send("in", "a", "x", 1);
    world_.send("in", "a", "y", 2);
    world_.run(100);
    world_.stop();
  }

  StreamWorld world_;
};

TEST_F(TopologyChange, IsStoredWithTheFirstState) {
  ASSERT_TRUE(world_.start());
  EXPECT_FALSE(engine::stored_topology(world_.log(), "app")->has_value());
  world_.send("in", "a", "x", 1);
  world_.run(100);

  const auto stored = engine::stored_topology(world_.log(), "app");
  ASSERT_TRUE(stored);
  ASSERT_TRUE(stored->has_value());
  EXPECT_EQ((*stored)->application, "app");
  ASSERT_EQ((*stored)->sub_topologies.size(), 1U);
  EXPECT_EQ((*stored)->sub_topologies[0].partitions, 1);
  EXPECT_EQ((*stored)->sub_topologies[0].stores[0].shape.types.value, "long");
}

TEST_F(TopologyChange, TheSameVersionWritesNothingAnew) {
  run_first_version();
  const TopicId topic = world_.log().topic(engine::kTopologiesTopic)->id;
  const auto before = world_.log().offsets({topic, PartitionId(0)});
  ASSERT_TRUE(world_.start());
  world_.send("in", "a", "z", 3);
  world_.run(100);

  EXPECT_EQ(world_.log().offsets({topic, PartitionId(0)})->end, before->end);
  EXPECT_EQ(world_.read("out"), (std::vector<Text>{"a=1", "a=2", "a=3"}));
}

TEST_F(TopologyChange, StepsAndStoresMayBeAddedAndTheStateGoesOn) {
  run_first_version();
  world_.change(counting_more);
  const Status started = world_.start();
  ASSERT_TRUE(started) << started.error().message();
  world_.send("in", "a", "z", 3);
  world_.run(100);
  ASSERT_TRUE(world_.crash());
  world_.send("in", "a", "w", 4);
  world_.run(100);

  EXPECT_EQ(world_.read("out"), (std::vector<Text>{"a=1", "a=2", "a=3", "a=4"}));
  EXPECT_EQ(world_.read("again"), (std::vector<Text>{"a=1", "a=2"})) << "it begins empty";
}

TEST_F(TopologyChange, OtherTypesUnderTheSameNameAreRefusedWithASentence) {
  run_first_version();
  world_.change(concatenating);

  const Status started = world_.start();

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::kInvalid);
  EXPECT_NE(started.error().message().find(
                "store \"counts\": its value type long became string. Go back"),
            std::string::npos)
      << started.error().message();
}

TEST_F(TopologyChange, AVersionThatWasRefusedLeavesTheStateForTheOneBefore) {
  run_first_version();
  world_.change(concatenating);
  ASSERT_FALSE(world_.start());
  world_.change(counting);
  ASSERT_TRUE(world_.start());
  world_.send("in", "a", "z", 3);
  world_.run(100);

  EXPECT_EQ(world_.read("out"), (std::vector<Text>{"a=1", "a=2", "a=3"}));
}

TEST_F(TopologyChange, AStoreThatWasDroppedDoesNotComeBackWithOldContents) {
  world_.change(counting_more);
  run_first_version();
  world_.change(counting);
  ASSERT_TRUE(world_.start());
  world_.send("in", "a", "z", 3);
  world_.run(100);
  world_.stop();
  world_.change(counting_more);
  ASSERT_TRUE(world_.start());

  Status failed;
  for (int steps = 0; steps < 100 && failed; ++steps) {
    failed = world_.step();
  }
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("store \"again\" has a changelog"), std::string::npos)
      << failed.error().message();
}

}  // namespace
}  // namespace penstock::testing
