// TableStore is the store of a table, whether it remembers old versions or not; StoredTableNode is
// what the steps have in common that make a table with a store.
//
// Threads   one.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "dsl/record_cache.h"
#include "dsl/runtime.h"
#include "dsl/typed_stores.h"

namespace penstock::dsl {

template <typename K, typename V>
class TableStore {
 public:
  using Stored = ValueAndTimestamp<V>;
  using Put = store::VersionedBytes::Put;

  TableStore(TaskRuntime& runtime, const std::string& store) {
    if (auto* versions = runtime.find_store<store::VersionedBytes>(store)) {
      versions_.emplace(*versions);
    } else {
      values_.emplace(runtime.store<store::KeyValueBytes>(store));
    }
  }

  [[nodiscard]] bool is_versioned() const { return versions_.has_value(); }

  [[nodiscard]] std::optional<Stored> get(const K& key) const {
    return is_versioned() ? versions_->get(key) : values_->get(key);
  }

  // Without versions: what it holds now.
  [[nodiscard]] std::optional<Stored> get(const K& key, Timestamp as_of) const {
    return is_versioned() ? versions_->get(key, as_of) : values_->get(key);
  }

  Put put(const K& key, const V* value, Timestamp timestamp) {
    if (is_versioned()) {
      return versions_->put(key, value, timestamp);
    }
    values_->put(key, value, timestamp);
    return Put::kLatest;
  }

 private:
  std::optional<KeyValueStore<K, V>> values_;
  std::optional<VersionedStore<K, V>> versions_;
};

// What a step is told of the table it makes.
struct TableOptions {
  std::string store;
  bool sends_old_values = false;
  bool caches = false;
};

template <typename K, typename V>
class StoredTableNode : public Node, public Publisher<K, Change<V>> {
 protected:
  StoredTableNode(TaskRuntime& runtime, const TableOptions& options)
      : runtime_(runtime),
        store_(runtime, options.store),
        sends_old_values_(options.sends_old_values) {
    if (options.caches) {
      cache_.emplace(runtime, options.store, options.sends_old_values);
    }
  }

  void before_commit() final {
    if (cache_.has_value()) {
      flush();
    }
  }

  [[nodiscard]] std::optional<ValueAndTimestamp<V>> stored(const K& key) const {
    return store_.get(key);
  }

  [[nodiscard]] bool sends_old_values() const { return sends_old_values_; }

  // Stores what the key holds now, and hands the change on, at once or at the next commit; `cause`
  // is what led to it. Nothing comes of it if the store does not take it, as it is too old.
  template <typename Cause>
  void update(const Record<K, Cause>& cause, const V* now, const V* old, Timestamp timestamp) {
    if (cache_.has_value()) {
      update_cached(cause, now, timestamp);
      return;
    }
    const store::VersionedBytes::Put put = store_.put(*cause.key, now, timestamp);
    if (put == store::VersionedBytes::Put::kExpired) {
      runtime_.count_kept(false);
      return;
    }
    const Change<V> change{now, sends_old_values_ ? old : nullptr,
                           put == store::VersionedBytes::Put::kLatest};
    this->publish({cause.key, &change, timestamp, cause.headers});
  }

  TaskRuntime& runtime_;

 private:
  template <typename Cause>
  void update_cached(const Record<K, Cause>& cause, const V* now, Timestamp timestamp) {
    std::optional<ValueAndTimestamp<V>> old;
    if (cache_->wants_old(*cause.key)) {
      old = store_.get(*cause.key);
    }
    store_.put(*cause.key, now, timestamp);
    cache_->put(*cause.key, now, value_of(old), now != nullptr ? timestamp : cause.timestamp,
                cause.headers);
    if (cache_->is_full()) {
      flush();
    }
  }

  void flush() {
    cache_->flush([this](const Record<K, Change<V>>& record) { this->publish(record); });
  }

  std::optional<ChangeCache<K, V>> cache_;
  TableStore<K, V> store_;
  const bool sends_old_values_;
};

}  // namespace penstock::dsl
