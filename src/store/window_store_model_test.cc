// Random counts, commits, aborts, evictions and restarts: the store equals a std::map.
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "store/changelog_for_test.h"
#include "store/window_store.h"
#include "testing/random.h"

namespace penstock::store {
namespace {

using std::chrono::milliseconds;

using Model = std::map<std::pair<std::int64_t, std::string>, std::uint64_t>;

class WindowStoreModel : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  static WindowStore::Options options() {
    WindowStore::Options options;
    options.name = "counts";
    options.window = milliseconds(10);
    options.columns = {{AggregateColumn::Kind::kCount, ""}};
    options.track_changes = true;
    options.tombstones_per_flush = 7;
    return options;
  }

  Model read() const {
    ScanRequest request;
    request.limit = 100'000;
    const auto scan = store_->scan(request);
    while (!scan->advance(50)) {
    }
    Model model;
    for (const ScanEntry& entry : scan->take()) {
      model[{entry.position.window_start.value(), entry.entry.key[0].text}] =
          static_cast<std::uint64_t>(std::get<std::int64_t>(entry.entry.aggregates[0]));
    }
    return model;
  }

  void count() {
    std::vector<std::string> texts(1 + random_.below(WindowStore::kGroupSize));
    std::vector<WindowStore::Slot> slots;
    for (std::string& text : texts) {
      text = std::string(random_.below(3) * 9, 'x') + std::to_string(random_.below(8));
      Timestamp start(static_cast<std::int64_t>(random_.below(6)) * 10 + time_);
      start = std::max(start, store_->dropped_before());
      slots.push_back({{as_bytes(text), KeyTag::kString}, start});
    }
    std::vector<std::uint64_t*> cells(slots.size());
    store_->upsert(slots, cells);
    for (std::size_t index = 0; index < slots.size(); ++index) {
      ++*cells[index];
      ++now_[{slots[index].window_start.value(), texts[index]}];
    }
    store_->advance_stream_time(Timestamp(time_));
  }

  void take_changes() {
    std::vector<WindowStore::Changed> taken;
    store_->take_changes(TimePoint(milliseconds(clock_)), random_.below(60), taken);
    for (const WindowStore::Changed& changed : taken) {
      const std::string text(as_text(RowKey(changed.row).view().bytes));
      put_out_[{changed.window_start.value(), text}] = *WindowStore::cells_of(changed.row);
    }
  }

  void commit() {
    take_changes();
    const Offset begin = changelog_.end();
    store_->flush(changelog_);
    metadata_ = store_->metadata(begin);
    changelog_.commit();
    store_->commit(TimePoint(milliseconds(++clock_)), begin);
    committed_ = now_;
    committed_out_ = put_out_;
  }

  void abort() {
    take_changes();
    store_->flush(changelog_);
    changelog_.abort();
    store_->abort();
    now_ = committed_;
    put_out_ = committed_out_;
  }

  void evict() {
    if (!store_->has_uncommitted() && store_->oldest_evictable().has_value()) {
      const std::int64_t start = store_->oldest_evictable()->value();
      store_->evict_oldest();
      std::erase_if(now_, [&](const auto& entry) { return entry.first.first == start; });
      committed_ = now_;
    }
  }

  void restart() {
    commit();
    store_ = std::make_unique<WindowStore>(options());
    ASSERT_TRUE(store_->begin_restore(metadata_).has_value());
    ASSERT_TRUE(changelog_.restore(*store_).has_value());
    store_->finish_restore(TimePoint(milliseconds(clock_)));
  }

  testing::SeededRandom random_{GetParam()};
  std::unique_ptr<WindowStore> store_ = std::make_unique<WindowStore>(options());
  MemoryChangelog changelog_;
  std::string metadata_;
  std::int64_t time_ = -300;
  int clock_ = 0;
  Model now_;
  Model committed_;
  Model put_out_;
  Model committed_out_;
};

TEST_P(WindowStoreModel, EqualsAMap) {
  for (int step = 0; step < 120; ++step) {
    switch (random_.below(12)) {
      case 0:
        abort();
        break;
      case 1:
        restart();
        break;
      case 2:
        for (std::uint64_t count = random_.below(20); count > 0; --count) {
          evict();
        }
        break;
      case 3:
      case 4:
        commit();
        ASSERT_EQ(read(), now_) << "step " << step;
        break;
      default:
        time_ += static_cast<std::int64_t>(random_.below(2)) * 10;
        count();
        break;
    }
  }
  commit();
  EXPECT_EQ(read(), now_);
  EXPECT_EQ(store_->entry_count(), now_.size());

  // What was put out last of each row that is still there is its latest value.
  while (store_->oldest_change().has_value()) {
    commit();
  }
  for (const auto& [row, count] : now_) {
    EXPECT_EQ(put_out_[row], count) << row.second << "@" << row.first;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, WindowStoreModel, ::testing::Range<std::uint64_t>(1, 13));

}  // namespace
}  // namespace penstock::store
