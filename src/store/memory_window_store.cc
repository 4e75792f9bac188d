#include "store/memory_window_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/check.h"

namespace penstock::store {

std::string MemoryWindowStore::definition(const Options& options) {
  return "bytes by key and window " + std::to_string(options.window.count()) +
         (options.duplicates == Duplicates::kKeep ? " with duplicates" : "");
}

MemoryWindowStore::MemoryWindowStore(Options options)
    : MemoryStore(options.name, definition(options)), options_(std::move(options)) {}

Timestamp MemoryWindowStore::first_live() const {
  return Timestamp(latest_start_ - options_.retention.count() + 1);
}

std::optional<StoredValue> MemoryWindowStore::fetch(ByteView key, Timestamp start) const {
  if (start < first_live()) {
    return std::nullopt;
  }
  const JournalRow* row = map_.find(WindowKeyView{as_text(key), start.value()});
  return row == nullptr ? std::nullopt : std::optional(stored(*row));
}

bool MemoryWindowStore::put(ByteView key, Timestamp start, std::optional<ByteView> value,
                            Timestamp timestamp) {
  latest_start_ = std::max(latest_start_, start.value());
  if (start < first_live()) {
    return false;
  }
  WindowKeyView at{as_text(key), start.value()};
  if (value.has_value()) {
    if (options_.duplicates == Duplicates::kKeep) {
      last_number_ = (last_number_ + 1) & kLastWindowNumber;
      at.number = last_number_;
    }
    if (const WindowKey* added = map_.put(at, *value, timestamp)) {
      by_time_.insert(added);
    }
  } else if (options_.duplicates == Duplicates::kReplace && map_.erase(at, timestamp)) {
    by_time_.erase(&map_.rows().find(at)->first);
  }
  return true;
}

void MemoryWindowStore::visit_key(ByteView key, Timestamp from, Timestamp to,
                                  WindowBytes::KeyVisitor visitor) const {
  from = std::max(from, first_live());
  const std::string_view text = as_text(key);
  for (auto at = map_.rows().lower_bound(WindowKeyView{text, from.value()});
       at != map_.rows().end() && at->first.key == text && at->first.start <= to.value(); ++at) {
    if (at->second.is_present && !visitor(Timestamp(at->first.start), stored(at->second))) {
      return;
    }
  }
}

void MemoryWindowStore::visit_key_backward(ByteView key, Timestamp from, Timestamp to,
                                           WindowBytes::KeyVisitor visitor) const {
  from = std::max(from, first_live());
  if (to < from) {
    return;
  }
  const std::string_view text = as_text(key);
  const auto begin = map_.rows().lower_bound(WindowKeyView{text, from.value()});
  for (auto at = map_.rows().upper_bound(WindowKeyView{text, to.value(), kLastWindowNumber});
       at != begin;) {
    --at;
    if (at->second.is_present && !visitor(Timestamp(at->first.start), stored(at->second))) {
      return;
    }
  }
}

void MemoryWindowStore::visit_time(Timestamp from, Timestamp to,
                                   WindowBytes::Visitor visitor) const {
  const WindowKey first(WindowKeyView{{}, from.value()});
  for (auto at = by_time_.lower_bound(&first); at != by_time_.end() && (*at)->start <= to.value();
       ++at) {
    const WindowKey& key = **at;
    if (!visitor(as_bytes(key.key), Timestamp(key.start), stored(*map_.find(key.view())))) {
      return;
    }
  }
}

void MemoryWindowStore::visit_all(WindowBytes::Visitor visitor) const {
  const Timestamp live = first_live();
  for (const auto& [key, row] : map_.rows()) {
    if (row.is_present && key.start >= live.value() &&
        !visitor(as_bytes(key.key), Timestamp(key.start), stored(row))) {
      return;
    }
  }
}

void MemoryWindowStore::expire(Timestamp before) {
  const std::int64_t live = std::min(first_live(), before).value();
  while (!by_time_.empty() && (*by_time_.begin())->start < live) {
    const WindowKey& key = **by_time_.begin();
    const bool erased = map_.erase(key.view(), Timestamp(latest_start_));
    PENSTOCK_CHECK(erased);
    by_time_.erase(by_time_.begin());
  }
}

std::string MemoryWindowStore::metadata(Offset /*changelog_begin*/) const {
  StoreMetadata metadata = known();
  metadata.last_number = last_number_;
  return format_store_metadata(metadata);
}

void MemoryWindowStore::commit(TimePoint now, Offset changelog_begin) {
  MemoryStore::commit(now, changelog_begin);
  committed_latest_start_ = latest_start_;
  committed_last_number_ = last_number_;
}

void MemoryWindowStore::abort() {
  MemoryStore::abort();
  latest_start_ = committed_latest_start_;
  last_number_ = committed_last_number_;
}

Status MemoryWindowStore::begin_restore(std::string_view text) {
  PENSTOCK_TRY_ASSIGN(const StoreMetadata metadata, begin_with(text));
  last_number_ = metadata.last_number;
  committed_last_number_ = last_number_;
  return {};
}

void MemoryWindowStore::finish_restore(TimePoint now) {
  MemoryStore::finish_restore(now);
  committed_latest_start_ = latest_start_;
}

void MemoryWindowStore::encode_key(const WindowKey& key, Bytes& to) const {
  append_window_key(key.view(), to);
}

bool MemoryWindowStore::restore_row(ByteView key, std::optional<ByteView> value,
                                    Timestamp timestamp) {
  const std::optional<WindowKeyView> parsed = parse_window_key(key);
  if (!parsed.has_value()) {
    return false;
  }
  const WindowKeyView& at = *parsed;
  latest_start_ = std::max(latest_start_, at.start);
  if (value.has_value()) {
    if (const WindowKey* added = map_.put(at, *value, timestamp)) {
      by_time_.insert(added);
    }
  } else if (map_.erase(at, timestamp)) {
    by_time_.erase(&map_.rows().find(at)->first);
  }
  return true;
}

void MemoryWindowStore::visit_entries(ByteView from, const ByteScan::Visitor& visitor) const {
  const std::int64_t live = first_live().value();
  for (auto at = map_.rows().lower_bound(
           WindowKeyView{as_text(from), std::numeric_limits<std::int64_t>::min()});
       at != map_.rows().end(); ++at) {
    const auto& [key, row] = *at;
    const Window window{Timestamp(key.start), Timestamp(key.start) + options_.window.count()};
    if (row.is_present && key.start >= live &&
        !visitor({as_bytes(key.key), window, as_bytes(row.value), row.timestamp})) {
      return;
    }
  }
}

void MemoryWindowStore::row_appeared(const WindowKey& key) {
  by_time_.insert(&key);
}

void MemoryWindowStore::row_vanished(const WindowKey& key) {
  by_time_.erase(&key);
}

}  // namespace penstock::store
