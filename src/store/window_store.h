// WindowStore keeps aggregates per key and tumbling window, in memory.
//
// Each window has a hash table of its own, so that an old window goes as a whole, and so that rows
// are small. Whoever counts asks for the cells of a group of (key, window) pairs and changes them
// in place; the first change of a row since the last commit notes its old cells, for abort(), and
// marks it for the changelog. Format of the changelog: docs/formats/aggregate-changelog.md.
//
// Windows stay after they have closed, to be queried, until `retention` or a memory limit drives
// them out. Then their entries get tombstones in the changelog, some thousands per commit.
//
// With `track_changes` it also remembers which rows changed since their change was last taken, and
// when first, for an output that shows each key at most once per interval. After a restart
// this may hold a few rows again whose change was already taken, never too few.
//
// Threads   one.
// Errors    see StateStore.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/units.h"
#include "store/aggregate.h"
#include "store/group_lookup.h"
#include "store/key_order.h"
#include "store/row_table.h"
#include "store/state_store.h"
#include "store/store_metadata.h"
#include "store/window.h"

namespace penstock::store {

class WindowStore final : public StateStore {
 public:
  static constexpr std::size_t kGroupSize = kGroupSizeMax;

  struct Options {
    std::string name;
    std::string topic;                  // for describe()
    std::vector<std::string> group_by;  // for describe()
    std::chrono::milliseconds window{0};
    std::chrono::milliseconds grace{0};
    std::optional<std::chrono::milliseconds> retention;  // absent: until memory is short
    std::vector<AggregateColumn> columns;
    std::uint64_t hash_seed = 0;
    bool track_changes = false;
    std::size_t tombstones_per_flush = 16 * 1024;
    std::size_t tombstone_bytes_per_flush = kMiB;  // and one more
  };

  // Which row: a key in a window.
  struct Slot {
    KeyView key;
    Timestamp window_start;
  };

  // A row whose change is due. `row` is for RowKey and cells_of().
  struct Changed {
    Timestamp window_start;
    const std::uint64_t* row;
  };

  explicit WindowStore(Options options);
  ~WindowStore() override;

  [[nodiscard]] const AggregateLayout& layout() const { return layout_; }

  [[nodiscard]] const TumblingWindows& windows() const { return windows_; }

  // Gives the cells of up to kGroupSize slots, to be changed by the caller at once: they are valid
  // until the next call. No slot's window may have been dropped: see dropped_before().
  void upsert(std::span<const Slot> slots, std::span<std::uint64_t*> cells);

  // Windows that start before this are gone; what still comes for them cannot be counted.
  [[nodiscard]] Timestamp dropped_before() const { return dropped_before_; }

  // The largest timestamp the store was told of; closes windows.
  void advance_stream_time(Timestamp timestamp) {
    stream_time_ = std::max(stream_time_, timestamp);
  }

  [[nodiscard]] Timestamp stream_time() const { return stream_time_; }

  // complete_to() will tell of this partition of the source topic.
  void declare_source(PartitionId partition) {
    complete_.try_emplace(partition);
    committed_complete_.try_emplace(partition);
  }

  // Everything of the source topic's partition before `next_offset` has been counted (or dropped).
  void set_complete(PartitionId partition, Offset next_offset) {
    complete_[partition] = next_offset;
  }

  // Takes up to `count_max` rows whose change is from `until` or before, or whose window has
  // closed. Call it after the last upsert() before flush(). The pointers hold until commit().
  void take_changes(TimePoint until, std::size_t count_max, std::vector<Changed>& into);
  // When the oldest change was made that has not been taken.
  [[nodiscard]] std::optional<TimePoint> oldest_change() const;

  // For a store without changelog: what changed since the last commit() or clear().
  void list_uncommitted(std::vector<Changed>& into) const;
  // Drops every row, uncommitted or not.
  void clear();

  [[nodiscard]] static const std::uint64_t* cells_of(const std::uint64_t* row) {
    return row + RowTable::kCellsAt;
  }

  [[nodiscard]] const std::string& name() const override { return options_.name; }

  void flush(ChangelogSink& changelog) override;
  [[nodiscard]] std::string metadata(Offset changelog_begin) const override;
  void commit(TimePoint now, Offset changelog_begin) override;
  void abort() override;

  [[nodiscard]] bool has_uncommitted() const override { return !touched_.empty(); }

  [[nodiscard]] std::size_t pending_bytes() const override { return pending_bytes_; }

  [[nodiscard]] bool wants_flush() const override { return !leaving_.empty(); }

  [[nodiscard]] Status begin_restore(std::string_view metadata) override;
  [[nodiscard]] Status restore(const RecordBatchView& batch) override;
  void finish_restore(TimePoint now) override;

  [[nodiscard]] std::uint64_t size_bytes() const override;
  [[nodiscard]] std::uint64_t entry_count() const override;
  [[nodiscard]] std::optional<Timestamp> oldest_evictable() const override;
  void evict_oldest() override;
  [[nodiscard]] std::uint64_t leaving_bytes() const override;

  [[nodiscard]] WindowCounts take_window_counts() override {
    return std::exchange(window_counts_, {});
  }

  [[nodiscard]] std::vector<CompleteTo> complete_to() const override;
  [[nodiscard]] StoreDescription describe() const override;
  [[nodiscard]] std::unique_ptr<StoreScan> scan(ScanRequest request) const override;

 private:
  friend class WindowScan;

  // Rows of one window whose change came with the same commit and has not been taken.
  struct Changes {
    TimePoint since;
    Offset changelog_begin;
    std::vector<RowId> rows;
  };

  struct Table {
    Table(Timestamp window_start, std::size_t cell_count, std::uint64_t hash_seed)
        : start(window_start), rows(cell_count, hash_seed) {}

    Timestamp start;
    RowTable rows;
    KeyOrder order;              // for listings
    std::size_t live_count = 0;  // rows that exist: the others were aborted
    // Since the last commit:
    std::vector<RowId> touched;
    std::vector<std::uint64_t> undo;  // the old cells of each
    std::vector<RowId> changed;       // those of them that were not waiting in `changes` before
    std::deque<Changes> changes;
    std::size_t tombstones = 0;  // of a table that leaves: rows done, committed or not
    std::size_t tombstones_committed = 0;
  };

  struct Taken {
    Table* table;
    Changes changes;
  };

  using TableMap = std::map<Timestamp, std::unique_ptr<Table>>;

  [[nodiscard]] static std::uint64_t size_of(const Table& table);
  Table& table_for(Timestamp window_start);
  Table& open_table(Timestamp window_start);
  void touch_first(Table& table, RowId id, std::uint64_t* row);
  void flush_table(const Table& table, ChangelogSink& changelog) const;
  void flush_tombstones(ChangelogSink& changelog);
  void take_from(Table& table, bool closed, TimePoint until, std::size_t count_max,
                 std::vector<Changed>& into);
  void abort_table(Table& table);
  [[nodiscard]] bool is_evictable(const Table& table) const;
  void drop(TableMap::iterator at);
  void drop_expired();
  void count_closed();
  void forget_orders(TimePoint now);
  [[nodiscard]] Status restore_record(const RecordView& record);
  [[nodiscard]] std::uint32_t definition_hash() const;

  const Options options_;
  const AggregateLayout layout_;
  const TumblingWindows windows_;
  const std::size_t record_bytes_;  // of a changelog record without its key, about
  TableMap tables_;
  std::array<Table*, 8> recent_{};        // found without searching, by window start
  std::vector<Table*> touched_;           // changed since the last commit
  std::size_t pending_bytes_ = 0;         // of their changelog, about
  std::map<Timestamp, Table*> changing_;  // those with changes waiting to be taken
  std::vector<Taken> taken_;              // since the last commit
  std::deque<std::unique_ptr<Table>> leaving_;
  std::uint64_t epoch_ = 1;  // counts commits and aborts
  Timestamp stream_time_ = kNoStreamTime;
  Timestamp committed_stream_time_ = kNoStreamTime;
  Completeness complete_;
  Completeness committed_complete_;
  Timestamp dropped_before_ = kNoStreamTime;
  Timestamp closed_before_ = kNoStreamTime;
  WindowCounts window_counts_;
  mutable bool is_listed_ = false;  // since the last commit
  std::optional<TimePoint> listed_at_;
  // Only between begin_restore() and finish_restore():
  Timestamp restore_dropped_before_ = kNoStreamTime;
  Offset restore_changes_from_{0};
};

}  // namespace penstock::store
