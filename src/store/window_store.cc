#include "store/window_store.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/check.h"
#include "core/crc32c.h"
#include "store/window_scan.h"

namespace penstock::store {

namespace {

constexpr std::uint64_t kWaitingFlag = 1;  // its change waits in `changed` or `changes`
constexpr unsigned kEpochShift = 8;
// Of a changelog record: fields around key and value, tag and window start; and a cell in varints.
constexpr std::size_t kRecordOverhead = 24;
constexpr std::size_t kCellSizeTypical = 6;
constexpr std::size_t kMarksAt = RowTable::kKeyWords;
constexpr std::size_t kPrefetchDistance = 24;

// The changelog keys of a group of rows: tag, key, start of the window as big-endian int64.
class WindowedKeys {
 public:
  [[nodiscard]] ByteView write(std::size_t index, const std::uint64_t* row, Timestamp start) {
    const RowKey key(row);
    const std::size_t size = key.view().bytes.size();
    std::byte* to = short_[index].data();
    if (size > RowTable::kInlineKeySizeMax) {
      long_[index].resize(1 + size + sizeof(std::int64_t));
      to = long_[index].data();
    }
    to[0] = static_cast<std::byte>(key.view().tag);
    std::ranges::copy(key.view().bytes, to + 1);
    store_be(to + 1 + size, start.value());
    return {to, 1 + size + sizeof(std::int64_t)};
  }

 private:
  std::array<std::array<std::byte, 32>, WindowStore::kGroupSize> short_;
  std::array<Bytes, WindowStore::kGroupSize> long_;
};

bool exists(const std::uint64_t* row) {
  return row[RowTable::kCellsAt + AggregateLayout::kRecordsCell] != 0;
}

std::size_t recent_slot(Timestamp start) {
  return static_cast<std::size_t>(
      (static_cast<std::uint64_t>(start.value()) * 0x9e37'79b9'7f4a'7c15) >> 61);
}

}  // namespace

WindowStore::WindowStore(Options options)
    : options_(std::move(options)),
      layout_(options_.columns),
      windows_(options_.window, options_.grace),
      record_bytes_(kRecordOverhead + layout_.cell_count() * kCellSizeTypical) {
  PENSTOCK_CHECK(options_.window.count() > 0 && options_.grace.count() >= 0);
}

WindowStore::~WindowStore() = default;

void WindowStore::upsert(std::span<const Slot> slots, std::span<std::uint64_t*> cells) {
  PENSTOCK_DCHECK(slots.size() <= kGroupSize && cells.size() >= slots.size());
  std::array<Table*, kGroupSize> tables;
  const auto table_of = [&](std::size_t index) -> RowTable& {
    tables[index] = &table_for(slots[index].window_start);
    return tables[index]->rows;
  };
  const auto take = [&](std::size_t index, RowId id) {
    std::uint64_t* row = tables[index]->rows.row(id);
    if (row[kMarksAt] >> kEpochShift != epoch_) {
      touch_first(*tables[index], id, row);
    }
    cells[index] = row + RowTable::kCellsAt;
  };
  look_up_group(
      slots.size(), table_of, [&](std::size_t index) -> const KeyView& { return slots[index].key; },
      take);
}

WindowStore::Table& WindowStore::table_for(Timestamp window_start) {
  Table*& recent = recent_[recent_slot(window_start)];
  if (recent == nullptr || recent->start != window_start) [[unlikely]] {
    recent = &open_table(window_start);
  }
  return *recent;
}

WindowStore::Table& WindowStore::open_table(Timestamp window_start) {
  PENSTOCK_CHECK(window_start >= dropped_before_);
  std::unique_ptr<Table>& table = tables_[window_start];
  if (table == nullptr) {
    table = std::make_unique<Table>(window_start, layout_.cell_count(), options_.hash_seed);
  }
  return *table;
}

void WindowStore::touch_first(Table& table, RowId id, std::uint64_t* row) {
  if (table.touched.empty()) {
    touched_.push_back(&table);
  }
  table.touched.push_back(id);
  const std::uint64_t* cells = row + RowTable::kCellsAt;
  table.undo.insert(table.undo.end(), cells, cells + layout_.cell_count());
  if (!exists(row)) {
    ++table.live_count;
  }
  pending_bytes_ += record_bytes_ + RowTable::key_size(row);
  std::uint64_t flags = row[kMarksAt] & kWaitingFlag;
  if (options_.track_changes && flags == 0) {
    table.changed.push_back(id);
    flags = kWaitingFlag;
  }
  row[kMarksAt] = epoch_ << kEpochShift | flags;
}

void WindowStore::flush(ChangelogSink& changelog) {
  for (const Table* table : touched_) {
    flush_table(*table, changelog);
  }
  flush_tombstones(changelog);
}

void WindowStore::flush_table(const Table& table, ChangelogSink& changelog) const {
  static_assert(ChangelogSink::kRecordsPerCall % kGroupSize == 0);
  // What the table's records say about time: the last moment of the window.
  const Timestamp timestamp = windows_.end_of(table.start) + -1;
  WindowedKeys keys;
  Bytes values(kGroupSize * layout_.encoded_size_max());
  std::array<std::pair<ByteView, ByteView>, kGroupSize> records;
  RecordBatchBuilder* batch = nullptr;
  for (std::size_t begin = 0; begin < table.touched.size(); begin += kGroupSize) {
    const std::size_t end = std::min(begin + kGroupSize, table.touched.size());
    std::byte* value = values.data();
    for (std::size_t index = begin; index < end; ++index) {
      if (index + kPrefetchDistance < table.touched.size()) {
        __builtin_prefetch(table.rows.row(table.touched[index + kPrefetchDistance]));
      }
      const std::uint64_t* row = table.rows.row(table.touched[index]);
      std::byte* value_end = layout_.encode(cells_of(row), value);
      records[index - begin] = {keys.write(index - begin, row, table.start),
                                ByteView(value, value_end)};
      value = value_end;
    }
    if (begin % ChangelogSink::kRecordsPerCall == 0) {
      batch = &changelog.batch();
    }
    for (std::size_t index = 0; index < end - begin; ++index) {
      batch->append(timestamp, records[index].first, records[index].second);
    }
  }
}

void WindowStore::flush_tombstones(ChangelogSink& changelog) {
  std::size_t left = options_.tombstones_per_flush;
  std::size_t size = 0;
  std::size_t& room = changelog.room();
  WindowedKeys keys;
  for (const std::unique_ptr<Table>& table : leaving_) {
    const Timestamp timestamp = windows_.end_of(table->start) + -1;
    RecordBatchBuilder* batch = nullptr;
    for (std::size_t count = 0; left > 0 && room > 0 && size < options_.tombstone_bytes_per_flush &&
                                table->tombstones < table->rows.size();
         ++count) {
      if (count % ChangelogSink::kRecordsPerCall == 0) {
        batch = &changelog.batch();
      }
      const std::uint64_t* row = table->rows.row(static_cast<RowId>(table->tombstones++));
      if (exists(row)) {
        const ByteView key = keys.write(0, row, table->start);
        batch->append(timestamp, key, std::nullopt);
        const std::size_t record_size = kRecordOverhead + key.size();
        size += record_size;
        room -= std::min(room, record_size);
        --left;
      }
    }
  }
}

void WindowStore::commit(TimePoint now, Offset changelog_begin) {
  for (Table* table : touched_) {
    if (!table->changed.empty()) {
      table->changes.push_back({now, changelog_begin, std::move(table->changed)});
      changing_[table->start] = table;
    }
    table->changed.clear();
    table->touched.clear();
    table->undo.clear();
  }
  touched_.clear();
  pending_bytes_ = 0;
  taken_.clear();
  for (const std::unique_ptr<Table>& table : leaving_) {
    table->tombstones_committed = table->tombstones;
  }
  while (!leaving_.empty() &&
         leaving_.front()->tombstones_committed == leaving_.front()->rows.size()) {
    leaving_.pop_front();
  }
  ++epoch_;
  committed_stream_time_ = stream_time_;
  committed_complete_ = complete_;
  count_closed();
  drop_expired();
  forget_orders(now);
}

// Nobody has listed the store for a while.
void WindowStore::forget_orders(TimePoint now) {
  if (std::exchange(is_listed_, false)) {
    listed_at_ = now;
  } else if (listed_at_.has_value() && now - *listed_at_ >= kOrderKept) {
    listed_at_.reset();
    for (const auto& [start, table] : tables_) {
      table->order.clear();
    }
  }
}

void WindowStore::abort() {
  // Changes that were taken go back first, so that abort_table() finds every flag as it was.
  for (auto taken = taken_.rbegin(); taken != taken_.rend(); ++taken) {
    for (const RowId id : taken->changes.rows) {
      taken->table->rows.row(id)[kMarksAt] |= kWaitingFlag;
    }
    changing_[taken->table->start] = taken->table;
    taken->table->changes.push_front(std::move(taken->changes));
  }
  taken_.clear();
  for (Table* table : touched_) {
    abort_table(*table);
  }
  touched_.clear();
  pending_bytes_ = 0;
  for (const std::unique_ptr<Table>& table : leaving_) {
    table->tombstones = table->tombstones_committed;
  }
  ++epoch_;
  stream_time_ = committed_stream_time_;
  complete_ = committed_complete_;
  recent_.fill(nullptr);
  std::erase_if(tables_, [](const auto& entry) { return entry.second->live_count == 0; });
}

void WindowStore::abort_table(Table& table) {
  const std::size_t cell_count = layout_.cell_count();
  const std::uint64_t* old_cells = table.undo.data();
  for (const RowId id : table.touched) {
    std::uint64_t* row = table.rows.row(id);
    std::copy_n(old_cells, cell_count, row + RowTable::kCellsAt);
    old_cells += cell_count;
    if (!exists(row)) {
      --table.live_count;
    }
  }
  for (const RowId id : table.changed) {
    table.rows.row(id)[kMarksAt] &= ~kWaitingFlag;
  }
  table.touched.clear();
  table.undo.clear();
  table.changed.clear();
}

void WindowStore::take_changes(TimePoint until, std::size_t count_max, std::vector<Changed>& into) {
  const std::size_t size_max = into.size() + count_max;
  for (auto at = changing_.begin(); at != changing_.end() && into.size() < size_max;) {
    Table& table = *at->second;
    const bool closed = windows_.is_closed(table.start, stream_time_);
    take_from(table, closed, until, size_max - into.size(), into);
    at = table.changes.empty() ? changing_.erase(at) : std::next(at);
  }
}

void WindowStore::take_from(Table& table, bool closed, TimePoint until, std::size_t count_max,
                            std::vector<Changed>& into) {
  while (!table.changes.empty() && count_max > 0) {
    Changes& oldest = table.changes.front();
    if (!closed && oldest.since > until) {
      return;
    }
    Changes part{oldest.since, oldest.changelog_begin, {}};
    if (oldest.rows.size() <= count_max) {
      part.rows = std::move(oldest.rows);
      table.changes.pop_front();
    } else {
      const auto cut = oldest.rows.end() - static_cast<std::ptrdiff_t>(count_max);
      part.rows.assign(cut, oldest.rows.end());
      oldest.rows.erase(cut, oldest.rows.end());
    }
    count_max -= part.rows.size();
    for (std::size_t index = 0; index < part.rows.size(); ++index) {
      if (index + kPrefetchDistance < part.rows.size()) {
        __builtin_prefetch(table.rows.row(part.rows[index + kPrefetchDistance]), 1);
      }
      std::uint64_t* row = table.rows.row(part.rows[index]);
      row[kMarksAt] &= ~kWaitingFlag;
      into.push_back({table.start, row});
    }
    taken_.push_back({&table, std::move(part)});
  }
}

std::optional<TimePoint> WindowStore::oldest_change() const {
  std::optional<TimePoint> oldest;
  for (const auto& [start, table] : changing_) {
    if (!oldest.has_value() || table->changes.front().since < *oldest) {
      oldest = table->changes.front().since;
    }
  }
  return oldest;
}

void WindowStore::list_uncommitted(std::vector<Changed>& into) const {
  for (const Table* table : touched_) {
    for (const RowId id : table->touched) {
      into.push_back({table->start, table->rows.row(id)});
    }
  }
}

void WindowStore::clear() {
  PENSTOCK_CHECK(!options_.track_changes && leaving_.empty());
  std::erase_if(tables_, [](const auto& entry) { return entry.second->rows.size() == 0; });
  for (auto& [start, table] : tables_) {
    table->rows.clear();
    table->order.clear();
    table->live_count = 0;
    table->touched.clear();
    table->undo.clear();
  }
  recent_.fill(nullptr);
  touched_.clear();
  pending_bytes_ = 0;
  ++epoch_;
}

bool WindowStore::is_evictable(const Table& table) const {
  return windows_.is_closed(table.start, committed_stream_time_) && table.changes.empty() &&
         table.touched.empty();
}

std::optional<Timestamp> WindowStore::oldest_evictable() const {
  if (tables_.empty() || !is_evictable(*tables_.begin()->second)) {
    return std::nullopt;
  }
  return tables_.begin()->first;
}

void WindowStore::evict_oldest() {
  PENSTOCK_CHECK(!has_uncommitted() && oldest_evictable().has_value());
  drop(tables_.begin());
}

void WindowStore::drop(TableMap::iterator at) {
  dropped_before_ = std::max(dropped_before_, windows_.end_of(at->first));
  at->second->order.clear();
  leaving_.push_back(std::move(at->second));
  tables_.erase(at);
  recent_.fill(nullptr);
  ++window_counts_.dropped;
}

void WindowStore::drop_expired() {
  if (!options_.retention.has_value() || stream_time_ == kNoStreamTime) {
    return;
  }
  while (!tables_.empty() && is_evictable(*tables_.begin()->second) &&
         windows_.end_of(tables_.begin()->first) + options_.retention->count() <= stream_time_) {
    drop(tables_.begin());
  }
}

void WindowStore::count_closed() {
  for (auto at = tables_.lower_bound(closed_before_);
       at != tables_.end() && windows_.is_closed(at->first, stream_time_); ++at) {
    ++window_counts_.closed;
    closed_before_ = windows_.end_of(at->first);
  }
}

std::uint64_t WindowStore::size_of(const Table& table) {
  std::uint64_t size = sizeof(Table) + table.rows.size_bytes() + table.order.size_bytes() +
                       (table.touched.capacity() + table.changed.capacity()) * sizeof(RowId) +
                       table.undo.capacity() * sizeof(std::uint64_t);
  for (const Changes& changes : table.changes) {
    size += sizeof(Changes) + changes.rows.capacity() * sizeof(RowId);
  }
  return size;
}

std::uint64_t WindowStore::size_bytes() const {
  std::uint64_t size = leaving_bytes();
  for (const auto& [start, table] : tables_) {
    size += size_of(*table);
  }
  return size;
}

std::uint64_t WindowStore::leaving_bytes() const {
  std::uint64_t size = 0;
  for (const std::unique_ptr<Table>& table : leaving_) {
    size += size_of(*table);
  }
  return size;
}

std::uint64_t WindowStore::entry_count() const {
  std::uint64_t count = 0;
  for (const auto& [start, table] : tables_) {
    count += table->live_count;
  }
  return count;
}

std::vector<CompleteTo> WindowStore::complete_to() const {
  std::vector<CompleteTo> complete;
  for (const auto& [partition, offset] : committed_complete_) {
    complete.push_back({options_.topic, partition, offset});
  }
  return complete;
}

StoreDescription WindowStore::describe() const {
  StoreDescription description;
  description.name = options_.name;
  description.kind = StoreKind::kWindow;
  description.topic = options_.topic;
  description.group_by = options_.group_by;
  description.window = options_.window;
  description.grace = options_.grace;
  description.retention = options_.retention;
  description.columns = options_.columns;
  return description;
}

std::unique_ptr<StoreScan> WindowStore::scan(ScanRequest request) const {
  return std::make_unique<WindowScan>(*this, std::move(request));
}

// What decides how the changelog is to be read: it must not change under existing state.
std::uint32_t WindowStore::definition_hash() const {
  std::string text = std::to_string(options_.window.count());
  for (const std::string& pointer : options_.group_by) {
    text += '\n' + pointer;
  }
  for (const AggregateColumn& column : options_.columns) {
    text += '\t' + std::string(to_string(column.kind)) + column.pointer;
  }
  return crc32c(as_bytes(text));
}

std::string WindowStore::metadata(Offset changelog_begin) const {
  StoreMetadata metadata;
  metadata.definition = definition_hash();
  metadata.stream_time = stream_time_;
  metadata.dropped_before = dropped_before_;
  metadata.changes_from = changelog_begin;
  metadata.complete = complete_;
  for (const auto& [start, table] : changing_) {
    metadata.changes_from = std::min(metadata.changes_from, table->changes.front().changelog_begin);
  }
  return format_store_metadata(metadata);
}

Status WindowStore::begin_restore(std::string_view text) {
  PENSTOCK_CHECK(tables_.empty());
  PENSTOCK_TRY_ASSIGN(const StoreMetadata metadata,
                      parse_store_metadata(text, options_.name, definition_hash()));
  stream_time_ = metadata.stream_time;
  for (const auto& [partition, offset] : metadata.complete) {
    complete_[partition] = offset;
  }
  dropped_before_ = kNoStreamTime;  // until finish_restore(): what is below still needs tombstones
  restore_dropped_before_ = metadata.dropped_before;
  restore_changes_from_ = metadata.changes_from;
  return {};
}

Status WindowStore::restore(const RecordBatchView& batch) {
  RecordReader reader(batch);
  for (RecordView record; reader.next(record);) {
    PENSTOCK_TRY(restore_record(record));
  }
  return reader.status();
}

Status WindowStore::restore_record(const RecordView& record) {
  constexpr std::size_t kStartSize = sizeof(std::int64_t);
  if (!record.key.has_value() || record.key->size() <= kStartSize) {
    return Error(ErrorCode::kInvalid, "changelog of store \"" + options_.name + "\", offset " +
                                          to_string(record.offset) + ": the key is too short");
  }
  const std::size_t key_size = record.key->size() - kStartSize;
  const Timestamp start{load_be<std::int64_t>(record.key->data() + key_size)};
  PENSTOCK_TRY_ASSIGN(const KeyView key, parse_tagged_key(record.key->first(key_size)));
  Table& table = table_for(start);
  table.rows.reserve(1);
  const RowId id = table.rows.find_or_insert(table.rows.pack(key));
  std::uint64_t* row = table.rows.row(id);
  std::uint64_t* cells = row + RowTable::kCellsAt;
  const bool existed = exists(row);
  if (record.value.has_value()) {
    PENSTOCK_TRY(layout_.decode(*record.value, cells));
  } else {
    std::fill_n(cells, layout_.cell_count(), 0);
  }
  table.live_count += static_cast<std::size_t>(exists(row)) - static_cast<std::size_t>(existed);
  if (options_.track_changes && record.offset >= restore_changes_from_ && exists(row) &&
      (row[kMarksAt] & kWaitingFlag) == 0) {
    row[kMarksAt] |= kWaitingFlag;
    table.changed.push_back(id);
  }
  return {};
}

void WindowStore::finish_restore(TimePoint now) {
  committed_stream_time_ = stream_time_;
  committed_complete_ = complete_;
  std::erase_if(tables_, [](const auto& entry) { return entry.second->live_count == 0; });
  recent_.fill(nullptr);
  while (!tables_.empty() && tables_.begin()->first < restore_dropped_before_) {
    tables_.begin()->second->changed.clear();
    drop(tables_.begin());
    --window_counts_.dropped;  // it was counted when it was dropped first
  }
  dropped_before_ = restore_dropped_before_;
  for (auto& [start, table] : tables_) {
    if (!table->changed.empty()) {
      table->changes.push_back({now, restore_changes_from_, std::move(table->changed)});
      changing_[start] = table.get();
    }
    table->changed.clear();
    if (windows_.is_closed(start, stream_time_)) {
      closed_before_ = windows_.end_of(start);
    }
  }
}

}  // namespace penstock::store
