#include "store/memory_session_store.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "core/check.h"

namespace penstock::store {

namespace {

SessionKeyView view_of(ByteView key, SessionSpan session) {
  return {as_text(key), session.end.value(), session.start.value()};
}

}  // namespace

bool MemorySessionStore::ByTime::operator()(const SessionKey* left, const SessionKey* right) const {
  return std::tie(left->end, left->start, left->key) <
         std::tie(right->end, right->start, right->key);
}

MemorySessionStore::MemorySessionStore(std::string name, std::chrono::milliseconds retention)
    : MemoryStore(std::move(name), "bytes by key and session"), retention_(retention) {}

Timestamp MemorySessionStore::first_live() const {
  return Timestamp(latest_end_ - retention_.count() + 1);
}

std::optional<StoredValue> MemorySessionStore::fetch(ByteView key, SessionSpan session) const {
  if (session.end < first_live()) {
    return std::nullopt;
  }
  const JournalRow* row = map_.find(view_of(key, session));
  return row == nullptr ? std::nullopt : std::optional(stored(*row));
}

bool MemorySessionStore::put(ByteView key, SessionSpan session, std::optional<ByteView> value,
                             Timestamp timestamp) {
  latest_end_ = std::max(latest_end_, session.end.value());
  if (session.end < first_live()) {
    return false;
  }
  const SessionKeyView at = view_of(key, session);
  if (value.has_value()) {
    if (const SessionKey* added = map_.put(at, *value, timestamp)) {
      by_time_.insert(added);
    }
  } else if (map_.erase(at, timestamp)) {
    by_time_.erase(&map_.rows().find(at)->first);
  }
  return true;
}

void MemorySessionStore::visit_key(ByteView key, Timestamp end_min, Timestamp start_max,
                                   SessionBytes::KeyVisitor visitor) const {
  end_min = std::max(end_min, first_live());
  const std::string_view text = as_text(key);
  const SessionKeyView first{text, end_min.value(), std::numeric_limits<std::int64_t>::min()};
  for (auto at = map_.rows().lower_bound(first); at != map_.rows().end() && at->first.key == text;
       ++at) {
    if (at->second.is_present && at->first.start <= start_max.value() &&
        !visitor(at->first.span(), stored(at->second))) {
      return;
    }
  }
}

void MemorySessionStore::visit_ended(Timestamp from, Timestamp to,
                                     SessionBytes::Visitor visitor) const {
  const SessionKey first(
      SessionKeyView{{}, from.value(), std::numeric_limits<std::int64_t>::min()});
  for (auto at = by_time_.lower_bound(&first); at != by_time_.end() && (*at)->end <= to.value();
       ++at) {
    const SessionKey& key = **at;
    if (!visitor(as_bytes(key.key), key.span(), stored(*map_.find(key.view())))) {
      return;
    }
  }
}

void MemorySessionStore::visit_all(SessionBytes::Visitor visitor) const {
  const Timestamp live = first_live();
  for (const auto& [key, row] : map_.rows()) {
    if (row.is_present && key.end >= live.value() &&
        !visitor(as_bytes(key.key), key.span(), stored(row))) {
      return;
    }
  }
}

void MemorySessionStore::expire(Timestamp before) {
  const std::int64_t live = std::min(first_live(), before).value();
  while (!by_time_.empty() && (*by_time_.begin())->end < live) {
    const SessionKey& key = **by_time_.begin();
    const bool erased = map_.erase(key.view(), Timestamp(latest_end_));
    PENSTOCK_CHECK(erased);
    by_time_.erase(by_time_.begin());
  }
}

void MemorySessionStore::commit(TimePoint now, Offset changelog_begin) {
  MemoryStore::commit(now, changelog_begin);
  committed_latest_end_ = latest_end_;
}

void MemorySessionStore::abort() {
  MemoryStore::abort();
  latest_end_ = committed_latest_end_;
}

void MemorySessionStore::finish_restore(TimePoint now) {
  MemoryStore::finish_restore(now);
  committed_latest_end_ = latest_end_;
}

void MemorySessionStore::encode_key(const SessionKey& key, Bytes& to) const {
  append_session_key(key.view(), to);
}

bool MemorySessionStore::restore_row(ByteView key, std::optional<ByteView> value,
                                     Timestamp timestamp) {
  const std::optional<SessionKeyView> parsed = parse_session_key(key);
  if (!parsed.has_value()) {
    return false;
  }
  const SessionKeyView& at = *parsed;
  latest_end_ = std::max(latest_end_, at.end);
  if (value.has_value()) {
    if (const SessionKey* added = map_.put(at, *value, timestamp)) {
      by_time_.insert(added);
    }
  } else if (map_.erase(at, timestamp)) {
    by_time_.erase(&map_.rows().find(at)->first);
  }
  return true;
}

void MemorySessionStore::visit_entries(ByteView from, const ByteScan::Visitor& visitor) const {
  const std::int64_t live = first_live().value();
  const SessionKeyView first{as_text(from), std::numeric_limits<std::int64_t>::min(), 0};
  for (auto at = map_.rows().lower_bound(first); at != map_.rows().end(); ++at) {
    const auto& [key, row] = *at;
    const Window window{Timestamp(key.start), Timestamp(key.end)};
    if (row.is_present && key.end >= live &&
        !visitor({as_bytes(key.key), window, as_bytes(row.value), row.timestamp})) {
      return;
    }
  }
}

void MemorySessionStore::row_appeared(const SessionKey& key) {
  by_time_.insert(&key);
}

void MemorySessionStore::row_vanished(const SessionKey& key) {
  by_time_.erase(&key);
}

}  // namespace penstock::store
