// KeyValueStore, VersionedStore, WindowStore, SessionStore: byte stores with the types that a step
// knows.
//
// What a processor of one's own gets of its context, and what tests look into.
//
// Threads   one.
// Lifetime  the byte store outlives them.
// Errors    a value that cannot be decoded was written by another program version: checked, as the
//           store is the program's own.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "core/check.h"
#include "dsl/record.h"
#include "dsl/serde.h"
#include "dsl/windows.h"
#include "store/byte_stores.h"
#include "store/versioned_bytes.h"

namespace penstock::dsl {

namespace internal {

template <typename T>
[[nodiscard]] T decode_own(ByteView bytes) {
  std::optional<T> decoded = Serde<T>::decode(bytes);
  PENSTOCK_CHECK(decoded.has_value());
  return *std::move(decoded);
}

template <typename V>
[[nodiscard]] std::optional<ValueAndTimestamp<V>> decode_stored(
    const std::optional<store::StoredValue>& stored) {
  if (!stored.has_value()) {
    return std::nullopt;
  }
  return ValueAndTimestamp<V>{decode_own<V>(stored->value), stored->timestamp};
}

}  // namespace internal

template <typename K, typename V>
class KeyValueStore {
 public:
  using Stored = ValueAndTimestamp<V>;

  explicit KeyValueStore(store::KeyValueBytes& bytes) : bytes_(bytes) {}

  [[nodiscard]] std::optional<Stored> get(const K& key) const {
    return internal::decode_stored<V>(bytes_.get(encode(key)));
  }

  // Null removes the key.
  void put(const K& key, const V* value, Timestamp timestamp) {
    if (value == nullptr) {
      bytes_.put(encode(key), std::nullopt, timestamp);
      return;
    }
    value_.clear();
    Serde<V>::encode(*value, value_);
    bytes_.put(encode(key), ByteView(value_), timestamp);
  }

  void put(const K& key, const V& value, Timestamp timestamp) { put(key, &value, timestamp); }

  void erase(const K& key, Timestamp timestamp) { put(key, nullptr, timestamp); }

  // All entries in the order of the keys' bytes; or those in [from, to].
  [[nodiscard]] std::vector<std::pair<K, Stored>> all() const { return collect({}); }

  [[nodiscard]] std::vector<std::pair<K, Stored>> range(const K& from, const K& to) const {
    Bytes first;
    Bytes last;
    Serde<K>::encode(from, first);
    Serde<K>::encode(to, last);
    return collect({ByteView(first), ByteView(last)});
  }

  [[nodiscard]] store::StepTimes& times() { return bytes_.times(); }

 private:
  [[nodiscard]] ByteView encode(const K& key) const {
    key_.clear();
    Serde<K>::encode(key, key_);
    return key_;
  }

  [[nodiscard]] std::vector<std::pair<K, Stored>> collect(const store::KeyRange& range) const {
    std::vector<std::pair<K, Stored>> entries;
    bytes_.visit(range, [&](ByteView key, const store::StoredValue& stored) {
      entries.emplace_back(internal::decode_own<K>(key),
                           Stored{internal::decode_own<V>(stored.value), stored.timestamp});
      return true;
    });
    return entries;
  }

  store::KeyValueBytes& bytes_;
  mutable Bytes key_;
  Bytes value_;
};

// See store/versioned_bytes.h.
template <typename K, typename V>
class VersionedStore {
 public:
  using Stored = ValueAndTimestamp<V>;
  using Put = store::VersionedBytes::Put;

  explicit VersionedStore(store::VersionedBytes& bytes) : bytes_(bytes) {}

  // The latest.
  [[nodiscard]] std::optional<Stored> get(const K& key) const {
    return internal::decode_stored<V>(bytes_.get(encode(key)));
  }

  // What the key held at that time; nothing is known of times before the history.
  [[nodiscard]] std::optional<Stored> get(const K& key, Timestamp as_of) const {
    return internal::decode_stored<V>(bytes_.get(encode(key), as_of));
  }

  // Null: from then on the key holds nothing.
  Put put(const K& key, const V* value, Timestamp timestamp) {
    if (value == nullptr) {
      return bytes_.put(encode(key), std::nullopt, timestamp);
    }
    value_.clear();
    Serde<V>::encode(*value, value_);
    return bytes_.put(encode(key), ByteView(value_), timestamp);
  }

 private:
  [[nodiscard]] ByteView encode(const K& key) const {
    key_.clear();
    Serde<K>::encode(key, key_);
    return key_;
  }

  store::VersionedBytes& bytes_;
  mutable Bytes key_;
  Bytes value_;
};

template <typename K, typename V>
class WindowStore {
 public:
  using Stored = ValueAndTimestamp<V>;

  struct Entry {
    Timestamp start;
    Stored stored;
  };

  explicit WindowStore(store::WindowBytes& bytes) : bytes_(bytes) {}

  [[nodiscard]] std::optional<Stored> fetch(const K& key, Timestamp start) const {
    return internal::decode_stored<V>(bytes_.fetch(encode(key), start));
  }

  // Null removes the window. False: it has expired and is not kept.
  bool put(const K& key, Timestamp start, const V* value, Timestamp timestamp) {
    if (value == nullptr) {
      return bytes_.put(encode(key), start, std::nullopt, timestamp);
    }
    value_.clear();
    Serde<V>::encode(*value, value_);
    return bytes_.put(encode(key), start, ByteView(value_), timestamp);
  }

  // The windows of a key that start in [from, to], ascending or descending.
  [[nodiscard]] std::vector<Entry> fetch(const K& key, Timestamp from, Timestamp to) const {
    std::vector<Entry> entries;
    bytes_.visit_key(encode(key), from, to, add_to(entries));
    return entries;
  }

  [[nodiscard]] std::vector<Entry> fetch_backward(const K& key, Timestamp from,
                                                  Timestamp to) const {
    std::vector<Entry> entries;
    bytes_.visit_key_backward(encode(key), from, to, add_to(entries));
    return entries;
  }

  // Those of all keys that start in [from, to], by start, also if they are expired.
  [[nodiscard]] std::vector<std::pair<K, Entry>> fetch_all(Timestamp from, Timestamp to) const {
    std::vector<std::pair<K, Entry>> entries;
    bytes_.visit_time(from, to, add_with_key(entries));
    return entries;
  }

  // By key, then start.
  [[nodiscard]] std::vector<std::pair<K, Entry>> all() const {
    std::vector<std::pair<K, Entry>> entries;
    bytes_.visit_all(add_with_key(entries));
    return entries;
  }

  // Those that are expired, and begin (sessions: end) before `before`.
  void expire(Timestamp before) { bytes_.expire(before); }

  [[nodiscard]] store::StepTimes& times() { return bytes_.times(); }

 private:
  [[nodiscard]] ByteView encode(const K& key) const {
    key_.clear();
    Serde<K>::encode(key, key_);
    return key_;
  }

  [[nodiscard]] static Entry entry(Timestamp start, const store::StoredValue& stored) {
    return {start, {internal::decode_own<V>(stored.value), stored.timestamp}};
  }

  [[nodiscard]] static auto add_to(std::vector<Entry>& entries) {
    return [&entries](Timestamp start, const store::StoredValue& stored) {
      entries.push_back(entry(start, stored));
      return true;
    };
  }

  [[nodiscard]] static auto add_with_key(std::vector<std::pair<K, Entry>>& entries) {
    return [&entries](ByteView key, Timestamp start, const store::StoredValue& stored) {
      entries.emplace_back(internal::decode_own<K>(key), entry(start, stored));
      return true;
    };
  }

  store::WindowBytes& bytes_;
  mutable Bytes key_;
  Bytes value_;
};

template <typename K, typename V>
class SessionStore {
 public:
  struct Entry {
    Window window;
    V value;
  };

  explicit SessionStore(store::SessionBytes& bytes) : bytes_(bytes) {}

  [[nodiscard]] std::optional<V> fetch(const K& key, Window window) const {
    const std::optional<store::StoredValue> stored =
        bytes_.fetch(encode(key), {window.start, window.end});
    return stored.has_value() ? std::optional(internal::decode_own<V>(stored->value))
                              : std::nullopt;
  }

  // Null removes the session. False: it has expired and is not kept.
  bool put(const K& key, Window window, const V* value, Timestamp timestamp) {
    if (value == nullptr) {
      return bytes_.put(encode(key), {window.start, window.end}, std::nullopt, timestamp);
    }
    value_.clear();
    Serde<V>::encode(*value, value_);
    return bytes_.put(encode(key), {window.start, window.end}, ByteView(value_), timestamp);
  }

  // Those that end at or after `end_min` and start at or before `start_max`, by end, then start.
  [[nodiscard]] std::vector<Entry> find_sessions(const K& key, Timestamp end_min,
                                                 Timestamp start_max) const {
    std::vector<Entry> entries;
    bytes_.visit_key(encode(key), end_min, start_max,
                     [&](store::SessionSpan span, const store::StoredValue& stored) {
                       entries.push_back(entry(span, stored));
                       return true;
                     });
    return entries;
  }

  // Those of all keys that end in [from, to], by end, also if they are expired.
  [[nodiscard]] std::vector<std::pair<K, Entry>> find_ended(Timestamp from, Timestamp to) const {
    std::vector<std::pair<K, Entry>> entries;
    bytes_.visit_ended(from, to, add_with_key(entries));
    return entries;
  }

  // By key, end, start.
  [[nodiscard]] std::vector<std::pair<K, Entry>> all() const {
    std::vector<std::pair<K, Entry>> entries;
    bytes_.visit_all(add_with_key(entries));
    return entries;
  }

  // Those that are expired, and begin (sessions: end) before `before`.
  void expire(Timestamp before) { bytes_.expire(before); }

  [[nodiscard]] store::StepTimes& times() { return bytes_.times(); }

 private:
  [[nodiscard]] ByteView encode(const K& key) const {
    key_.clear();
    Serde<K>::encode(key, key_);
    return key_;
  }

  [[nodiscard]] static Entry entry(store::SessionSpan span, const store::StoredValue& stored) {
    return {{span.start, span.end}, internal::decode_own<V>(stored.value)};
  }

  [[nodiscard]] static auto add_with_key(std::vector<std::pair<K, Entry>>& entries) {
    return [&entries](ByteView key, store::SessionSpan span, const store::StoredValue& stored) {
      entries.emplace_back(internal::decode_own<K>(key), entry(span, stored));
      return true;
    };
  }

  store::SessionBytes& bytes_;
  mutable Bytes key_;
  Bytes value_;
};

}  // namespace penstock::dsl
