// Tables and joins: changes with old values, groups, all kinds of joins and their waiting records.
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "streams/world.h"

namespace penstock::dsl {
namespace {

using namespace std::chrono_literals;
using Text = std::string;
using Number = std::int64_t;

struct Input {
  const char* topic;
  std::optional<Text> key;
  std::optional<Text> value;
  std::int64_t at;
};

void pipe(World& world, const std::vector<Input>& inputs) {
  for (const Input& input : inputs) {
    world.driver.create_input_topic<Text, Text>(input.topic)
        .pipe_input(input.key, input.value, Timestamp(input.at));
  }
}

Text both(const Text* left, const Text* right) {
  return (left == nullptr ? "-" : *left) + (right == nullptr ? "-" : *right);
}

Text with_right(const Text& left, const Text* right) {
  return both(&left, right);
}

Text all(const Text& left, const Text& right) {
  return left + right;
}

TEST(Table, FilterTellsOnlyOfWhatItHadAndHas) {
  StreamBuilder builder;
  const auto table = builder.table<Text, Text>("t", Materialized("t"));
  table.filter([](const Text& value) { return value.size() > 1; }).to_stream().to("out");
  World world(std::move(builder));

  pipe(world, {{"t", "a", "x", 1},
               {"t", "a", "xx", 2},
               {"t", "a", "y", 3},
               {"t", "a", std::nullopt, 4},
               {"t", std::nullopt, "zz", 5}});

  EXPECT_EQ((world.lines<Text, Text>("out")), (Lines{"a=xx@2", "a=null@3"}));
  EXPECT_EQ(world.driver.counts().dropped, 1U);
}

TEST(Table, GroupsLoseWhatAnEntryWasAndGainWhatItIs) {
  StreamBuilder builder;
  const auto grouped =
      builder.table<Text, Text>("t", Materialized("t"))
          .group_by([](const Text& key, const Text& value) { return std::pair(value, key); });
  grouped.count(Materialized("counts")).to_stream().to("counts");
  grouped
      .reduce([](Text sum, const Text& key) { return sum + "+" + key; },
              [](Text sum, const Text& key) { return sum + "-" + key; }, Materialized("sums"))
      .to_stream()
      .to("sums");
  World world(std::move(builder));

  pipe(world, {{"t", "a", "x", 1}, {"t", "b", "x", 2}, {"t", "a", "y", 3}, {"t", "b", "x", 4}});

  EXPECT_EQ((world.lines<Text, Number>("counts")),
            (Lines{"x=1@1", "x=2@2", "x=1@3", "y=1@3", "x=1@4"}));
  EXPECT_EQ((world.lines<Text, Text>("sums")),
            (Lines{"x=a@1", "x=a+b@2", "x=a+b-a@3", "y=a@3", "x=a+b-a-b+b@4"}));
}

TEST(TableJoin, InnerLeftAndOuter) {
  StreamBuilder builder;
  const auto left = builder.table<Text, Text>("l", Materialized("l"));
  const auto right = builder.table<Text, Text>("r", Materialized("r"));
  left.join(right, all).to_stream().to("inner");
  left.left_join(right, with_right).to_stream().to("left");
  left.outer_join(right, both, Materialized("outer")).to_stream().to("outer");
  World world(std::move(builder));

  pipe(world, {{"l", "a", "A", 1},
               {"r", "a", "B", 3},
               {"l", "a", std::nullopt, 2},
               {"r", "a", std::nullopt, 4},
               {"r", "b", "C", 5}});

  EXPECT_EQ((world.lines<Text, Text>("inner")), (Lines{"a=AB@3", "a=null@3"}));
  EXPECT_EQ((world.lines<Text, Text>("left")), (Lines{"a=A-@1", "a=AB@3", "a=null@3"}));
  EXPECT_EQ((world.lines<Text, Text>("outer")),
            (Lines{"a=A-@1", "a=AB@3", "a=-B@3", "a=null@4", "b=-C@5"}));
}

TEST(StreamTableJoin, OnlyTheStreamBringsResults) {
  StreamBuilder builder;
  const auto stream = builder.stream<Text, Text>("s");
  const auto table = builder.table<Text, Text>("t", Materialized("t"));
  stream.join(table, all, Joined("inner")).to("inner");
  stream.left_join(table, with_right, Joined("left")).to("left");
  World world(std::move(builder));

  pipe(world, {{"s", "a", "1", 1},
               {"t", "a", "T", 2},
               {"s", "a", "2", 3},
               {"s", std::nullopt, "3", 4},
               {"s", "a", std::nullopt, 5},
               {"t", "a", std::nullopt, 6},
               {"s", "a", "4", 7}});

  EXPECT_EQ((world.lines<Text, Text>("inner")), (Lines{"a=2T@3"}));
  EXPECT_EQ((world.lines<Text, Text>("left")), (Lines{"a=1-@1", "a=2T@3", "null=3-@4", "a=4-@7"}));
}

TEST(StreamJoin, PairsWithinTheWindowsAndUnmatchedOnesWhenTheyClose) {
  StreamBuilder builder({.application_id = "", .emit_interval = 0ms});
  const auto left = builder.stream<Text, Text>("l");
  const auto right = builder.stream<Text, Text>("r");
  const JoinWindows windows = JoinWindows::of_time_difference_and_grace(5ms, 2ms);
  left.join(right, all, windows, StreamJoined("inner")).to("inner");
  left.left_join(right, with_right, windows, StreamJoined("left")).to("left");
  left.outer_join(right, both, windows, StreamJoined("outer")).to("outer");
  World world(std::move(builder));

  pipe(world, {{"l", "a", "A", 1},
               {"l", "b", "B", 2},
               {"r", "a", "X", 6},
               {"r", "c", "Y", 7},
               {"l", "d", "D", 20},
               {"l", "a", "E", 3}});

  EXPECT_EQ((world.lines<Text, Text>("inner")), (Lines{"a=AX@6", "a=EX@6"}));
  EXPECT_EQ((world.lines<Text, Text>("left")), (Lines{"a=AX@6", "b=B-@2", "a=EX@6"}));
  EXPECT_EQ((world.lines<Text, Text>("outer")), (Lines{"a=AX@6", "b=B-@2", "c=-Y@7", "a=EX@6"}));
}

TEST(StreamJoin, AStreamMeetsItself) {
  StreamBuilder builder;
  const auto stream = builder.stream<Text, Text>("s");
  stream.join(stream, all, JoinWindows::of_time_difference_with_no_grace(5ms), StreamJoined("self"))
      .to("out");
  World world(std::move(builder));

  pipe(world, {{"s", "a", "1", 1}, {"s", "a", "2", 2}});

  EXPECT_EQ((world.lines<Text, Text>("out")), (Lines{"a=11@1", "a=21@2", "a=12@2", "a=22@2"}));
}

TEST(StreamJoin, ChangedKeysAreRepartitionedOnBothSides) {
  StreamBuilder builder({.application_id = "app"});
  const auto by_value = [](const Text&, const Text& value) { return value; };
  builder.stream<Text, Text>("l")
      .select_key(by_value)
      .join(builder.stream<Text, Text>("r").select_key(by_value), all,
            JoinWindows::of_time_difference_with_no_grace(5ms), StreamJoined("pairs"))
      .to("out");
  World world(std::move(builder), {.partition_count = 2});

  pipe(world, {{"l", "1", "x", 1}, {"r", "2", "x", 2}, {"r", "3", "y", 3}});

  EXPECT_EQ((world.lines<Text, Text>("out")), (Lines{"x=xx@2"}));
  EXPECT_EQ(world.driver.produced("app-pairs-left-repartition").size(), 1U);
  EXPECT_EQ(world.driver.produced("app-pairs-right-repartition").size(), 2U);
}

TEST(Build, NamesUsedTwiceAreRefused) {
  StreamBuilder builder;
  const auto stream = builder.stream<Text, Text>("s");
  static_cast<void>(stream.group_by_key().count(Materialized("same")));
  static_cast<void>(stream.group_by_key().reduce(all, Materialized("same")));

  const auto topology = std::move(builder).build();

  ASSERT_FALSE(topology);
  EXPECT_EQ(topology.error().code(), ErrorCode::kInvalid);
  EXPECT_NE(topology.error().message().find("\"same\""), std::string::npos);
}

// A joiner that takes the key by reference cannot be shown a record that has none.
TEST(Join, RecordsWithoutKeyAreDroppedWhereTheJoinerWantsOne) {
  const auto with_key = [](const Text& key, const Text& left, const Text* right) {
    return key + with_right(left, right);
  };
  StreamBuilder builder({.emit_interval = 0ms});
  const auto left = builder.stream<Text, Text>("left");
  left.left_join(builder.table<Text, Text>("table", Materialized("t")), with_key, Joined("lookup"))
      .to("looked-up");
  left.left_join(builder.stream<Text, Text>("right"), with_key,
                 JoinWindows::of_time_difference_with_no_grace(1ms), StreamJoined("pairs"))
      .to("paired");
  World world(std::move(builder));

  pipe(world, {{"left", std::nullopt, "x", 1}, {"left", "k", "y", 2}, {"left", "k", "z", 9}});

  EXPECT_EQ((world.lines<Text, Text>("looked-up")), (Lines{"k=ky-@2", "k=kz-@9"}));
  EXPECT_EQ((world.lines<Text, Text>("paired")), (Lines{"k=ky-@2"}));
  EXPECT_EQ(world.driver.counts().dropped, 2U);
}

}  // namespace
}  // namespace penstock::dsl
