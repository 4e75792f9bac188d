// RecordCache holds the changes of one table back until the next commit, so that of many changes of
// a key only the last goes on, with what the key held before the first of them.
//
// What Kafka Streams calls the record cache (statestore.cache.max.bytes), but for one thing: the
// store behind it has every change at once, since it writes nothing before the commit either. So
// only the steps behind the table see fewer changes. They go on in the order of the keys' last
// changes; a key that came and went since the last commit is not mentioned. When the process holds
// more than it may (topology::RecordCacheBudget), the cache that took the last change hands on all
// it has. It is emptied within the transaction that it belongs to; an abort drops what it holds, as
// the records that led there come again.
//
// Threads   one.
// Lifetime  the budget outlives it.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dsl/runtime.h"
#include "dsl/waiting_key.h"

namespace penstock::dsl {

struct CachedChange {
  std::string key;  // see waiting_key.h
  std::optional<Bytes> new_value;
  std::optional<Bytes> old_value;  // before the first change since the last commit
  Timestamp timestamp;
  Headers headers;
  RecordMetadata metadata;  // of the record that led to it

  [[nodiscard]] std::uint64_t size_bytes() const;
};

class RecordCache final : public Node {
 public:
  using Changes = std::list<CachedChange>;

  RecordCache() = default;
  ~RecordCache() override;

  void set_budget(topology::RecordCacheBudget& budget) { budget_ = &budget; }

  [[nodiscard]] bool contains(std::string_view key) const { return by_key_.contains(key); }

  // If the key is here already, its old value stays what it was.
  void put(CachedChange change);

  [[nodiscard]] bool is_full() const { return budget_->is_exceeded(); }

  // All of them, in the order in which they go on; nothing is left.
  [[nodiscard]] Changes take();

  void aborted() override { static_cast<void>(take()); }

  [[nodiscard]] std::size_t pending_bytes() const override { return size_bytes_; }

 private:
  topology::RecordCacheBudget* budget_ = nullptr;
  Changes changes_;  // the one that changed last at the end
  std::map<std::string_view, Changes::iterator> by_key_;
  std::uint64_t size_bytes_ = 0;
};

// The cache of a table of K and V; absent where it is off.
template <typename K, typename V>
class ChangeCache {
 public:
  // Steps that make up one table together (cogroup) share the cache, by the name of its store.
  ChangeCache(TaskRuntime& runtime, const std::string& store, bool sends_old_values)
      : runtime_(runtime),
        cache_(runtime.shared<RecordCache>(store + " cache")),
        sends_old_values_(sends_old_values) {
    cache_.set_budget(runtime.context().record_cache());
  }

  // Whether the next put() of the key has to know what the store holds.
  [[nodiscard]] bool wants_old(const K& key) const {
    return !cache_.contains(encode_waiting_key(key));
  }

  // `old`: what the store held before, if that was wanted.
  void put(const K& key, const V* now, const V* old, Timestamp timestamp, const Headers* headers) {
    CachedChange change{encode_waiting_key(key),
                        encode(now),
                        encode(old),
                        timestamp,
                        headers == nullptr ? Headers() : *headers,
                        runtime_.metadata()};
    cache_.put(std::move(change));
  }

  [[nodiscard]] bool is_full() const { return cache_.is_full(); }

  // Calls `publish` with each record that goes on.
  template <typename Publish>
  void flush(Publish publish) {
    const RecordMetadata before = runtime_.metadata();
    for (const CachedChange& cached : cache_.take()) {
      const std::optional<V> now = decode(cached.new_value);
      const std::optional<V> old = decode(cached.old_value);
      if (!now.has_value() && !old.has_value()) {
        continue;
      }
      const K key = decode_waiting_key<K>(cached.key);
      const Change<V> change{to_pointer(now), sends_old_values_ ? to_pointer(old) : nullptr};
      runtime_.set_metadata(cached.metadata);
      publish(Record<K, Change<V>>{&key, &change, cached.timestamp,
                                   cached.headers.empty() ? nullptr : &cached.headers});
    }
    runtime_.set_metadata(before);
  }

 private:
  [[nodiscard]] static std::optional<Bytes> encode(const V* value) {
    if (value == nullptr) {
      return std::nullopt;
    }
    Bytes bytes;
    Serde<V>::encode(*value, bytes);
    return bytes;
  }

  [[nodiscard]] static std::optional<V> decode(const std::optional<Bytes>& bytes) {
    return bytes.has_value() ? std::optional(internal::decode_own<V>(*bytes)) : std::nullopt;
  }

  TaskRuntime& runtime_;
  RecordCache& cache_;
  const bool sends_old_values_;
};

}  // namespace penstock::dsl
