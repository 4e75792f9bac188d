#include "store/window_store.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/changelog_for_test.h"

namespace penstock::store {
namespace {

using Kind = AggregateColumn::Kind;
using std::chrono::milliseconds;

WindowStore::Options options() {
  WindowStore::Options options;
  options.name = "counts";
  options.topic = "clicks";
  options.group_by = {"/user"};
  options.window = milliseconds(10);
  options.grace = milliseconds(5);
  options.columns = {{Kind::kCount, ""}};
  options.hash_seed = 1;
  options.track_changes = true;
  return options;
}

TimePoint at(int ms) {
  return TimePoint(milliseconds(ms));
}

KeyView key(std::string_view text) {
  return {as_bytes(text), KeyTag::kString};
}

void count(WindowStore& store, std::string_view text, std::int64_t start, std::uint64_t by = 1) {
  const WindowStore::Slot slot{key(text), Timestamp(start)};
  std::uint64_t* cells = nullptr;
  store.upsert({&slot, 1}, {&cells, 1});
  *cells += by;
}

void commit(WindowStore& store, MemoryChangelog& changelog, int now = 0) {
  const Offset begin = changelog.end();
  store.flush(changelog);
  changelog.commit();
  store.commit(at(now), begin);
}

// "key@start=count" of everything, in the order of answers.
std::vector<std::string> contents(const WindowStore& store, ScanRequest request = {}) {
  if (request.limit == 0) {
    request.limit = 1000;
  }
  const auto scan = store.scan(std::move(request));
  while (!scan->advance(1)) {
  }
  std::vector<std::string> all;
  for (const ScanEntry& entry : scan->take()) {
    all.push_back(entry.entry.key[0].text + "@" + to_string(entry.entry.window->start) + "=" +
                  std::to_string(std::get<std::int64_t>(entry.entry.aggregates[0])));
  }
  return all;
}

using Texts = std::vector<std::string>;

TEST(WindowStore, KeepsCountsPerKeyAndWindow) {
  WindowStore store(options());
  MemoryChangelog changelog;

  count(store, "b", 0);
  count(store, "a", 10);
  count(store, "a", -10);
  count(store, "a", 10);
  commit(store, changelog);

  EXPECT_EQ(contents(store), (Texts{"a@-10=1", "a@10=2", "b@0=1"}));
  EXPECT_EQ(store.entry_count(), 3U);
}

TEST(WindowStore, AbortTakesBackChangesAndNewRows) {
  WindowStore store(options());
  MemoryChangelog changelog;
  count(store, "a", 0, 5);
  store.advance_stream_time(Timestamp(3));
  store.set_complete(PartitionId(0), Offset(5));
  commit(store, changelog);

  count(store, "a", 0, 2);
  count(store, "new", 0);
  count(store, "a", 10);
  store.advance_stream_time(Timestamp(99));
  store.set_complete(PartitionId(0), Offset(9));
  store.abort();

  EXPECT_EQ(contents(store), (Texts{"a@0=5"}));
  EXPECT_EQ(store.entry_count(), 1U);
  EXPECT_EQ(store.stream_time(), Timestamp(3));
  EXPECT_EQ(store.complete_to(), (std::vector<CompleteTo>{{"clicks", PartitionId(0), Offset(5)}}));
  EXPECT_FALSE(store.has_uncommitted());
}

TEST(WindowStore, WritesEachChangedRowOncePerCommit) {
  WindowStore store(options());
  MemoryChangelog changelog;
  for (int round = 0; round < 1000; ++round) {
    count(store, "a", 0);
    count(store, "b", 0);
  }
  EXPECT_GT(store.pending_bytes(), 0U);
  commit(store, changelog);

  EXPECT_EQ(changelog.end(), Offset(2));
  EXPECT_EQ(store.pending_bytes(), 0U);
}

// The key of docs/formats/aggregate-changelog.md: tag, key, start as big-endian int64.
TEST(WindowStore, ChangelogKeysAreTagKeyAndWindowStart) {
  WindowStore store(options());
  MemoryChangelog changelog;
  count(store, "ab", 258);
  commit(store, changelog);

  const std::string expected(
      "\x04"
      "ab"
      "\0\0\0\0\0\0\x01\x02",
      11);
  ASSERT_EQ(changelog.entries().size(), 1U);
  EXPECT_EQ(changelog.entries().begin()->first, expected);
  EXPECT_EQ(changelog.entries().begin()->second.value, "\x02");  // zigzag of 1
  EXPECT_EQ(changelog.entries().begin()->second.timestamp, Timestamp(267));
}

TEST(WindowStore, RestoredStoreEqualsTheOneThatWroteTheChangelog) {
  WindowStore store(options());
  MemoryChangelog changelog;
  const std::string long_key(100, 'k');
  count(store, "a", 0, 3);
  count(store, long_key, 10, 4);
  store.advance_stream_time(Timestamp(12));
  store.set_complete(PartitionId(2), Offset(7));
  const std::string metadata = store.metadata(changelog.end());
  commit(store, changelog);

  WindowStore restored(options());
  ASSERT_TRUE(restored.begin_restore(metadata).has_value());
  ASSERT_TRUE(changelog.restore(restored).has_value());
  restored.finish_restore(at(0));

  EXPECT_EQ(contents(restored), contents(store));
  EXPECT_EQ(restored.stream_time(), Timestamp(12));
  EXPECT_EQ(restored.complete_to(), store.complete_to());
  EXPECT_EQ(restored.entry_count(), 2U);
}

TEST(WindowStore, RefusesStateOfAnotherDefinition) {
  const WindowStore store(options());
  WindowStore::Options other = options();
  other.window = milliseconds(20);
  WindowStore changed(other);

  EXPECT_EQ(changed.begin_restore(store.metadata(Offset(0))).error().code(), ErrorCode::kInvalid);
}

TEST(WindowStore, RefusesAMalformedChangelog) {
  WindowStore store(options());
  ASSERT_TRUE(store.begin_restore(store.metadata(Offset(0))).has_value());
  for (const std::string& bad_key : {std::string("\x04short"), std::string(9, '\x09')}) {
    RecordBatchBuilder builder;
    builder.append(Timestamp(0), as_bytes(bad_key), as_bytes("\x02"));
    const RecordBatch batch = builder.finish();
    const auto view = RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly);

    EXPECT_EQ(store.restore(*view).error().code(), ErrorCode::kInvalid);
  }
}

TEST(WindowStore, PagesFollowEachOther) {
  WindowStore store(options());
  MemoryChangelog changelog;
  for (const char* text : {"d", "a", "c", "b"}) {
    count(store, text, 0);
    count(store, text, 10);
  }
  commit(store, changelog);

  ScanRequest request;
  request.limit = 3;
  EXPECT_EQ(contents(store, request), (Texts{"a@0=1", "a@10=1", "b@0=1", "b@10=1"}))
      << "one more than the limit tells that there is more";
  request.after = ScanPosition{{to_bytes("b"), KeyTag::kString}, Timestamp(0)};
  EXPECT_EQ(contents(store, request), (Texts{"b@10=1", "c@0=1", "c@10=1", "d@0=1"}));
  request.after = ScanPosition{{to_bytes("d"), KeyTag::kString}, Timestamp(0)};
  EXPECT_EQ(contents(store, request), (Texts{"d@10=1"}));
}

TEST(WindowStore, ScansAreLimitedToWindowsAndKeys) {
  WindowStore store(options());
  MemoryChangelog changelog;
  for (const std::int64_t start : {0, 10, 20, 30}) {
    count(store, "a", start);
    count(store, "b", start);
  }
  commit(store, changelog);

  ScanRequest request;
  request.from = Timestamp(10);
  request.to = Timestamp(30);
  EXPECT_EQ(contents(store, request), (Texts{"a@10=1", "a@20=1", "b@10=1", "b@20=1"}));
  request.keys = {{to_bytes("b"), KeyTag::kString}};
  EXPECT_EQ(contents(store, request), (Texts{"b@10=1", "b@20=1"}));
  request.keys = {{to_bytes("nobody"), KeyTag::kString}};
  EXPECT_EQ(contents(store, request), Texts());
}

TEST(WindowStore, ChangesAreTakenWhenTheyAreOldEnough) {
  WindowStore store(options());
  MemoryChangelog changelog;
  count(store, "a", 0);
  commit(store, changelog, 100);
  count(store, "b", 0);
  count(store, "a", 0);  // still the same change: it waits since 100
  commit(store, changelog, 200);

  EXPECT_EQ(store.oldest_change(), at(100));
  std::vector<WindowStore::Changed> taken;
  store.take_changes(at(100), 10, taken);
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(as_text(RowKey(taken[0].row).view().bytes), "a");
  EXPECT_EQ(*WindowStore::cells_of(taken[0].row), 2U);
  EXPECT_EQ(store.oldest_change(), at(200));
}

TEST(WindowStore, AbortPutsTakenChangesBack) {
  WindowStore store(options());
  MemoryChangelog changelog;
  for (const char* text : {"a", "b", "c"}) {
    count(store, text, 0);
  }
  commit(store, changelog, 1);

  std::vector<WindowStore::Changed> taken;
  store.take_changes(at(1), 2, taken);
  EXPECT_EQ(taken.size(), 2U);
  store.abort();
  taken.clear();
  store.take_changes(at(1), 10, taken);

  EXPECT_EQ(taken.size(), 3U);
  commit(store, changelog, 2);
  EXPECT_EQ(store.oldest_change(), std::nullopt);
}

TEST(WindowStore, ChangesOfAClosedWindowAreDueAtOnce) {
  WindowStore store(options());
  MemoryChangelog changelog;
  count(store, "a", 0);
  count(store, "a", 10);
  commit(store, changelog, 100);
  store.advance_stream_time(Timestamp(15));  // closes the first window

  std::vector<WindowStore::Changed> taken;
  store.take_changes(at(50), 10, taken);

  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].window_start, Timestamp(0));
}

TEST(WindowStore, AfterARestartOnlyChangesThatMayNotHaveBeenTakenAreTakenAgain) {
  WindowStore store(options());
  MemoryChangelog changelog;
  count(store, "old", 0);
  commit(store, changelog, 1);
  std::vector<WindowStore::Changed> taken;
  store.take_changes(at(1), 10, taken);
  commit(store, changelog, 2);
  count(store, "new", 0);
  const std::string metadata = store.metadata(changelog.end());
  commit(store, changelog, 3);

  WindowStore restored(options());
  ASSERT_TRUE(restored.begin_restore(metadata).has_value());
  ASSERT_TRUE(changelog.restore(restored).has_value());
  restored.finish_restore(at(10));
  taken.clear();
  restored.take_changes(at(10), 10, taken);

  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(as_text(RowKey(taken[0].row).view().bytes), "new");
}

TEST(WindowStore, EvictsTheOldestClosedWindowAndTakesItOutOfTheChangelog) {
  WindowStore::Options small = options();
  small.track_changes = false;
  small.tombstones_per_flush = 2;
  WindowStore store(small);
  MemoryChangelog changelog;
  for (const char* text : {"a", "b", "c"}) {
    count(store, text, 0);
    count(store, text, 20);
  }
  store.advance_stream_time(Timestamp(20));
  commit(store, changelog);

  ASSERT_EQ(store.oldest_evictable(), Timestamp(0));
  store.evict_oldest();
  EXPECT_EQ(store.oldest_evictable(), std::nullopt) << "the other window is still open";
  EXPECT_EQ(contents(store), (Texts{"a@20=1", "b@20=1", "c@20=1"}));
  EXPECT_EQ(store.dropped_before(), Timestamp(10));
  EXPECT_TRUE(store.wants_flush());
  EXPECT_GT(store.leaving_bytes(), 0U);

  commit(store, changelog);
  EXPECT_TRUE(store.wants_flush());
  commit(store, changelog);
  EXPECT_FALSE(store.wants_flush());
  EXPECT_EQ(store.leaving_bytes(), 0U);

  int tombstones = 0;
  for (const auto& [text, entry] : changelog.entries()) {
    tombstones += entry.value.has_value() ? 0 : 1;
  }
  EXPECT_EQ(tombstones, 3);
  EXPECT_EQ(store.take_window_counts().dropped, 1U);
}

TEST(WindowStore, AnAbortedFlushWritesItsTombstonesAgain) {
  WindowStore::Options small = options();
  small.track_changes = false;
  WindowStore store(small);
  MemoryChangelog changelog;
  count(store, "a", 0);
  store.advance_stream_time(Timestamp(20));
  commit(store, changelog);
  store.evict_oldest();

  store.flush(changelog);
  changelog.abort();
  store.abort();
  EXPECT_TRUE(store.wants_flush());
  commit(store, changelog);

  EXPECT_FALSE(changelog.entries().begin()->second.value.has_value());
}

TEST(WindowStore, TombstonesOfLongKeysComeInPortionsOfBytes) {
  WindowStore::Options small = options();
  small.track_changes = false;
  small.tombstone_bytes_per_flush = 1000;
  WindowStore store(small);
  MemoryChangelog changelog;
  for (const char letter : {'a', 'b', 'c', 'd'}) {
    count(store, std::string(600, letter), 0);
  }
  store.advance_stream_time(Timestamp(20));
  commit(store, changelog);
  store.evict_oldest();

  commit(store, changelog);
  EXPECT_TRUE(store.wants_flush());
  commit(store, changelog);

  EXPECT_FALSE(store.wants_flush());
}

TEST(WindowStore, ARestartGoesOnTakingDroppedWindowsOutOfTheChangelog) {
  WindowStore::Options small = options();
  small.track_changes = false;
  small.tombstones_per_flush = 1;
  WindowStore store(small);
  MemoryChangelog changelog;
  count(store, "a", 0);
  count(store, "b", 0);
  store.advance_stream_time(Timestamp(20));
  commit(store, changelog);
  store.evict_oldest();
  const std::string metadata = store.metadata(changelog.end());
  commit(store, changelog);

  WindowStore restored(small);
  ASSERT_TRUE(restored.begin_restore(metadata).has_value());
  ASSERT_TRUE(changelog.restore(restored).has_value());
  restored.finish_restore(at(0));

  EXPECT_EQ(contents(restored), Texts());
  EXPECT_EQ(restored.dropped_before(), Timestamp(10));
  EXPECT_TRUE(restored.wants_flush());
  commit(restored, changelog);
  commit(restored, changelog);
  EXPECT_FALSE(restored.wants_flush());
  for (const auto& [text, entry] : changelog.entries()) {
    EXPECT_FALSE(entry.value.has_value());
  }
}

TEST(WindowStore, RetentionDropsWindowsThatEndedLongAgo) {
  WindowStore::Options limited = options();
  limited.track_changes = false;
  limited.retention = milliseconds(30);
  WindowStore store(limited);
  MemoryChangelog changelog;
  count(store, "a", 0);
  count(store, "a", 30);
  store.advance_stream_time(Timestamp(39));
  commit(store, changelog);
  EXPECT_EQ(contents(store), (Texts{"a@0=1", "a@30=1"}));

  store.advance_stream_time(Timestamp(40));
  commit(store, changelog);

  EXPECT_EQ(contents(store), (Texts{"a@30=1"}));
}

TEST(WindowStore, CountsClosedWindowsOnce) {
  WindowStore store(options());
  MemoryChangelog changelog;
  count(store, "a", 0);
  count(store, "a", 10);
  store.advance_stream_time(Timestamp(16));
  commit(store, changelog);
  commit(store, changelog);
  EXPECT_EQ(store.take_window_counts().closed, 1U);

  store.advance_stream_time(Timestamp(26));
  commit(store, changelog);
  EXPECT_EQ(store.take_window_counts().closed, 1U);
}

TEST(WindowStore, ClearLeavesNothing) {
  WindowStore::Options scratch = options();
  scratch.track_changes = false;
  WindowStore store(scratch);
  for (int round = 0; round < 3; ++round) {
    count(store, "a", 0, 2);
    count(store, "b", 10);
    std::vector<WindowStore::Changed> changed;
    store.list_uncommitted(changed);
    ASSERT_EQ(changed.size(), 2U);
    EXPECT_EQ(*WindowStore::cells_of(changed[0].row), 2U);

    store.clear();

    EXPECT_FALSE(store.has_uncommitted());
    EXPECT_EQ(store.entry_count(), 0U);
  }
}

}  // namespace
}  // namespace penstock::store
