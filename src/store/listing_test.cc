// Listing a whole store page by page: every entry once, in order, at a cost that grows with the
// number of entries and not with that times the number of pages.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "store/changelog_for_test.h"
#include "store/key_order.h"
#include "store/table_store.h"
#include "store/window_store.h"

namespace penstock::store {
namespace {

// In no order that resembles that of the keys.
std::string shuffled_key(std::uint64_t number) {
  return "k" + std::to_string(number * 2'654'435'761 % 4'294'967'296);
}

void add(WindowStore& store, const std::string& key, std::int64_t start) {
  const WindowStore::Slot slot{{as_bytes(key), KeyTag::kString}, Timestamp(start)};
  std::uint64_t* cells = nullptr;
  store.upsert({&slot, 1}, {&cells, 1});
  *cells += 1;
}

void add(TableStore& store, const std::string& key) {
  const TableStore::Update update{{as_bytes(key), KeyTag::kString}, as_bytes("1"), {}};
  store.put({&update, 1});
}

template <typename Store>
void commit(Store& store, int minutes = 0) {
  MemoryChangelog changelog;
  store.flush(changelog);
  changelog.commit();
  store.commit(TimePoint(std::chrono::minutes(minutes)), Offset(0));
}

struct Listing {
  std::vector<std::string> entries;  // "key@window"
  std::uint64_t rows_seen = 0;
};

// One page; sets `after` to where the next one begins, or returns false after the last one.
bool list_page(const StateStore& store, std::size_t limit, std::optional<ScanPosition>& after,
               Listing& into) {
  ScanRequest request;
  request.limit = limit;
  request.after = after;
  const auto scan = store.scan(std::move(request));
  while (!scan->advance(1)) {
    ++into.rows_seen;  // it may look at one row more each time
  }
  std::vector<ScanEntry> found = scan->take();
  const bool more = found.size() > limit;
  found.resize(std::min(found.size(), limit));
  for (const ScanEntry& entry : found) {
    const auto& window = entry.entry.window;
    into.entries.push_back(entry.entry.key[0].text + "@" +
                           (window.has_value() ? to_string(window->start) : ""));
  }
  if (more) {
    after = found.back().position;
  }
  return more;
}

Listing list(const StateStore& store, std::size_t limit) {
  Listing listing;
  std::optional<ScanPosition> after;
  while (list_page(store, limit, after, listing)) {
  }
  return listing;
}

WindowStore::Options window_options() {
  WindowStore::Options options;
  options.name = "counts";
  options.window = std::chrono::milliseconds(10);
  options.columns = {{AggregateColumn::Kind::kCount, ""}};
  return options;
}

constexpr std::uint64_t kEntries = 2 * KeyOrder::kBlockRows + 5000;

TEST(Listing, LooksAtEachRowOfATableAboutOnce) {
  TableStore store({"latest", "events", {"/id"}, 3});
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    add(store, shuffled_key(i));
  }
  commit(store);

  const Listing listing = list(store, 50);

  EXPECT_EQ(std::set(listing.entries.begin(), listing.entries.end()).size(), kEntries);
  EXPECT_EQ(listing.entries.size(), kEntries);
  EXPECT_LT(listing.rows_seen, 4 * kEntries);  // not kEntries / 50 times
}

TEST(Listing, LooksAtEachRowOfAWindowAboutOnce) {
  WindowStore store(window_options());
  for (std::uint64_t i = 0; i < kEntries; ++i) {
    add(store, shuffled_key(i), static_cast<std::int64_t>(i % 2) * 10);
  }
  commit(store);

  const Listing listing = list(store, 100);

  EXPECT_EQ(std::set(listing.entries.begin(), listing.entries.end()).size(), kEntries);
  EXPECT_EQ(listing.entries.size(), kEntries);
  EXPECT_LT(listing.rows_seen, 4 * kEntries);
}

TEST(Listing, ShowsOnceWhatIsThereAllTheTimeWhileOthersCome) {
  WindowStore store(window_options());
  std::set<std::string> before;
  std::uint64_t next = 0;
  const auto add_some = [&](std::set<std::string>* keys) {
    for (int i = 0; i < 700; ++i, ++next) {
      add(store, shuffled_key(next), static_cast<std::int64_t>(next % 3) * 10);
      if (keys != nullptr) {
        keys->insert(shuffled_key(next) + "@" + std::to_string(next % 3 * 10));
      }
    }
    add(store, shuffled_key(1), 10);  // one that is there already
    commit(store);
  };
  add_some(&before);

  Listing listing;
  std::optional<ScanPosition> after;
  while (list_page(store, 20, after, listing)) {
    if (next < 20'000) {
      add_some(nullptr);
    }
  }

  const std::set<std::string> found(listing.entries.begin(), listing.entries.end());
  EXPECT_EQ(found.size(), listing.entries.size());
  EXPECT_TRUE(std::ranges::includes(found, before));
  EXPECT_GT(found.size(), before.size());
  // A page that begins now knows all of them: it says that it is complete.
  EXPECT_EQ(list(store, 10'000).entries.size(), store.entry_count());
}

TEST(Listing, GivesItsMemoryBackWhenNobodyListsAnyMore) {
  WindowStore store(window_options());
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    add(store, shuffled_key(i), 0);
  }
  commit(store);
  const std::uint64_t size = store.size_bytes();

  const Listing first = list(store, 10'000);
  EXPECT_GT(store.size_bytes(), size);
  commit(store, 1);
  commit(store, 1);
  EXPECT_GT(store.size_bytes(), size);
  commit(store, 2);

  EXPECT_EQ(store.size_bytes(), size);
  EXPECT_EQ(list(store, 100).entries, first.entries);
}

}  // namespace
}  // namespace penstock::store
