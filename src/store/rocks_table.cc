#include "store/rocks_table.h"

#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/iterator.h>
#include <rocksdb/write_batch.h>

#include "core/check.h"
#include "store/rocks_environment.h"

namespace penstock::store {

namespace {

// A node of the map, its row and key objects, about.
constexpr std::uint64_t kRowOverhead = 160;
// Less than the keys of all rows, which begin with a letter.
constexpr std::string_view kNoteKey = "!";
constexpr std::size_t kTimestampSize = sizeof(std::int64_t);

rocksdb::Slice slice_of(std::string_view text) {
  return {text.data(), text.size()};
}

std::string_view text_of(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// In the database: int64 timestamp | value.
StoredValue decode(std::string_view stored) {
  const ByteView bytes = as_bytes(stored);
  PENSTOCK_CHECK(bytes.size() >= kTimestampSize);
  return {bytes.subspan(kTimestampSize), Timestamp(load_be<std::int64_t>(bytes.data()))};
}

void encode(const RocksTable::Row& row, std::string& to) {
  std::byte timestamp[kTimestampSize];
  store_be<std::int64_t>(timestamp, row.timestamp.value());
  to.assign(as_text(timestamp));
  to += row.value;
}

}  // namespace

// Goes over the changed rows above the database and those in it at the same time.
class RocksTable::Cursor {
 public:
  Cursor(const RocksTable& table, const Range& range)
      : table_(table),
        range_(range),
        from_slice_(slice_of(range_.from)),
        end_slice_(slice_of(range_.end)),
        above_(is_forward() ? table.rows_.lower_bound(range.from)
                            : table.rows_.lower_bound(range.end)) {
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &from_slice_;
    options.iterate_upper_bound = &end_slice_;
    stored_.reset(table.database_->NewIterator(options));
    if (is_forward()) {
      stored_->SeekToFirst();
    } else {
      stored_->SeekToLast();
    }
  }

  // Moves on to the next row that is there. False: there is none.
  [[nodiscard]] bool next() {
    while (true) {
      if (std::exchange(stored_is_used_, false)) {
        is_forward() ? stored_->Next() : stored_->Prev();
      }
      const Rows::value_type* const above = next_above();
      if (above == nullptr && !stored_->Valid()) {
        table_.fail(stored_->status());
        return false;
      }
      const int order = compare(above);
      if (order >= 0) {
        stored_is_used_ = true;
      }
      if (order > 0) {
        key_ = text_of(stored_->key());
        value_ = decode(text_of(stored_->value()));
        return true;
      }
      take_above();
      if (above->second.is_present) {
        key_ = above->first;
        value_ = {as_bytes(above->second.value), above->second.timestamp};
        return true;
      }
    }
  }

  [[nodiscard]] std::string_view key() const { return key_; }

  [[nodiscard]] const StoredValue& value() const { return value_; }

 private:
  [[nodiscard]] bool is_forward() const { return range_.order == Order::kForward; }

  // The next changed row above the database; null if there is none.
  [[nodiscard]] const Rows::value_type* next_above() {
    const Rows& rows = table_.rows_;
    if (is_forward()) {
      while (above_ != rows.end() && !above_->second.is_changed) {
        ++above_;
      }
      return above_ != rows.end() && above_->first < range_.end ? &*above_ : nullptr;
    }
    while (above_ != rows.begin() && !std::prev(above_)->second.is_changed) {
      --above_;
    }
    return above_ != rows.begin() && std::prev(above_)->first >= range_.from ? &*std::prev(above_)
                                                                             : nullptr;
  }

  void take_above() { is_forward() ? ++above_ : --above_; }

  // Negative: the row above comes first; 0: it is the newer one of two.
  [[nodiscard]] int compare(const Rows::value_type* above) const {
    if (above == nullptr) {
      return 1;
    }
    if (!stored_->Valid()) {
      return -1;
    }
    const int order = std::string_view(above->first).compare(text_of(stored_->key()));
    return is_forward() ? order : -order;
  }

  const RocksTable& table_;
  const Range& range_;
  const rocksdb::Slice from_slice_;
  const rocksdb::Slice end_slice_;
  Rows::const_iterator above_;  // backward: the one after the next
  std::unique_ptr<rocksdb::Iterator> stored_;
  bool stored_is_used_ = false;
  std::string_view key_;
  StoredValue value_;
};

RocksTable::RocksTable(std::unique_ptr<rocksdb::DB> database) : database_(std::move(database)) {}

RocksTable::~RocksTable() = default;

RocksTable::Row& RocksTable::load(std::string_view key) const {
  const auto at = rows_.lower_bound(key);
  if (at != rows_.end() && at->first == key) {
    return at->second;
  }
  Row& row = rows_.emplace_hint(at, key, Row())->second;
  size_bytes_ += kRowOverhead + key.size();
  if (const auto stored = read(key, row.value); stored.has_value()) {
    row.timestamp = stored->timestamp;
    row.value.erase(0, kTimestampSize);
    row.is_present = true;
    row.was_present = true;
    size_bytes_ += row.value.size();
  }
  return row;
}

const RocksTable::Row* RocksTable::find(std::string_view key) const {
  const Row& row = load(key);
  return row.is_present ? &row : nullptr;
}

std::optional<StoredValue> RocksTable::read(std::string_view key, std::string& memory) const {
  if (const auto at = rows_.find(key); at != rows_.end() && at->second.is_changed) {
    const Row& row = at->second;
    return row.is_present ? std::optional(StoredValue{as_bytes(row.value), row.timestamp})
                          : std::nullopt;
  }
  const rocksdb::Status got = database_->Get(rocksdb::ReadOptions(), slice_of(key), &memory);
  if (!got.ok()) {
    memory.clear();
    if (!got.IsNotFound()) {
      fail(got);
    }
    return std::nullopt;
  }
  return decode(memory);
}

RocksTable::Row& RocksTable::change(Row& row) {
  change_count_ += static_cast<std::size_t>(!row.is_changed);
  row.is_changed = true;
  return row;
}

void RocksTable::set_value(Row& row, ByteView value) {
  size_bytes_ += value.size();
  size_bytes_ -= row.value.size();
  row.value.assign(as_text(value));
}

bool RocksTable::put(std::string_view key, ByteView value, Timestamp timestamp) {
  Row& row = change(load(key));
  set_value(row, value);
  row.timestamp = timestamp;
  return !std::exchange(row.is_present, true);
}

bool RocksTable::erase(std::string_view key, Timestamp timestamp) {
  Row& row = load(key);
  if (!row.is_present) {
    return false;
  }
  change(row);
  set_value(row, {});
  row.timestamp = timestamp;
  row.is_present = false;
  return true;
}

void RocksTable::put_unseen(std::string_view key, ByteView value) {
  const auto [at, added] = rows_.try_emplace(std::string(key));
  size_bytes_ += added ? kRowOverhead + key.size() : 0;
  Row& row = change(at->second);
  set_value(row, value);
  row.is_present = true;
}

void RocksTable::erase_unseen(std::string_view key) {
  put_unseen(key, {});
  Row& row = rows_.find(key)->second;
  row.is_present = false;
  row.was_present = true;
}

void RocksTable::visit(const Range& range, Visitor visitor) const {
  if (range.end <= range.from) {
    return;
  }
  Cursor cursor(*this, range);
  while (cursor.next() && visitor(cursor.key(), cursor.value())) {
  }
}

void RocksTable::visit_changes(std::string_view from, std::string_view end,
                               ChangeVisitor visitor) const {
  for (auto at = rows_.lower_bound(from); at != rows_.end() && at->first < end; ++at) {
    const Row& row = at->second;
    if (row.is_changed && (row.is_present || row.was_present)) {
      visitor(at->first, row);
    }
  }
}

std::optional<std::string> RocksTable::note() const {
  std::string note;
  const rocksdb::Status got = database_->Get(rocksdb::ReadOptions(), slice_of(kNoteKey), &note);
  if (got.ok()) {
    return note;
  }
  if (!got.IsNotFound()) {
    fail(got);
  }
  return std::nullopt;
}

void RocksTable::commit(std::string_view note) {
  rocksdb::WriteBatch batch;
  rocksdb::Status written;
  std::string value;
  visit_changes("", "\xff", [&](std::string_view key, const Row& row) {
    if (row.is_present) {
      encode(row, value);
    }
    const rocksdb::Status added =
        row.is_present ? batch.Put(slice_of(key), slice_of(value)) : batch.Delete(slice_of(key));
    written = written.ok() ? added : written;
  });
  const rocksdb::Status noted = batch.Put(slice_of(kNoteKey), slice_of(note));
  written = written.ok() ? noted : written;
  if (written.ok()) {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    written = database_->Write(options, &batch);
  }
  fail(written);
  clear();
}

void RocksTable::abort() {
  clear();
}

// The first failure counts.
void RocksTable::fail(const rocksdb::Status& status) const {
  if (!status.ok() && status_.has_value()) {
    status_ = rocks_error(status);
  }
}

void RocksTable::clear() {
  rows_.clear();
  change_count_ = 0;
  size_bytes_ = 0;
}

}  // namespace penstock::store
