#include "store/memory_key_value_store.h"

#include <utility>

namespace penstock::store {

MemoryKeyValueStore::MemoryKeyValueStore(std::string name)
    : MemoryStore(std::move(name), "bytes by key") {}

std::optional<StoredValue> MemoryKeyValueStore::get(ByteView key) const {
  const JournalRow* row = map_.find(as_text(key));
  return row == nullptr ? std::nullopt : std::optional(stored(*row));
}

void MemoryKeyValueStore::put(ByteView key, std::optional<ByteView> value, Timestamp timestamp) {
  if (value.has_value()) {
    map_.put(as_text(key), *value, timestamp);
  } else {
    map_.erase(as_text(key), timestamp);
  }
}

MemoryKeyValueStore::Rows::const_iterator MemoryKeyValueStore::first_of(
    const KeyRange& range) const {
  return range.from.has_value() ? map_.rows().lower_bound(as_text(*range.from))
                                : map_.rows().begin();
}

MemoryKeyValueStore::Rows::const_iterator MemoryKeyValueStore::end_of(const KeyRange& range) const {
  return range.to.has_value() ? map_.rows().upper_bound(as_text(*range.to)) : map_.rows().end();
}

void MemoryKeyValueStore::visit(const KeyRange& range, KeyValueBytes::Visitor visitor) const {
  if (range.from.has_value() && range.to.has_value() && as_text(*range.to) < as_text(*range.from)) {
    return;
  }
  const auto end = end_of(range);
  for (auto at = first_of(range); at != end; ++at) {
    if (at->second.is_present && !visitor(as_bytes(at->first), stored(at->second))) {
      return;
    }
  }
}

void MemoryKeyValueStore::visit_backward(const KeyRange& range,
                                         KeyValueBytes::Visitor visitor) const {
  if (range.from.has_value() && range.to.has_value() && as_text(*range.to) < as_text(*range.from)) {
    return;
  }
  const auto begin = first_of(range);
  for (auto at = end_of(range); at != begin;) {
    --at;
    if (at->second.is_present && !visitor(as_bytes(at->first), stored(at->second))) {
      return;
    }
  }
}

void MemoryKeyValueStore::encode_key(const std::string& key, Bytes& to) const {
  const ByteView bytes = as_bytes(key);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

bool MemoryKeyValueStore::restore_row(ByteView key, std::optional<ByteView> value,
                                      Timestamp timestamp) {
  put(key, value, timestamp);
  return true;
}

void MemoryKeyValueStore::visit_entries(ByteView from, const ByteScan::Visitor& visitor) const {
  visit({.from = from, .to = std::nullopt}, [&](ByteView key, const StoredValue& stored) {
    return visitor({key, std::nullopt, stored.value, stored.timestamp});
  });
}

}  // namespace penstock::store
