#include "store/memory_versioned_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/check.h"

namespace penstock::store {

namespace {

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
constexpr char kNothing = 0;
constexpr char kValue = 1;

std::optional<StoredValue> stored_version(const VersionKey& key, const JournalRow& row) {
  if (row.value.front() == kNothing) {
    return std::nullopt;
  }
  return StoredValue{as_bytes(row.value).subspan(1), Timestamp(key.time)};
}

}  // namespace

MemoryVersionedStore::MemoryVersionedStore(std::string name, std::chrono::milliseconds history)
    : MemoryStore(std::move(name), "bytes by key and version"), history_(history) {}

Timestamp MemoryVersionedStore::history_begin() const {
  return Timestamp(latest_time_ - history_.count());
}

MemoryVersionedStore::Rows::const_iterator MemoryVersionedStore::find(std::string_view key,
                                                                      std::int64_t time) const {
  const Rows& rows = map_.rows();
  auto at = rows.upper_bound(VersionKeyView{key, time});
  while (at != rows.begin()) {
    --at;
    if (at->first.key != key) {
      break;
    }
    if (at->second.is_present) {
      return at;
    }
  }
  return rows.end();
}

std::optional<StoredValue> MemoryVersionedStore::get(ByteView key) const {
  const auto found = find(as_text(key), kForever);
  return found == map_.rows().end() ? std::nullopt : stored_version(found->first, found->second);
}

std::optional<StoredValue> MemoryVersionedStore::get(ByteView key, Timestamp as_of) const {
  if (as_of < history_begin()) {
    const std::optional<StoredValue> latest = get(key);
    return latest.has_value() && latest->timestamp <= as_of ? latest : std::nullopt;
  }
  const auto found = find(as_text(key), as_of.value());
  return found == map_.rows().end() ? std::nullopt : stored_version(found->first, found->second);
}

VersionedBytes::Put MemoryVersionedStore::put(ByteView key, std::optional<ByteView> value,
                                              Timestamp timestamp) {
  if (timestamp < history_begin()) {
    return Put::kExpired;
  }
  latest_time_ = std::max(latest_time_, timestamp.value());
  const std::string_view text = as_text(key);
  write({text, timestamp.value()}, value);
  const bool is_latest = find(text, kForever)->first.time == timestamp.value();
  forget_history();
  return is_latest ? Put::kLatest : Put::kOutdated;
}

void MemoryVersionedStore::write(const VersionKeyView& at, std::optional<ByteView> value) {
  value_.assign(1, value.has_value() ? kValue : kNothing);
  value_.append(as_text(value.value_or(ByteView())));
  if (const VersionKey* added = map_.put(at, as_bytes(value_), Timestamp(at.time))) {
    by_time_.insert(added);
  }
}

void MemoryVersionedStore::erase(const VersionKey& key) {
  by_time_.erase(&key);
  const bool erased = map_.erase(key.view(), Timestamp(latest_time_));
  PENSTOCK_CHECK(erased);
}

void MemoryVersionedStore::forget_history() {
  const std::int64_t begin = history_begin().value();
  while (!by_time_.empty() && (*by_time_.begin())->time < begin) {
    const VersionKey& key = **by_time_.begin();
    by_time_.erase(by_time_.begin());
    settled_.push_back(&key);
    if (const auto before = find(key.key, key.time - 1); before != map_.rows().end()) {
      erase(before->first);
    }
    if (map_.find(key.view())->value.front() == kNothing) {
      erase(key);
    }
  }
}

void MemoryVersionedStore::commit(TimePoint now, Offset changelog_begin) {
  settled_.clear();
  MemoryStore::commit(now, changelog_begin);
  committed_latest_time_ = latest_time_;
}

void MemoryVersionedStore::abort() {
  // Before the rows that were added go, which takes them off again. Those that were removed come
  // back by row_appeared(), or never were.
  for (const VersionKey* key : settled_) {
    if (map_.find(key->view()) != nullptr) {
      by_time_.insert(key);
    }
  }
  settled_.clear();
  MemoryStore::abort();
  latest_time_ = committed_latest_time_;
}

void MemoryVersionedStore::finish_restore(TimePoint now) {
  MemoryStore::finish_restore(now);
  committed_latest_time_ = latest_time_;
}

void MemoryVersionedStore::encode_key(const VersionKey& key, Bytes& to) const {
  const ByteView bytes = as_bytes(key.key);
  to.insert(to.end(), bytes.begin(), bytes.end());
  to.resize(to.size() + sizeof(std::int64_t));
  store_be<std::int64_t>(to.data() + to.size() - sizeof(std::int64_t), key.time);
}

bool MemoryVersionedStore::restore_row(ByteView key, std::optional<ByteView> value,
                                       Timestamp timestamp) {
  constexpr std::size_t kSuffixSize = sizeof(std::int64_t);
  if (key.size() < kSuffixSize || (value.has_value() && value->empty())) {
    return false;
  }
  const VersionKeyView at{as_text(key.first(key.size() - kSuffixSize)),
                          load_be<std::int64_t>(key.data() + key.size() - kSuffixSize)};
  latest_time_ = std::max(latest_time_, at.time);
  if (!value.has_value()) {
    // Also where compaction has left the tombstone alone.
    if (const JournalRow* row = map_.find(at); row != nullptr) {
      erase(map_.rows().find(at)->first);
    }
  } else if (const VersionKey* added = map_.put(at, *value, timestamp)) {
    by_time_.insert(added);
  }
  return true;
}

void MemoryVersionedStore::visit_entries(ByteView from, const ByteScan::Visitor& visitor) const {
  const Rows& rows = map_.rows();
  auto at =
      rows.lower_bound(VersionKeyView{as_text(from), std::numeric_limits<std::int64_t>::min()});
  while (at != rows.end()) {
    const std::string& key = at->first.key;
    const auto latest = find(key, kForever);
    if (latest != rows.end()) {
      const auto stored = stored_version(latest->first, latest->second);
      if (stored.has_value() &&
          !visitor({as_bytes(key), std::nullopt, stored->value, stored->timestamp})) {
        return;
      }
    }
    at = rows.upper_bound(VersionKeyView{key, kForever});
  }
}

void MemoryVersionedStore::row_appeared(const VersionKey& key) {
  by_time_.insert(&key);
}

void MemoryVersionedStore::row_vanished(const VersionKey& key) {
  by_time_.erase(&key);
}

}  // namespace penstock::store
