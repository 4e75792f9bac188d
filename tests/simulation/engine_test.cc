// Aggregate jobs on the simulated log: what store, output and a restored store hold equals a naive
// recomputation, whatever happened in between.
#include <algorithm>

#include <gtest/gtest.h>

#include "os/random.h"
#include "record/partitioner.h"
#include "simulation/engine_world.h"

namespace penstock::testing {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kBase = 1'704'067'200'000;  // 2024-01-01

EngineWorld::Options by_key() {
  EngineWorld::Options options;
  options.job.name = "per_user";
  options.job.topic.name = "clicks";
  options.job.topic.key = "/g";
  options.job.topic.partition_count = 3;
  options.job.group_by = {"/g"};
  options.job.window = milliseconds(1000);
  options.job.grace = milliseconds(500);
  options.job.columns = {{store::AggregateColumn::Kind::kCount, ""},
                         {store::AggregateColumn::Kind::kSum, "/n"}};
  return options;
}

EngineWorld::Options repartitioned() {
  EngineWorld::Options options = by_key();
  options.job.topic.key = "/k";
  return options;
}

SimEvent event(std::int64_t time, const std::string& group, std::int64_t n,
               std::optional<std::int32_t> partition = std::nullopt) {
  SimEvent made;
  made.timestamp = kBase + time;
  made.key = group;
  made.json = R"({"g":")" + group + R"(","n":)" + std::to_string(n) + "}";
  made.partition = partition.value_or(partition_for_key(as_bytes(group), 3).value());
  return made;
}

TEST(Engine, CountsPerKeyAndWindow) {
  EngineWorld world(by_key());

  world.send({event(10, "a", 1), event(20, "b", 2), event(999, "a", 3), event(1000, "a", 4)});
  world.run(20);

  const Rows rows = world.query_all(10);
  EXPECT_EQ(rows,
            (Rows{{{"a", kBase}, {2, 4}}, {{"a", kBase + 1000}, {1, 4}}, {{"b", kBase}, {1, 2}}}));
  EXPECT_EQ(rows, world.expected());
}

TEST(Engine, BringsGroupsTogetherThatSpanPartitions) {
  EngineWorld world(repartitioned());

  world.send({event(10, "a", 1, 0), event(20, "a", 2, 1), event(30, "a", 3, 2)});
  world.run(40);

  EXPECT_EQ(world.query_all(10), (Rows{{{"a", kBase}, {3, 6}}}));
}

// Crashes just after a transaction has become durable and before the engine knows. Returns whether
// the store holds what a recomputation gives.
bool survives_crash_after_commit(EngineWorld::Options options) {
  EngineWorld world(std::move(options));
  world.send({event(10, "a", 1), event(15, "b", 1)});
  world.run(20);
  world.send({event(20, "a", 1), event(30, "b", 1)});
  while (world.log().waiting_count() > 0) {
    world.log().run_once();
  }
  // The engine reads, processes and hands in its commit; the log makes it durable.
  while (world.log().waiting_count() == 0) {
    world.run_engine_once();
  }
  world.log().run_once();
  world.crash();
  world.start();
  world.run_until_idle();
  return world.query_all(10) == world.expected();
}

TEST(Engine, CountsOnceAcrossACrashAfterTheCommit) {
  EXPECT_TRUE(survives_crash_after_commit(by_key()));
}

TEST(Engine, NegativeControlFindsDoublesWhenOffsetsAreCommittedOutsideTheTransaction) {
  EngineWorld::Options options = by_key();
  options.exactly_once = false;

  EXPECT_FALSE(survives_crash_after_commit(options));
}

// Many keys of `key_size`, into a log that takes 64 KiB in one transaction.
void expect_counts_in_a_small_log(EngineWorld::Options options, std::size_t key_size) {
  options.commit_bytes_max = 16 << 10;
  EngineWorld world(std::move(options));
  world.log().limit_transactions(64 << 10);
  std::vector<SimEvent> events;
  for (int index = 0; index < 300; ++index) {
    events.push_back(event(10, std::string(key_size, 'k') + std::to_string(index), 1));
  }
  world.send(events);

  world.run(3000);

  EXPECT_EQ(world.failure(), "");
  const Rows expected = world.expected();
  EXPECT_EQ(expected.size(), events.size());
  EXPECT_TRUE(world.query_all(100) == expected);  // without printing megabytes of keys
  EXPECT_TRUE(world.output() == expected);
}

TEST(Engine, CommitsInPortionsThatASmallLogTakes) {
  expect_counts_in_a_small_log(by_key(), 10);
  expect_counts_in_a_small_log(by_key(), 2000);
}

TEST(Engine, CommitsInPortionsThatASmallLogTakesAlsoThroughARepartitionTopic) {
  expect_counts_in_a_small_log(repartitioned(), 10);
  expect_counts_in_a_small_log(repartitioned(), 2000);
}

TEST(Engine, StopsWhenOneRecordAloneIsTooMuchForTheLog) {
  EngineWorld world(by_key());
  world.log().limit_transactions(1000);
  world.send({event(10, std::string(3000, 'k'), 1)});

  world.run(100);

  EXPECT_NE(world.failure().find("too large"), std::string::npos) << world.failure();
}

std::size_t queued_bytes_max(const engine::StreamThread& thread) {
  std::size_t most = 0;
  for (const auto& [id, task] : thread.tasks()) {
    for (const auto& queue : task->queues()) {
      most = std::max(most, queue->size_bytes());
    }
  }
  return most;
}

TEST(Engine, HoldsLittleWhileStoresAreRestored) {
  EngineWorld::Options options = by_key();
  options.fetch_bytes = 4 * kKiB;
  options.queue_bytes_max = 16 * kKiB;
  EngineWorld world(options);
  for (int number = 0; number < 3000; ++number) {
    world.send({event(10, "user-" + std::to_string(number), 1, 0)});
    world.run(1);
  }
  world.run(100);
  world.crash();
  for (int number = 0; number < 3000; ++number) {
    world.send({event(20, "user-" + std::to_string(number), 1, 0)});
  }
  world.log().run_once();

  world.start();
  std::size_t most = 0;
  for (int step = 0; step < 3000; ++step) {
    world.run(1);
    most = std::max(most, queued_bytes_max(*world.streams().threads().front()));
  }

  EXPECT_LE(most, options.queue_bytes_max + options.fetch_bytes + 1024);
  EXPECT_EQ(world.query_all(1000), world.expected());
}

std::uint64_t state_bytes(const engine::StreamThread& thread) {
  std::uint64_t size = 0;
  for (const auto& [id, task] : thread.tasks()) {
    for (const auto& store : task->stores()) {
      size += store->size_bytes();
    }
  }
  return size;
}

TEST(Engine, GoesOnWhenAnotherThreadHasFreedStateMemory) {
  EngineWorld::Options options = by_key();
  options.threads = 2;
  options.state_bytes_max = 4 * kMiB;
  options.job.retention = milliseconds(0);
  options.job.emit_interval = std::chrono::hours(1);  // so that the full thread commits nothing
  EngineWorld world(options);
  world.run(10);
  const std::vector<engine::StreamThread*> threads = world.streams().threads();
  int number = 0;
  const auto fill = [&](std::int32_t partition, auto is_full) {
    while (!is_full()) {
      std::vector<SimEvent> events;
      for (int count = 0; count < 200; ++count) {
        events.push_back(event(10, "user-" + std::to_string(number++), 1, partition));
      }
      world.send(events);
      world.run(20);
    }
  };
  fill(2, [&] { return state_bytes(*threads[1]) > 3 * kMiB / 2; });
  fill(0, [&] { return state_bytes(*threads[0]) + state_bytes(*threads[1]) > 4 * kMiB; });

  for (int count = 0; count < 100; ++count) {
    world.send({event(20, "waits", 1, 0)});
    world.run(1);
  }
  EXPECT_LT(queued_bytes_max(*threads[0]), kKiB);  // what is queued pins memory of the log
  world.send({event(5000, "later", 1, 1), event(5000, "later", 1, 2)});
  world.run(1000);

  store::StoreQuery query;
  query.store = "per_user";
  query.key = {"waits"};
  EXPECT_EQ(world.query(query)->entries.size(), 1U);
}

TEST(Engine, StartsWhereTheLogIsBusyWhenPartitionsAreAssigned) {
  EngineWorld world(by_key());
  world.send({event(10, "ann", 1), event(20, "bob", 2)});
  world.log().refuse_committed(3, ErrorCode::kBusy);

  world.run(1000);

  EXPECT_EQ(world.failure(), "");
  EXPECT_EQ(world.query_all(10), world.expected());
  EXPECT_EQ(world.query_all(10).size(), 2U);
}

// What another process takes over it restores; what stays goes on as it is.
TEST(Engine, KeepsTheStateOfPartitionsThatComeBack) {
  for (const bool shares_out_anew : {false, true}) {
    EngineWorld::Options options = by_key();
    SCOPED_TRACE(shares_out_anew ? "everything is shared out anew" : "only what moves is revoked");
    options.is_shared = true;
    options.shares_out_anew = shares_out_anew;
    EngineWorld world(options);
    const auto restored = [&] {
      return world.registry().value("penstock_engine_restored_records_total",
                                    {{"job", "per_user"}});
    };
    const auto send = [&] {
      for (std::int64_t number = 0; number < 60; ++number) {
        world.send({event(number, "user-" + std::to_string(number % 20), 1)});
      }
      world.run(200);
    };
    send();
    EXPECT_EQ(world.query_all(100), world.expected());

    world.start_second();
    send();

    EXPECT_EQ(world.failure(), "");
    EXPECT_EQ(restored(), 0);
    EXPECT_EQ(world.query_all(7), world.expected());
    const auto part = world.query({.store = "per_user"})->part;
    ASSERT_TRUE(part);
    EXPECT_EQ(part->of, 3);
    EXPECT_LT(part->partitions, 3);

    world.stop_second();
    send();

    EXPECT_EQ(world.query_all(7), world.expected());
    EXPECT_FALSE(world.query({.store = "per_user"})->part);
    EXPECT_GT(restored(), 0);  // what the second one had
  }
}

TEST(Engine, AnswersOfNothingWhereOtherProcessesHaveAllPartitions) {
  EngineWorld::Options options = by_key();
  options.job.topic.partition_count = 1;
  options.is_shared = true;
  EngineWorld world(options);
  world.send({event(10, "ann", 1, 0)});
  world.run(20);
  world.start_second();
  world.run(20);

  const bool first_has_it = world.query({.store = "per_user"})->entries.size() == 1;
  engine::Streams& other = first_has_it ? world.second() : world.streams();
  const auto answer = world.query(other, {.store = "per_user"});

  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_TRUE(answer->entries.empty());
  ASSERT_TRUE(answer->part);
  EXPECT_EQ(answer->part->partitions, 0);
  EXPECT_EQ(answer->part->of, 1);
}

TEST(Engine, GoesOverRecordsWhoseLossWasAccepted) {
  EngineWorld world(by_key());
  for (int number = 0; number < 5; ++number) {
    world.send({event(10, "ann", 1, 0)});
    world.log().run_once();
  }
  const TopicPartition partition{world.log().topic("clicks")->id, PartitionId(0)};
  world.log().lose_batch(partition, Offset(1));
  world.log().lose_batch(partition, Offset(4));  // the last one: nothing comes behind it

  world.run_until_idle();

  EXPECT_EQ(world.failure(), "");
  const auto committed = *world.log().committed("per_user");
  const auto at = std::ranges::find(committed, partition, &log::OffsetCommit::partition);
  ASSERT_NE(at, committed.end());
  EXPECT_EQ(at->next_offset, Offset(5));
  EXPECT_EQ(world.registry().value("penstock_engine_skipped_records_total", {{"job", "per_user"}}),
            2);
  const Rows rows = world.query_all(10);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.begin()->second.count, 3);
}

TEST(Engine, CountsStateMemoryThatWasRestored) {
  EngineWorld::Options options = by_key();
  options.state_bytes_max = 64 * kKiB;  // less than what is restored: nothing must be processed
  EngineWorld::Options large = options;
  large.state_bytes_max = 1 << 30;
  EngineWorld world(large);
  for (int number = 0; number < 3000; ++number) {
    world.send({event(10, "user-" + std::to_string(number), 1, 0)});
  }
  world.run(1000);
  world.crash();

  world.start(options.state_bytes_max);
  world.run(1000);

  EXPECT_EQ(world.registry().value("penstock_engine_paused", {{"job", "per_user"}}), 1);
}

TEST(Engine, WindowsThatLeaveAllPartitionsAtOnceFitIntoASmallLog) {
  constexpr std::int32_t kPartitionCount = 40;
  EngineWorld::Options options = by_key();
  options.job.topic.partition_count = kPartitionCount;
  options.job.retention = milliseconds(0);
  options.commit_bytes_max = 16 << 10;
  EngineWorld world(options);
  world.log().limit_transactions(64 << 10);
  for (int number = 0; number < 10 * kPartitionCount; ++number) {
    const std::string key = std::string(1000, 'k') + std::to_string(number);
    world.send({event(10, key, 1, number % kPartitionCount)});
    world.run(1);
  }
  world.run(500);

  std::vector<SimEvent> later;
  for (std::int32_t partition = 0; partition < kPartitionCount; ++partition) {
    later.push_back(event(5000, std::to_string(partition), 1, partition));
  }
  world.send(later);
  world.run(500);

  EXPECT_EQ(world.failure(), "");
  EXPECT_EQ(world.query_all(100).size(), later.size());
}

}  // namespace
}  // namespace penstock::testing
