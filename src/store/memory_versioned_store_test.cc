// The versioned store against a list of everything that was ever put.
#include "store/memory_versioned_store.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "store/changelog_for_test.h"
#include "testing/random.h"

namespace penstock::store {
namespace {

using namespace std::chrono_literals;
using Put = VersionedBytes::Put;
using Value = std::optional<std::string>;

constexpr std::int64_t kHistory = 20;

// All versions of all keys, never forgotten.
struct Model {
  std::map<std::string, std::map<std::int64_t, Value>> versions;
  std::int64_t latest_time = -1;

  Put put(const std::string& key, const Value& value, std::int64_t time) {
    if (time < latest_time - kHistory) {
      return Put::kExpired;
    }
    latest_time = std::max(latest_time, time);
    versions[key][time] = value;
    return versions[key].rbegin()->first == time ? Put::kLatest : Put::kOutdated;
  }

  [[nodiscard]] std::string get(const std::string& key, std::int64_t as_of) const {
    const auto of_key = versions.find(key);
    if (of_key == versions.end()) {
      return "nothing";
    }
    const auto after = of_key->second.upper_bound(as_of);
    // Before the history only what is still valid is known.
    const bool is_known = as_of >= latest_time - kHistory || after == of_key->second.end();
    if (after == of_key->second.begin() || !is_known) {
      return "nothing";
    }
    const auto& [time, value] = *std::prev(after);
    return value.has_value() ? *value + "@" + std::to_string(time) : "nothing";
  }
};

std::string shown(const std::optional<StoredValue>& stored) {
  return stored.has_value()
             ? std::string(as_text(stored->value)) + "@" + to_string(stored->timestamp)
             : "nothing";
}

void expect_equal(const MemoryVersionedStore& store, const Model& model) {
  for (const char* key : {"a", "b", "c"}) {
    constexpr std::int64_t kEnd = 1'000'000;
    ASSERT_EQ(shown(store.get(as_bytes(key))), model.get(key, kEnd)) << key;
    for (std::int64_t back = -2; back < kHistory + 15; ++back) {
      const std::int64_t as_of = model.latest_time - back;
      ASSERT_EQ(shown(store.get(as_bytes(key), Timestamp(as_of))), model.get(key, as_of))
          << key << " as of " << as_of;
    }
  }
}

TEST(MemoryVersionedStore, EqualsAListOfAllVersionsThroughCommitsAbortsAndRestores) {
  testing::SeededRandom random(3);
  auto store = std::make_unique<MemoryVersionedStore>("s", std::chrono::milliseconds(kHistory));
  MemoryChangelog changelog;
  Model model;
  Model committed;
  std::int64_t now = 0;
  for (int step = 0; step < 4000; ++step) {
    now += static_cast<std::int64_t>(random.below(4));
    const std::string key(1, static_cast<char>('a' + random.below(3)));
    const std::int64_t time = now - static_cast<std::int64_t>(random.below(kHistory + 5));
    const Value value = random.below(4) == 0 ? std::nullopt : Value("v" + std::to_string(step));
    if (time >= 0) {
      ASSERT_EQ(store->put(as_bytes(key),
                           value.has_value() ? std::optional(as_bytes(*value)) : std::nullopt,
                           Timestamp(time)),
                model.put(key, value, time));
    }
    if (random.below(15) == 0) {
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
        store = std::make_unique<MemoryVersionedStore>("s", std::chrono::milliseconds(kHistory));
        ASSERT_TRUE(store->begin_restore(metadata));
        ASSERT_TRUE(changelog.restore(*store));
        store->finish_restore(TimePoint());
      }
    }
    ASSERT_NO_FATAL_FAILURE(expect_equal(*store, model)) << "step " << step;
  }
}

TEST(MemoryVersionedStore, ForgetsWhatNobodyCanAskFor) {
  MemoryVersionedStore store("s", 10ms);
  for (std::int64_t time = 0; time < 1000; ++time) {
    store.put(as_bytes("often"), as_bytes("v"), Timestamp(time));
  }
  store.put(as_bytes("removed"), std::nullopt, Timestamp(995));
  store.put(as_bytes("often"), as_bytes("v"), Timestamp(2000));

  EXPECT_EQ(store.entry_count(), 2U);  // what was valid when the history began, and the latest
  store.abort();
  EXPECT_EQ(store.entry_count(), 0U);
}

TEST(MemoryVersionedStore, RefusesAMalformedChangelog) {
  MemoryChangelog changelog;
  changelog.batch().append(Timestamp(1), as_bytes("short"), as_bytes("\1v"));
  changelog.commit();
  MemoryVersionedStore store("s", 10ms);

  EXPECT_EQ(changelog.restore(store).error().code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace penstock::store
