// The byte stores in memory against maps: commits, aborts, restores from the changelog, expiry.
#include "store/byte_stores.h"

#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "store/changelog_for_test.h"
#include "store/memory_key_value_store.h"
#include "store/memory_session_store.h"
#include "store/memory_window_store.h"
#include "testing/random.h"

namespace penstock::store {
namespace {

using namespace std::chrono_literals;
using Rows = std::map<std::string, std::pair<std::string, std::int64_t>>;

Rows rows(const MemoryKeyValueStore& store) {
  Rows rows;
  store.visit({}, [&](ByteView key, const StoredValue& stored) {
    rows[std::string(as_text(key))] = {std::string(as_text(stored.value)),
                                       stored.timestamp.value()};
    return true;
  });
  return rows;
}

TEST(MemoryKeyValueStore, EqualsAMapThroughCommitsAbortsAndRestores) {
  testing::SeededRandom random(1);
  auto store = std::make_unique<MemoryKeyValueStore>("s");
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
      store->flush(changelog);
      changelog.abort();
      store->abort();
      model = committed;
    } else if (random.below(10) == 0) {
      store->flush(changelog);
      const std::string metadata = store->metadata(changelog.end());
      store->commit(TimePoint(), changelog.end());
      changelog.commit();
      committed = model;
      if (random.below(5) == 0) {
        store = std::make_unique<MemoryKeyValueStore>("s");
        ASSERT_TRUE(store->begin_restore(metadata));
        ASSERT_TRUE(changelog.restore(*store));
        store->finish_restore(TimePoint());
        EXPECT_EQ(store->times().observed, Timestamp(step));
      }
    }
    ASSERT_EQ(rows(*store), model) << "step " << step;
    ASSERT_EQ(store->entry_count(), model.size());
  }
}

TEST(MemoryKeyValueStore, VisitsRangesBothWays) {
  MemoryKeyValueStore store("s");
  for (const char* key : {"a", "b", "c", "d"}) {
    store.put(as_bytes(key), as_bytes("v"), Timestamp(1));
  }
  std::string forward;
  std::string backward;

  store.visit({as_bytes("b"), as_bytes("c")}, [&](ByteView key, const StoredValue&) {
    forward += as_text(key);
    return true;
  });
  store.visit_backward({as_bytes("b"), std::nullopt}, [&](ByteView key, const StoredValue&) {
    backward += as_text(key);
    return backward.size() < 2;
  });

  EXPECT_EQ(forward, "bc");
  EXPECT_EQ(backward, "dc");
}

std::string starts(const MemoryWindowStore& store, std::int64_t from, std::int64_t to) {
  std::string text;
  store.visit_key(as_bytes("k"), Timestamp(from), Timestamp(to),
                  [&](Timestamp start, const StoredValue& stored) {
                    text += to_string(start) + "=" + std::string(as_text(stored.value)) + " ";
                    return true;
                  });
  return text;
}

TEST(MemoryWindowStore, ForgetsWhatIsOlderThanItsRetention) {
  MemoryWindowStore store({.name = "w", .window = 5ms, .retention = 10ms});
  store.put(as_bytes("k"), Timestamp(0), as_bytes("a"), Timestamp(1));
  store.put(as_bytes("k"), Timestamp(5), as_bytes("b"), Timestamp(5));
  store.put(as_bytes("j"), Timestamp(10), as_bytes("c"), Timestamp(10));

  EXPECT_EQ(starts(store, 0, 100), "5=b ");
  EXPECT_FALSE(store.fetch(as_bytes("k"), Timestamp(0)).has_value());
  store.put(as_bytes("k"), Timestamp(0), as_bytes("late"), Timestamp(10));
  EXPECT_EQ(store.entry_count(), 3U);  // not taken, but what expired is still there ...
  store.expire(Timestamp(0));
  EXPECT_EQ(store.entry_count(), 3U);
  store.expire(Timestamp(100));
  EXPECT_EQ(store.entry_count(), 2U);  // ... until it is let go
  store.abort();
  EXPECT_EQ(store.entry_count(), 0U);
}

TEST(MemoryWindowStore, KeepsDuplicatesWithTheirNumbersAcrossARestore) {
  const MemoryWindowStore::Options options{.name = "w",
                                           .window = 5ms,
                                           .retention = 100ms,
                                           .duplicates = MemoryWindowStore::Duplicates::kKeep};
  MemoryWindowStore store(options);
  MemoryChangelog changelog;
  store.put(as_bytes("k"), Timestamp(1), as_bytes("taken back"), Timestamp(1));
  store.abort();
  store.put(as_bytes("k"), Timestamp(1), as_bytes("a"), Timestamp(1));
  store.put(as_bytes("k"), Timestamp(1), as_bytes("b"), Timestamp(1));
  store.put(as_bytes("k"), Timestamp(2), as_bytes("c"), Timestamp(2));
  store.flush(changelog);
  const std::string metadata = store.metadata(changelog.end());
  store.commit(TimePoint(), changelog.end());
  changelog.commit();

  MemoryWindowStore restored(options);
  ASSERT_TRUE(restored.begin_restore(metadata));
  ASSERT_TRUE(changelog.restore(restored));
  restored.finish_restore(TimePoint());
  restored.put(as_bytes("k"), Timestamp(1), as_bytes("d"), Timestamp(1));

  EXPECT_EQ(starts(restored, 0, 10), "1=a 1=b 1=d 2=c ");
  // key | int64 start | int32 number, as Kafka Streams' window stores.
  EXPECT_TRUE(changelog.entries().contains(std::string("k\0\0\0\0\0\0\0\1\0\0\0\1", 13)));
  EXPECT_TRUE(changelog.entries().contains(std::string("k\0\0\0\0\0\0\0\2\0\0\0\3", 13)));
}

TEST(MemorySessionStore, FindsSessionsByEndThenStart) {
  MemorySessionStore store("s", 100ms);
  const auto put = [&](const char* key, std::int64_t start, std::int64_t end) {
    store.put(as_bytes(key), {Timestamp(start), Timestamp(end)}, as_bytes("v"), Timestamp(end));
  };
  put("k", 10, 20);
  put("k", 1, 5);
  put("j", 12, 13);
  std::string of_key;
  std::string ended;

  store.visit_key(as_bytes("k"), Timestamp(5), Timestamp(10),
                  [&](SessionSpan span, const StoredValue&) {
                    of_key += to_string(span.start) + "-" + to_string(span.end) + " ";
                    return true;
                  });
  store.visit_ended(Timestamp(0), Timestamp(13),
                    [&](ByteView key, SessionSpan span, const StoredValue&) {
                      ended += std::string(as_text(key)) + to_string(span.end) + " ";
                      return true;
                    });

  EXPECT_EQ(of_key, "1-5 10-20 ");
  EXPECT_EQ(ended, "k5 j13 ");
}

TEST(ByteStores, RefuseAChangelogOfAnotherKind) {
  MemoryWindowStore windows({.name = "s", .window = 5ms, .retention = 10ms});
  MemoryKeyValueStore values("s");

  EXPECT_EQ(values.begin_restore(windows.metadata(Offset(0))).error().code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace penstock::store
