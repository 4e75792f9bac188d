// Aggregations: by key, by windows of all kinds, on update and on close, through repartition
// topics.
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
using WindowedText = Windowed<Text>;
using SessionText = SessionWindowed<Text>;

// Pipes "key value timestamp" records.
struct Input {
  std::optional<Text> key;
  std::optional<Text> value;
  std::int64_t at;
};

void pipe(World& world, const std::string& topic, const std::vector<Input>& inputs) {
  auto in = world.driver.create_input_topic<Text, Text>(topic);
  for (const Input& input : inputs) {
    in.pipe_input(input.key, input.value, Timestamp(input.at));
  }
}

Text join(Text left, const Text& right) {
  return left + right;
}

TEST(Aggregate, CountsByKeyAndDropsRecordsWithoutKeyOrValue) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .count(Materialized("counts"))
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "in", {{"a", "x", 5}, {"a", "y", 3}, {std::nullopt, "x", 6}, {"a", std::nullopt, 7}});

  EXPECT_EQ((world.lines<Text, Number>("out")), (Lines{"a=1@5", "a=2@5"}));
  EXPECT_EQ(world.driver.counts().dropped, 2U);
  auto store = world.driver.key_value_store<Text, Number>("counts");
  EXPECT_EQ(store.get("a"), (ValueAndTimestamp<Number>{2, Timestamp(5)}));
}

TEST(Aggregate, ChangedKeysGoThroughATopicNamedLikeTheStore) {
  StreamBuilder builder({.application_id = "app"});
  builder.stream<Text, Text>("in")
      .group_by([](const Text&, const Text& value) { return value; })
      .reduce(join, Materialized("joined"))
      .to_stream()
      .to("out");
  World world(std::move(builder), {.partition_count = 3});

  pipe(world, "in", {{"a", "x", 1}, {"b", "y", 2}, {"c", "x", 3}});

  Lines lines = world.lines<Text, Text>("out");
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Lines{"x=x@1", "x=xx@3", "y=y@2"}));
  EXPECT_EQ(world.driver.produced("app-joined-repartition").size(), 3U);
  EXPECT_EQ(world.driver.produced("app-joined-changelog").size(), 3U);
}

TEST(Aggregate, AnAbsentResultIsRemoved) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .aggregate([] { return Text(); },
                 [](const Text&, const Text& value, Text sum) {
                   return value == "clear" ? std::nullopt : std::optional(sum + value);
                 },
                 Materialized("sums"))
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "in", {{"a", "x", 1}, {"a", "y", 2}, {"a", "clear", 3}, {"a", "z", 4}});

  EXPECT_EQ((world.lines<Text, Text>("out")), (Lines{"a=x@1", "a=xy@2", "a=null@3", "a=z@4"}));
}

TEST(WindowAggregate, TumblingWindowsCloseWithGraceAndLateRecordsAreCounted) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by(TimeWindows::of_size_and_grace(10ms, 5ms))
      .count(Materialized("counts"))
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "in", {{"a", "x", 1}, {"a", "x", 12}, {"a", "x", 9}, {"a", "x", 15}, {"a", "x", 8}});

  EXPECT_EQ((world.lines<WindowedText, Number>("out")),
            (Lines{"a[0]=1@1", "a[10]=1@12", "a[0]=2@9", "a[10]=2@15"}));
  EXPECT_EQ(world.driver.counts().late, 1U);
}

TEST(WindowAggregate, HoppingWindowsOverlap) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by(TimeWindows::of_size_with_no_grace(10ms).advance_by(5ms))
      .reduce(join, Materialized("joined"))
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "in", {{"a", "x", 7}, {"a", "y", 12}});

  EXPECT_EQ((world.lines<WindowedText, Text>("out")),
            (Lines{"a[0]=x@7", "a[5]=x@7", "a[5]=xy@12", "a[10]=y@12"}));
}

TEST(WindowAggregate, OnCloseEachWindowIsPutOutOnceInTheOrderOfTimeAndKey) {
  StreamBuilder builder({.application_id = "", .emit_interval = 0ms});
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by(TimeWindows::of_size_and_grace(10ms, 5ms))
      .emit_strategy(EmitStrategy::kOnWindowClose)
      .count(Materialized("counts"))
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "in", {{"b", "x", 1}, {"a", "x", 2}, {"a", "x", 11}, {"a", "x", 3}});
  EXPECT_EQ((world.lines<WindowedText, Number>("out")), Lines());
  pipe(world, "in", {{"c", "x", 15}});
  EXPECT_EQ((world.lines<WindowedText, Number>("out")), (Lines{"a[0]=2@3", "b[0]=1@1"}));
  // A jump in time loses nothing.
  pipe(world, "in", {{"c", "x", 100000}});
  EXPECT_EQ((world.lines<WindowedText, Number>("out")),
            (Lines{"a[0]=2@3", "b[0]=1@1", "a[10]=1@11", "c[10]=1@15"}));
}

TEST(SlidingAggregate, WindowsAreDefinedByTheRecords) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by(SlidingWindows::of_time_difference_and_grace(10ms, 50ms))
      .reduce(join, Materialized("joined"))
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "in", {{"a", "A", 10}, {"a", "B", 15}, {"a", "C", 22}, {"a", "D", 13}});

  // As Kafka Streams 4.3 does it; see the differential tests for many more.
  EXPECT_EQ((world.lines<WindowedText, Text>("out")),
            (Lines{"a[0]=A@10", "a[11]=B@15", "a[5]=AB@15", "a[16]=C@22", "a[12]=BC@22",
                   "a[12]=BCD@22", "a[11]=BD@15", "a[5]=ABD@15", "a[3]=AD@13", "a[14]=BC@22"}));
}

TEST(SessionAggregate, ARecordBetweenTwoSessionsMergesThem) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by(SessionWindows::of_inactivity_gap_and_grace(5ms, 10ms))
      .count(Materialized("counts"))
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "in",
       {{"a", "x", 10}, {"a", "x", 18}, {"a", "x", 14}, {"a", "x", 50}, {"a", "x", 9}});

  EXPECT_EQ((world.lines<SessionText, Number>("out")),
            (Lines{"a[10,10]=1@10", "a[18,18]=1@18", "a[10,10]=null@10", "a[18,18]=null@18",
                   "a[10,18]=3@18", "a[50,50]=1@50"}));
  EXPECT_EQ(world.driver.counts().late, 1U);
}

TEST(Suppress, UntilWindowsCloseGivesOneResultPerWindow) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by(TimeWindows::of_size_and_grace(10ms, 5ms))
      .count(Materialized("counts"))
      .suppress(Suppressed::until_window_closes("final"))
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "in", {{"a", "x", 1}, {"b", "x", 2}, {"a", "x", 12}, {"a", "x", 3}, {"c", "x", 16}});

  EXPECT_EQ((world.lines<WindowedText, Number>("out")), (Lines{"a[0]=2@3", "b[0]=1@2"}));
}

TEST(Suppress, UntilATimeLimitGivesTheLastOfEachKeyAndAFullBufferTheOldest) {
  StreamBuilder builder;
  const auto counts = builder.stream<Text, Text>("in").group_by_key().count(Materialized("c"));
  counts.suppress(Suppressed::until_time_limit("slow", 10ms, BufferConfig::unbounded()))
      .to_stream()
      .to("slow");
  counts.suppress(Suppressed::until_time_limit("small", 1h, BufferConfig::max_records(1)))
      .to_stream()
      .to("small");
  World world(std::move(builder));

  pipe(world, "in", {{"a", "x", 1}, {"a", "x", 2}, {"b", "x", 5}, {"a", "x", 11}});

  EXPECT_EQ((world.lines<Text, Number>("slow")), (Lines{"a=3@11"}));
  EXPECT_EQ((world.lines<Text, Number>("small")), (Lines{"a=2@2", "b=1@5"}));
}

TEST(TopN, KeepsTheLargestAndOfEqualOnesTheEarlier) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .top_n(
          2, [](const Text& value) { return value.size(); }, Materialized("top"))
      .map_values([](const std::vector<Text>& top) { return top.front() + "," + top.back(); })
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "in", {{"a", "x", 1}, {"a", "yy", 2}, {"a", "zz", 3}, {"a", "www", 4}});

  EXPECT_EQ((world.lines<Text, Text>("out")),
            (Lines{"a=x,x@1", "a=yy,x@2", "a=yy,zz@3", "a=www,yy@4"}));
}

TEST(Deduplicate, DropsWhatCameBeforeWithinTheTime) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in")
      .deduplicate([](const Text& value) { return value; }, 10ms, Materialized("seen"))
      .to("out");
  World world(std::move(builder));

  pipe(world, "in", {{"a", "x", 20}, {"a", "x", 30}, {"a", "x", 11}, {"a", "y", 21}});
  world.driver.restart();
  pipe(world, "in", {{"a", "x", 29}, {"a", "x", 31}, {"a", std::nullopt, 32}});

  EXPECT_EQ((world.lines<Text, Text>("out")), (Lines{"a=x@20", "a=y@21", "a=x@31"}));
}

TEST(Cogroup, SeveralStreamsMakeOneTable) {
  StreamBuilder builder;
  builder.stream<Text, Text>("left")
      .group_by_key()
      .cogroup([](const Text&, const Text& value, Text all) { return all + value; })
      .cogroup(builder.stream<Text, Text>("right").group_by_key(),
               [](const Text&, const Text& value, Text all) { return all + "-" + value; })
      .aggregate([] { return Text("="); }, Materialized("all"))
      .to_stream()
      .to("out");
  World world(std::move(builder));

  pipe(world, "left", {{"a", "x", 1}});
  pipe(world, "right", {{"a", "y", 2}});
  pipe(world, "left", {{"a", "z", 3}});

  EXPECT_EQ((world.lines<Text, Text>("out")), (Lines{"a==x@1", "a==x-y@2", "a==x-yz@3"}));
}

}  // namespace
}  // namespace penstock::dsl
