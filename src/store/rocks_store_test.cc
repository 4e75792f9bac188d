// What RocksDB stores keep over restarts and crashes, and when they let it go.
#include "store/rocks_store.h"

#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "store/stores_for_test.h"
#include "testing/random.h"

namespace penstock::store {
namespace {

using namespace std::chrono_literals;
using OnClose = RocksEnvironment::OnClose;

class RocksStoreTest : public ::testing::Test {
 protected:
  // A store with a=1, committed, and closed again.
  void SetUp() override {
    Store store("s", rocks_.place("s"));
    ASSERT_TRUE(store.begin_empty());
    store.put(as_bytes("a"), as_bytes("1"), Timestamp(1));
    metadata_ = commit(store, changelog_);
  }

  using Store = RocksKeyValueStore;

  [[nodiscard]] static std::string value(const Store& store, const char* key) {
    const auto stored = store.get(as_bytes(key));
    return stored.has_value() ? std::string(as_text(stored->value)) : "nothing";
  }

  RocksForTest rocks_;
  MemoryChangelog changelog_;
  std::string metadata_;
};

TEST_F(RocksStoreTest, IsThereAfterARestartWithoutItsChangelog) {
  Store store("s", rocks_.place("s"));

  ASSERT_TRUE(store.begin_restore(metadata_));
  store.finish_restore(TimePoint());

  EXPECT_EQ(value(store, "a"), "1");
  EXPECT_EQ(store.entry_count(), 1U);
  EXPECT_EQ(store.restored_to(), Offset(0));  // where the last transaction began
  EXPECT_EQ(rocks_.logged(), "");
}

TEST_F(RocksStoreTest, ForgetsWhatWasNotCommitted) {
  {
    Store store("s", rocks_.place("s"));
    ASSERT_TRUE(store.begin_restore(metadata_));
    store.finish_restore(TimePoint());
    store.put(as_bytes("a"), as_bytes("2"), Timestamp(2));
    store.put(as_bytes("b"), as_bytes("2"), Timestamp(2));
    store.flush(changelog_);
    changelog_.abort();
  }
  Store store("s", rocks_.place("s"));

  restore(store, metadata_, changelog_);

  EXPECT_EQ(value(store, "a"), "1");
  EXPECT_EQ(value(store, "b"), "nothing");
}

// The log has the transaction, the database has not.
TEST_F(RocksStoreTest, ReplaysWhatTheLogCommittedAndTheDatabaseDidNot) {
  std::string metadata;
  {
    Store store("s", rocks_.place("s"));
    ASSERT_TRUE(store.begin_restore(metadata_));
    store.finish_restore(TimePoint());
    store.put(as_bytes("a"), std::nullopt, Timestamp(2));
    store.put(as_bytes("b"), as_bytes("2"), Timestamp(2));
    store.flush(changelog_);
    metadata = store.metadata(changelog_.end());
    changelog_.commit();
  }
  Store store("s", rocks_.place("s"));

  restore(store, metadata, changelog_);

  EXPECT_EQ(value(store, "a"), "nothing");
  EXPECT_EQ(value(store, "b"), "2");
  EXPECT_EQ(store.entry_count(), 1U);
  EXPECT_EQ(rocks_.logged(), "");
}

TEST_F(RocksStoreTest, IsRemovedIfItIsAheadOfWhatWasCommitted) {
  {
    Store store("s", rocks_.place("s"));
    restore(store, metadata_, changelog_);
    store.put(as_bytes("a"), as_bytes("2"), Timestamp(2));
    MemoryChangelog lost;
    commit(store, lost);
  }
  Store store("s", rocks_.place("s"));

  restore(store, metadata_, changelog_);

  EXPECT_EQ(value(store, "a"), "1");
  EXPECT_NE(rocks_.logged().find("it is ahead of what was committed"), std::string::npos);
}

TEST_F(RocksStoreTest, IsRemovedIfItsChangelogIsAnother) {
  RocksForTest elsewhere;
  MemoryChangelog changelog;
  Store other("s", {&elsewhere.environment(), "app/0_0.s", 43});
  ASSERT_TRUE(other.begin_empty());
  other.put(as_bytes("b"), as_bytes("2"), Timestamp(2));
  const std::string metadata = commit(other, changelog);
  Store store("s", rocks_.place("s"));

  restore(store, metadata, changelog);

  EXPECT_EQ(value(store, "a"), "nothing");
  EXPECT_EQ(value(store, "b"), "2");
  EXPECT_NE(rocks_.logged().find("begun another time"), std::string::npos);
}

TEST_F(RocksStoreTest, IsRemovedIfItsChangelogMayHaveForgottenRemovals) {
  {
    Store store("s", rocks_.place("s"));
    restore(store, metadata_, changelog_);
    rocks_.clock().advance(11h);
    metadata_ = commit(store, changelog_);  // nothing, but it was there
  }
  rocks_.clock().advance(11h);
  {
    Store store("s", rocks_.place("s"));
    ASSERT_TRUE(store.begin_restore(metadata_));
    EXPECT_TRUE(store.restored_to().has_value());
  }
  rocks_.clock().advance(2h);
  Store store("s", rocks_.place("s"));

  ASSERT_TRUE(store.begin_restore(metadata_));

  EXPECT_FALSE(store.restored_to().has_value());
  EXPECT_NE(rocks_.logged().find("forgotten removals"), std::string::npos);
}

TEST_F(RocksStoreTest, IsRemovedIfNothingWasCommittedOfIt) {
  Store store("s", rocks_.place("s"));

  ASSERT_TRUE(store.begin_empty());

  EXPECT_EQ(value(store, "a"), "nothing");
  EXPECT_EQ(store.entry_count(), 0U);
  EXPECT_NE(rocks_.logged().find("nothing was committed"), std::string::npos);
}

TEST_F(RocksStoreTest, IsRemovedIfItIsOfAnotherDefinition) {
  RocksWindowStore windows({.name = "s", .window = 5ms, .retention = 10ms}, rocks_.place("s"));
  RocksForTest elsewhere;
  RocksWindowStore other({.name = "s", .window = 5ms, .retention = 10ms}, elsewhere.place("s"));
  ASSERT_TRUE(other.begin_empty());

  ASSERT_TRUE(windows.begin_restore(other.metadata(Offset(0))));

  EXPECT_EQ(windows.entry_count(), 0U);
  EXPECT_FALSE(windows.restored_to().has_value());
  EXPECT_NE(rocks_.logged().find("another definition"), std::string::npos);
}

TEST_F(RocksStoreTest, CannotBeOpenedWithoutAnEnvironment) {
  Store store("s", {});

  EXPECT_EQ(store.describe().name, "s");
  EXPECT_EQ(store.begin_empty().error().code(), ErrorCode::kInvalid);
}

// What is read between two commits is remembered, but not without bounds.
TEST_F(RocksStoreTest, WantsACommitWhenMuchWasRead) {
  Store store("s", rocks_.place("s"));
  restore(store, metadata_, changelog_);
  for (int index = 0; index < 50'000 && !store.wants_flush(); ++index) {
    EXPECT_EQ(value(store, std::to_string(index).c_str()), "nothing");
  }
  ASSERT_TRUE(store.wants_flush());
  ASSERT_FALSE(store.has_uncommitted());

  store.commit(TimePoint(), changelog_.end());

  EXPECT_EQ(store.size_bytes(), 0U);
  EXPECT_EQ(value(store, "a"), "1");
}

TEST_F(RocksStoreTest, MovesFromMemoryToRocksDbAndBack) {
  std::string metadata;
  {
    MemoryKeyValueStore memory("s");
    restore(memory, metadata_, changelog_);
    memory.put(as_bytes("b"), as_bytes("2"), Timestamp(2));
    metadata = commit(memory, changelog_);
  }
  Store store("s", rocks_.place("s"));

  restore(store, metadata, changelog_);

  EXPECT_EQ(value(store, "a") + value(store, "b"), "12");
}

// The window and session stores do what those in memory do, whatever happens.
template <typename Memory, typename Rocks, typename Change, typename Show>
void expect_same(OnClose on_close, const std::function<std::unique_ptr<Memory>()>& make_memory,
                 const std::function<std::unique_ptr<Rocks>(RocksPlace)>& make_rocks, Change change,
                 Show show) {
  RocksForTest rocks(on_close);
  testing::SeededRandom random(3);
  MemoryChangelog memory_changelog;
  MemoryChangelog rocks_changelog;
  auto memory = make_memory();
  auto store = make_rocks(rocks.place("s"));
  ASSERT_TRUE(store->begin_empty());
  for (int step = 0; step < 800; ++step) {
    const std::uint64_t seed = random.below(1'000'000);
    change(*memory, seed, step);
    change(*store, seed, step);
    if (random.below(15) == 0) {
      memory->abort();
      store->abort();
    } else if (random.below(8) == 0) {
      const std::string memory_metadata = commit(*memory, memory_changelog);
      const std::string metadata = commit(*store, rocks_changelog);
      if (random.below(8) == 0) {
        memory = make_memory();
        restore(*memory, memory_metadata, memory_changelog);
        store.reset();
        store = make_rocks(rocks.place("s"));
        restore(*store, metadata, rocks_changelog);
      }
    }
    ASSERT_EQ(show(*memory), show(*store)) << "step " << step;
    ASSERT_EQ(memory->entry_count(), store->entry_count()) << "step " << step;
  }
  EXPECT_EQ(rocks.logged(), "");
}

std::string tested_key(std::uint64_t seed) {
  const std::string keys[] = {"", "a", std::string("a\0", 2), "ab", std::string("\0\0", 2)};
  return keys[seed % 5];
}

// Removals are of the past: one that moves a store's time leaves no trace in the changelog, so the
// store in memory forgets of it.
std::int64_t random_time(std::uint64_t number, bool is_removal) {
  const auto time = static_cast<std::int64_t>(number);
  return is_removal ? -5 - time / 2 : time;
}

std::string line(ByteView key, std::int64_t first, std::int64_t second, const StoredValue& stored) {
  return std::string(as_text(key)) + " " + std::to_string(first) + " " + std::to_string(second) +
         "=" + std::string(as_text(stored.value)) + "@" + to_string(stored.timestamp) + "\n";
}

void change_window(WindowBytes& store, std::uint64_t seed, int step) {
  const bool is_removal = seed / 200 % 4 == 0;
  const Timestamp start(step / 20 + random_time(seed / 5 % 40, is_removal));
  const std::string value = std::to_string(step);
  store.put(as_bytes(tested_key(seed)), start,
            is_removal ? std::nullopt : std::optional(as_bytes(value)), Timestamp(step));
  if (seed / 800 % 5 == 0) {
    store.expire(Timestamp(start.value()));
  }
}

std::string show_windows(const WindowBytes& store) {
  std::string text;
  const auto add = [&](ByteView key, Timestamp start, const StoredValue& stored) {
    text += line(key, start.value(), 0, stored);
    return true;
  };
  store.visit_all(add);
  store.visit_time(Timestamp(10), Timestamp(90), add);
  for (std::uint64_t key = 0; key < 5; ++key) {
    const std::string name = tested_key(key);
    const auto add_to_key = [&](Timestamp start, const StoredValue& stored) {
      return add(as_bytes(name), start, stored);
    };
    store.visit_key(as_bytes(name), Timestamp(5), Timestamp(60), add_to_key);
    store.visit_key_backward(as_bytes(name), Timestamp(5), Timestamp(60), add_to_key);
  }
  return text;
}

void expect_same_windows(OnClose on_close, MemoryWindowStore::Duplicates duplicates) {
  const MemoryWindowStore::Options options{
      .name = "s", .window = 5ms, .retention = 30ms, .duplicates = duplicates};
  expect_same<MemoryWindowStore, RocksWindowStore>(
      on_close, [&] { return std::make_unique<MemoryWindowStore>(options); },
      [&](RocksPlace place) {
        return std::make_unique<RocksWindowStore>(options, std::move(place));
      },
      change_window, show_windows);
}

TEST(RocksWindowStore, DoesWhatTheOneInMemoryDoes) {
  expect_same_windows(OnClose::kKeep, MemoryWindowStore::Duplicates::kReplace);
}

TEST(RocksWindowStore, DoesWhatTheOneInMemoryDoesIfCrashesLoseItsWrites) {
  expect_same_windows(OnClose::kLose, MemoryWindowStore::Duplicates::kReplace);
}

TEST(RocksWindowStore, KeepsDuplicatesLikeTheOneInMemory) {
  expect_same_windows(OnClose::kKeep, MemoryWindowStore::Duplicates::kKeep);
}

void change_session(SessionBytes& store, std::uint64_t seed, int step) {
  const bool is_removal = seed / 2000 % 4 == 0;
  const Timestamp end(step / 20 + random_time(seed / 5 % 20, is_removal));
  const Timestamp start = end + -static_cast<std::int64_t>(seed / 100 % 20);
  const std::string value = std::to_string(step);
  store.put(as_bytes(tested_key(seed)), {start, end},
            is_removal ? std::nullopt : std::optional(as_bytes(value)), Timestamp(step));
  if (seed / 8000 % 5 == 0) {
    store.expire(end);
  }
}

std::string show_sessions(const SessionBytes& store) {
  std::string text;
  const auto add = [&](ByteView key, SessionSpan session, const StoredValue& stored) {
    text += line(key, session.start.value(), session.end.value(), stored);
    return true;
  };
  store.visit_all(add);
  store.visit_ended(Timestamp(10), Timestamp(90), add);
  for (std::uint64_t key = 0; key < 5; ++key) {
    const std::string name = tested_key(key);
    store.visit_key(as_bytes(name), Timestamp(20), Timestamp(60),
                    [&](SessionSpan session, const StoredValue& stored) {
                      return add(as_bytes(name), session, stored);
                    });
  }
  return text;
}

void expect_same_sessions(OnClose on_close) {
  expect_same<MemorySessionStore, RocksSessionStore>(
      on_close, [] { return std::make_unique<MemorySessionStore>("s", 30ms); },
      [](RocksPlace place) {
        return std::make_unique<RocksSessionStore>("s", 30ms, std::move(place));
      },
      change_session, show_sessions);
}

TEST(RocksSessionStore, DoesWhatTheOneInMemoryDoes) {
  expect_same_sessions(OnClose::kKeep);
}

TEST(RocksSessionStore, DoesWhatTheOneInMemoryDoesIfCrashesLoseItsWrites) {
  expect_same_sessions(OnClose::kLose);
}

}  // namespace
}  // namespace penstock::store
