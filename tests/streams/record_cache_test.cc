// Tables whose changes are held back until the next commit.
#include "streams/world.h"

namespace penstock::dsl {
namespace {

using namespace std::chrono_literals;
using Text = std::string;
using Number = std::int64_t;

StreamBuilder counts(Materialized materialized) {
  StreamBuilder builder;
  builder.stream<Text, Text>("in").group_by_key().count(materialized).to_stream().to("out");
  return builder;
}

// Sends without committing.
void send(World& world, const Text& key, std::int64_t at) {
  world.driver.driver().send("in", {PartitionId(0), Timestamp(at), key, Text("v"), Offset(0), {}});
}

void commit(World& world) {
  world.driver.expect(world.driver.driver().run());
  world.driver.expect(world.driver.driver().commit());
}

TEST(RecordCache, HandsOnTheLastChangeOfEachKeyAtCommit) {
  World world(counts(Materialized("counts").with_caching()));

  for (const char* key : {"b", "a", "b", "c", "b"}) {
    send(world, key, 1);
  }
  commit(world);
  send(world, "a", 2);
  commit(world);

  // In the order of the last changes.
  EXPECT_EQ((world.lines<Text, Number>("out")), (Lines{"a=1@1", "c=1@1", "b=3@1", "a=2@2"}));
  EXPECT_EQ((world.driver.key_value_store<Text, Number>("counts").get("b")->value), 3);
}

TEST(RecordCache, IsOffUnlessAskedFor) {
  World world(counts(Materialized("counts")));

  send(world, "a", 1);
  send(world, "a", 1);
  commit(world);

  EXPECT_EQ((world.lines<Text, Number>("out")), (Lines{"a=1@1", "a=2@1"}));
}

TEST(RecordCache, AnAbortDropsWhatItHolds) {
  World world(counts(Materialized("counts").with_caching()));

  send(world, "a", 1);
  send(world, "a", 2);
  world.driver.expect(world.driver.driver().run());
  world.driver.driver().abort();
  send(world, "b", 3);
  commit(world);
  world.driver.restart();
  send(world, "a", 4);
  commit(world);

  EXPECT_EQ((world.lines<Text, Number>("out")), (Lines{"a=2@2", "b=1@3", "a=3@4"}));
}

TEST(RecordCache, HandsOnEverythingItHoldsWhenThereIsTooMuch) {
  World world(counts(Materialized("counts").with_caching()), {.record_cache_bytes_max = 800});
  for (const char* key : {"a", "a", "b", "c", "d"}) {  // the fourth key is too much
    send(world, key, 1);
  }
  send(world, "a", 2);
  commit(world);

  EXPECT_EQ((world.lines<Text, Number>("out")),
            (Lines{"a=2@1", "b=1@1", "c=1@1", "d=1@1", "a=3@2"}));
}

// A table behind a table: the old value is that of the last commit, not that of the last change.
TEST(RecordCache, OldValuesAreThoseOfTheLastCommit) {
  StreamBuilder builder({.caching = Caching::kOn});
  builder.table<Text, Text>("in", Materialized("table"))
      .group_by([](const Text& /*key*/, const Text& value) { return std::pair(value, value); })
      .count(Materialized("counts").without_caching())
      .to_stream()
      .to("out");
  World world(std::move(builder));
  const auto put = [&](const Text& value) {
    world.driver.driver().send("in",
                               {PartitionId(0), Timestamp(1), Text("k"), value, Offset(0), {}});
  };

  put("x");
  commit(world);
  put("y");
  put("z");
  commit(world);

  EXPECT_EQ((world.lines<Text, Number>("out")), (Lines{"x=1@1", "x=0@1", "z=1@1"}));
}

TEST(RecordCache, AKeyThatCameAndWentIsNotMentioned) {
  StreamBuilder builder({.caching = Caching::kOn});
  builder.table<Text, Text>("in", Materialized("table")).to_stream().to("out");
  World world(std::move(builder));
  const auto put = [&](const Text& key, std::optional<Text> value) {
    world.driver.driver().send(
        "in", {PartitionId(0), Timestamp(1), key, std::move(value), Offset(0), {}});
  };

  put("fleeting", "v");
  put("fleeting", std::nullopt);
  put("kept", "v");
  commit(world);
  put("kept", std::nullopt);
  commit(world);

  EXPECT_EQ((world.lines<Text, Text>("out")), (Lines{"kept=v@1", "kept=null@1"}));
}

TEST(RecordCache, WindowsAndSessionsToo) {
  StreamBuilder builder({.caching = Caching::kOn});
  const auto grouped = builder.stream<Text, Text>("in").group_by_key();
  grouped.windowed_by(TimeWindows::of_size_with_no_grace(10ms))
      .count(Materialized("windows"))
      .to_stream()
      .to("windows");
  grouped.windowed_by(SessionWindows::of_inactivity_gap_with_no_grace(5ms))
      .count(Materialized("sessions"))
      .to_stream()
      .to("sessions");
  World world(std::move(builder));

  for (const std::int64_t at : {1, 2, 12, 14}) {
    send(world, "k", at);
  }
  commit(world);
  send(world, "k", 17);
  commit(world);

  EXPECT_EQ((world.lines<Windowed<Text>, Number>("windows")),
            (Lines{"k[0]=2@2", "k[10]=2@14", "k[10]=3@17"}));
  EXPECT_EQ((world.lines<SessionWindowed<Text>, Number>("sessions")),
            (Lines{"k[1,2]=2@2", "k[12,14]=2@14", "k[12,14]=null@14", "k[12,17]=3@17"}));
}

}  // namespace
}  // namespace penstock::dsl
