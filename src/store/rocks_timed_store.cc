#include "store/rocks_timed_store.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "store/ordered_key.h"

namespace penstock::store {

namespace {

constexpr char kEntry = 't';
constexpr std::size_t kErasedAtOnce = 1024;

}  // namespace

std::string RocksTimedStore::begin_row(ByteView key) {
  std::string row(1, kRow);
  append_ordered(row, as_text(key));
  return row;
}

std::string RocksTimedStore::begin_entry(std::int64_t time) {
  std::string entry(1, kEntry);
  append_ordered(entry, time);
  return entry;
}

bool RocksTimedStore::note_time(std::int64_t time) {
  state_.latest = std::max(state_.latest, time);
  return time >= first_live();
}

void RocksTimedStore::change(const Keys& keys, std::optional<ByteView> value, Timestamp timestamp) {
  if (!value.has_value()) {
    if (table().erase(keys.row, timestamp)) {
      table().erase_unseen(keys.entry);
      --state_.count;
    }
    return;
  }
  if (table().put(keys.row, *value, timestamp)) {
    table().put_unseen(keys.entry, as_bytes(keys.row));
    ++state_.count;
    state_.oldest = std::min(state_.oldest, keys.time);
  }
}

std::optional<StoredValue> RocksTimedStore::find(const std::string& row) const {
  const RocksTable::Row* found = table().find(row);
  return found == nullptr ? std::nullopt
                          : std::optional(StoredValue{as_bytes(found->value), found->timestamp});
}

void RocksTimedStore::visit_times(std::int64_t from, std::int64_t to, RowVisitor visitor) const {
  const bool is_open = to == std::numeric_limits<std::int64_t>::max();
  const std::string end = is_open ? std::string(1, kEntry + 1) : begin_entry(to + 1);
  std::string memory;
  table().visit({begin_entry(from), end}, [&](std::string_view, const StoredValue& entry) {
    const std::string_view row = as_text(entry.value);
    const auto value = table().read(row, memory);
    return !value.has_value() || visitor(row, *value);
  });
}

void RocksTimedStore::erase_before(std::int64_t time) {
  if (time > state_.oldest) {
    erase_between(state_.oldest, time);
    state_.oldest = time;
  }
}

// What expired long ago has left marks in the database: they are not gone over again.
void RocksTimedStore::erase_between(std::int64_t from, std::int64_t to) {
  const std::string end = begin_entry(to);
  std::string next = begin_entry(from);
  std::vector<Keys> found;
  do {
    found.clear();
    table().visit({next, end}, [&](std::string_view entry, const StoredValue& row) {
      found.push_back({std::string(as_text(row.value)), std::string(entry)});
      return found.size() < kErasedAtOnce;
    });
    for (const Keys& keys : found) {
      change(keys, std::nullopt, Timestamp(state_.latest));
      next = keys.entry;
    }
  } while (found.size() == kErasedAtOnce);
}

}  // namespace penstock::store
