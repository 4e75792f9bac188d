#include "store/table_store.h"

#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "store/changelog_for_test.h"
#include "testing/random.h"

namespace penstock::store {
namespace {

TableStore::Options options() {
  return {"latest", "events", {"/id"}, 3};
}

EventOrigin origin(std::int64_t timestamp, std::int64_t offset, std::int32_t partition = 0) {
  return {Timestamp(timestamp), PartitionId(partition), Offset(offset)};
}

void put(TableStore& store, std::string_view key, std::optional<std::string_view> value,
         EventOrigin from) {
  const TableStore::Update update{
      {as_bytes(key), KeyTag::kString},
      value.has_value() ? std::optional(as_bytes(*value)) : std::nullopt,
      from};
  store.put({&update, 1});
}

void commit(TableStore& store, MemoryChangelog& changelog) {
  store.flush(changelog);
  changelog.commit();
  store.commit({}, Offset(0));
}

std::map<std::string, std::string> contents(const TableStore& store) {
  ScanRequest request;
  request.limit = 10'000;
  const auto scan = store.scan(request);
  while (!scan->advance(3)) {
  }
  std::map<std::string, std::string> all;
  for (const ScanEntry& entry : scan->take()) {
    all[entry.entry.key[0].text] = as_text(entry.entry.value->json);
  }
  return all;
}

using Contents = std::map<std::string, std::string>;

TEST(TableStore, KeepsTheEventWithTheLargestTimestamp) {
  TableStore store(options());
  MemoryChangelog changelog;

  put(store, "a", "new", origin(20, 1));
  put(store, "a", "late", origin(10, 2));
  put(store, "b", "first", origin(5, 3));
  put(store, "b", "second", origin(5, 4));
  put(store, "c", "of partition 1", origin(5, 1, 1));
  put(store, "c", "of partition 0", origin(5, 9, 0));
  commit(store, changelog);

  EXPECT_EQ(contents(store), (Contents{{"a", "new"}, {"b", "second"}, {"c", "of partition 1"}}));
  EXPECT_EQ(store.entry_count(), 3U);
}

TEST(TableStore, AnswersTellWhereAnEventCameFrom) {
  TableStore store(options());
  MemoryChangelog changelog;
  put(store, "a", "{}", origin(20, 7, 2));
  commit(store, changelog);

  ScanRequest request;
  request.limit = 1;
  request.keys = {{to_bytes("a"), KeyTag::kString}, {to_bytes("none"), KeyTag::kString}};
  const auto scan = store.scan(request);
  ASSERT_TRUE(scan->advance(100));
  const std::vector<ScanEntry> entries = scan->take();

  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].entry.value->timestamp, Timestamp(20));
  EXPECT_EQ(entries[0].entry.value->partition, PartitionId(2));
  EXPECT_EQ(entries[0].entry.value->offset, Offset(7));
  EXPECT_FALSE(entries[0].entry.window.has_value());
}

TEST(TableStore, AnEventWithoutValueRemovesItsKey) {
  TableStore store(options());
  MemoryChangelog changelog;
  put(store, "a", "1", origin(1, 1));
  commit(store, changelog);

  put(store, "a", std::nullopt, origin(2, 2));
  commit(store, changelog);

  EXPECT_EQ(contents(store), Contents());
  EXPECT_EQ(store.entry_count(), 0U);
  EXPECT_FALSE(changelog.entries().begin()->second.value.has_value());
}

TEST(TableStore, AbortBringsOldValuesBack) {
  TableStore store(options());
  MemoryChangelog changelog;
  put(store, "a", "old", origin(1, 1));
  store.set_complete(PartitionId(0), Offset(2));
  commit(store, changelog);

  put(store, "a", "newer", origin(2, 2));
  put(store, "a", std::string(1000, 'x'), origin(3, 3));
  put(store, "b", "new", origin(3, 4));
  put(store, "a", std::nullopt, origin(4, 5));
  store.set_complete(PartitionId(0), Offset(6));
  EXPECT_TRUE(store.has_uncommitted());
  store.abort();

  EXPECT_EQ(contents(store), (Contents{{"a", "old"}}));
  EXPECT_EQ(store.complete_to()[0].offset, Offset(2));
}

TEST(TableStore, ReplacingValuesReusesTheirMemory) {
  TableStore store(options());
  MemoryChangelog changelog;
  for (int round = 0; round < 10; ++round) {
    put(store, "a", std::string(5000, 'x'), origin(round, round));
    commit(store, changelog);
  }
  const std::uint64_t size = store.size_bytes();
  for (int round = 10; round < 1000; ++round) {
    put(store, "a", std::string(5000, 'x'), origin(round, round));
    commit(store, changelog);
  }

  EXPECT_EQ(store.size_bytes(), size);
}

TEST(TableStore, RefusesStateOfAnotherDefinition) {
  const TableStore store(options());
  TableStore::Options other = options();
  other.group_by = {"/name"};
  TableStore changed(other);

  EXPECT_EQ(changed.begin_restore(store.metadata(Offset(0))).error().code(), ErrorCode::kInvalid);
}

class TableStoreModel : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(TableStoreModel, EqualsAMap) {
  testing::SeededRandom random(GetParam());
  auto store = std::make_unique<TableStore>(options());
  MemoryChangelog changelog;
  Contents now;
  Contents committed;
  std::int64_t offset = 0;
  for (int step = 0; step < 500; ++step) {
    const std::uint64_t action = random.below(20);
    if (action == 0) {
      store->flush(changelog);
      changelog.abort();
      store->abort();
      now = committed;
    } else if (action == 1) {
      const std::string metadata = store->metadata(Offset(0));
      commit(*store, changelog);
      committed = now;
      store = std::make_unique<TableStore>(options());
      ASSERT_TRUE(store->begin_restore(metadata).has_value());
      ASSERT_TRUE(changelog.restore(*store).has_value());
      store->finish_restore({});
    } else if (action < 5) {
      commit(*store, changelog);
      committed = now;
      ASSERT_EQ(contents(*store), now) << "step " << step;
    } else {
      const std::string key = "key-" + std::to_string(random.below(30));
      ++offset;
      if (random.below(10) == 0) {
        put(*store, key, std::nullopt, origin(offset, offset));
        now.erase(key);
      } else {
        const std::string value(random.below(200), static_cast<char>('a' + random.below(26)));
        put(*store, key, value, origin(offset, offset));
        now[key] = value;
      }
    }
  }
  commit(*store, changelog);

  EXPECT_EQ(contents(*store), now);
  EXPECT_EQ(store->entry_count(), now.size());
}

INSTANTIATE_TEST_SUITE_P(Seeds, TableStoreModel, ::testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace penstock::store
