// The byte stores of each kind: against a map through commits, aborts and restores; ranges, expiry.
#include "store/byte_stores.h"

#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "store/changelog_for_test.h"
#include "store/stores_for_test.h"
#include "testing/random.h"

namespace penstock::store {
namespace {

using namespace std::chrono_literals;
using Rows = std::map<std::string, std::pair<std::string, std::int64_t>>;

INSTANTIATE_TEST_SUITE_P(Kinds, ByteStores,
                         ::testing::Values(TestedKind::kMemory, TestedKind::kRocks,
                                           TestedKind::kRocksThatLoses),
                         [](const auto& kind) { return to_string(kind.param); });

Rows rows(const KeyValueBytes& store) {
  Rows rows;
  store.visit({}, [&](ByteView key, const StoredValue& stored) {
    rows[std::string(as_text(key))] = {std::string(as_text(stored.value)),
                                       stored.timestamp.value()};
    return true;
  });
  return rows;
}

TEST_P(ByteStores, EqualAMapThroughCommitsAbortsAndRestores) {
  testing::SeededRandom random(1);
  auto store = make_key_value_store("s");
  ASSERT_TRUE(store.state->begin_empty());
  MemoryChangelog changelog;
  Rows model;
  Rows committed;
  for (int step = 0; step < 3000; ++step) {
    const std::string key(1, static_cast<char>('a' + random.below(20)));
    const auto timestamp = static_cast<std::int64_t>(random.below(100));
    if (random.below(3) == 0) {
      store->put(as_bytes(key), std::nullopt, Timestamp(timestamp));
      model.erase(key);
    } else {
      const std::string value(random.below(40), 'v');
      store->put(as_bytes(key), as_bytes(value), Timestamp(timestamp));
      model[key] = {value, timestamp};
    }
    store->times().observed = Timestamp(step);
    if (random.below(20) == 0) {
      store.state->flush(changelog);
      changelog.abort();
      store.state->abort();
      model = committed;
    } else if (random.below(10) == 0) {
      const std::string metadata = commit(*store.state, changelog);
      committed = model;
      if (random.below(5) == 0) {
        store = {};
        store = make_key_value_store("s");
        restore(*store.state, metadata, changelog);
        EXPECT_EQ(store->times().observed, Timestamp(step));
      }
    }
    ASSERT_EQ(rows(*store), model) << "step " << step;
    ASSERT_EQ(store.state->entry_count(), model.size());
  }
}

// Some rows of an earlier commit, some new, some removed.
TEST_P(ByteStores, VisitRangesBothWays) {
  auto store = make_key_value_store("s");
  ASSERT_TRUE(store.state->begin_empty());
  MemoryChangelog changelog;
  for (const char* key : {"a", "b2", "c", "cc"}) {
    store->put(as_bytes(key), as_bytes("v"), Timestamp(1));
  }
  commit(*store.state, changelog);
  for (const char* key : {"b", "c", "d"}) {
    store->put(as_bytes(key), as_bytes("w"), Timestamp(2));
  }
  for (const char* key : {"b2", "cc"}) {
    store->put(as_bytes(key), std::nullopt, Timestamp(2));
  }
  std::string forward;
  std::string backward;

  store->visit({as_bytes("b"), as_bytes("c")}, [&](ByteView key, const StoredValue& stored) {
    forward += std::string(as_text(key)) + std::string(as_text(stored.value));
    return true;
  });
  store->visit_backward({as_bytes("b"), std::nullopt}, [&](ByteView key, const StoredValue&) {
    backward += as_text(key);
    return backward.size() < 2;
  });

  EXPECT_EQ(forward, "bwcw");
  EXPECT_EQ(backward, "dc");
}

std::string starts(const WindowBytes& store, std::int64_t from, std::int64_t to) {
  std::string text;
  store.visit_key(as_bytes("k"), Timestamp(from), Timestamp(to),
                  [&](Timestamp start, const StoredValue& stored) {
                    text += to_string(start) + "=" + std::string(as_text(stored.value)) + " ";
                    return true;
                  });
  return text;
}

TEST_P(ByteStores, ForgetWindowsOlderThanTheirRetention) {
  auto store = make_window_store({.name = "w", .window = 5ms, .retention = 10ms});
  ASSERT_TRUE(store.state->begin_empty());
  store->put(as_bytes("k"), Timestamp(0), as_bytes("a"), Timestamp(1));
  store->put(as_bytes("k"), Timestamp(5), as_bytes("b"), Timestamp(5));
  store->put(as_bytes("j"), Timestamp(10), as_bytes("c"), Timestamp(10));

  EXPECT_EQ(starts(*store, 0, 100), "5=b ");
  EXPECT_FALSE(store->fetch(as_bytes("k"), Timestamp(0)).has_value());
  store->put(as_bytes("k"), Timestamp(0), as_bytes("late"), Timestamp(10));
  EXPECT_EQ(store.state->entry_count(), 3U);  // not taken, but what expired is still there ...
  store->expire(Timestamp(0));
  EXPECT_EQ(store.state->entry_count(), 3U);
  store->expire(Timestamp(100));
  EXPECT_EQ(store.state->entry_count(), 2U);  // ... until it is let go
  store.state->abort();
  EXPECT_EQ(store.state->entry_count(), 0U);
}

TEST_P(ByteStores, KeepDuplicatesWithTheirNumbersAcrossARestore) {
  const MemoryWindowStore::Options options{.name = "w",
                                           .window = 5ms,
                                           .retention = 100ms,
                                           .duplicates = MemoryWindowStore::Duplicates::kKeep};
  auto store = make_window_store(options);
  ASSERT_TRUE(store.state->begin_empty());
  MemoryChangelog changelog;
  store->put(as_bytes("k"), Timestamp(1), as_bytes("taken back"), Timestamp(1));
  store.state->abort();
  store->put(as_bytes("k"), Timestamp(1), as_bytes("a"), Timestamp(1));
  store->put(as_bytes("k"), Timestamp(1), as_bytes("b"), Timestamp(1));
  store->put(as_bytes("k"), Timestamp(2), as_bytes("c"), Timestamp(2));
  const std::string metadata = commit(*store.state, changelog);
  store = {};

  auto restored = make_window_store(options);
  restore(*restored.state, metadata, changelog);
  restored->put(as_bytes("k"), Timestamp(1), as_bytes("d"), Timestamp(1));

  EXPECT_EQ(starts(*restored, 0, 10), "1=a 1=b 1=d 2=c ");
  // key | int64 start | int32 number, as Kafka Streams' window stores.
  EXPECT_TRUE(changelog.entries().contains(std::string("k\0\0\0\0\0\0\0\1\0\0\0\1", 13)));
  EXPECT_TRUE(changelog.entries().contains(std::string("k\0\0\0\0\0\0\0\2\0\0\0\3", 13)));
}

TEST_P(ByteStores, FindSessionsByEndThenStart) {
  auto store = make_session_store("s", 100ms);
  ASSERT_TRUE(store.state->begin_empty());
  const auto put = [&](const char* key, std::int64_t start, std::int64_t end) {
    store->put(as_bytes(key), {Timestamp(start), Timestamp(end)}, as_bytes("v"), Timestamp(end));
  };
  put("k", 10, 20);
  put("k", 1, 5);
  put("j", 12, 13);
  std::string of_key;
  std::string ended;

  store->visit_key(as_bytes("k"), Timestamp(5), Timestamp(10),
                   [&](SessionSpan span, const StoredValue&) {
                     of_key += to_string(span.start) + "-" + to_string(span.end) + " ";
                     return true;
                   });
  store->visit_ended(Timestamp(0), Timestamp(13),
                     [&](ByteView key, SessionSpan span, const StoredValue&) {
                       ended += std::string(as_text(key)) + to_string(span.end) + " ";
                       return true;
                     });

  EXPECT_EQ(of_key, "1-5 10-20 ");
  EXPECT_EQ(ended, "k5 j13 ");
}

TEST_P(ByteStores, RefuseAChangelogOfAnotherKind) {
  const auto windows = make_window_store({.name = "s", .window = 5ms, .retention = 10ms});
  const auto values = make_key_value_store("s");

  EXPECT_EQ(values.state->begin_restore(windows.state->metadata(Offset(0))).error().code(),
            ErrorCode::kInvalid);
}

}  // namespace
}  // namespace penstock::store
