// The steps of tables: where a table begins, is filtered and mapped, becomes a stream, is grouped.
//
// A table without a store of its own computes what it holds from its parent's when it is asked.
//
// Threads   one.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/varint.h"
#include "dsl/call.h"
#include "dsl/folds.h"
#include "dsl/table_info.h"
#include "dsl/table_store.h"

namespace penstock::dsl {

// Reads a table from its store.
template <typename K, typename V>
class StoreGetter final : public ValueGetter<K, V> {
 public:
  StoreGetter(TaskRuntime& runtime, const std::string& store) : store_(runtime, store) {}

  [[nodiscard]] std::optional<ValueAndTimestamp<V>> get(const K& key) override {
    return store_.get(key);
  }

  [[nodiscard]] std::optional<ValueAndTimestamp<V>> get_as_of(const K& key, Timestamp at) override {
    return store_.get(key, at);
  }

  [[nodiscard]] bool is_versioned() const override { return store_.is_versioned(); }

 private:
  TableStore<K, V> store_;
};

// Where a stream becomes a table: KTableSource.
template <typename K, typename V>
class TableSourceNode final : public StoredTableNode<K, V>, public Receiver<K, V> {
 public:
  TableSourceNode(TaskRuntime& runtime, const TableOptions& options)
      : StoredTableNode<K, V>(runtime, options) {}

  void receive(const Record<K, V>& record) override {
    if (record.key == nullptr) {
      this->runtime_.drop();
      return;
    }
    std::optional<ValueAndTimestamp<V>> old;
    if (this->sends_old_values()) {
      old = this->stored(*record.key);
    }
    this->update(record, record.value, value_of(old), record.timestamp);
  }
};

// What filter() and map_values() of tables have in common: `compute` makes the new content of the
// old one (const K&, const V&) -> std::optional<VR>; null stays null.
struct DerivedTableOptions {
  bool sends_old_values = false;
  bool is_silent_on_nothing = false;  // hands on nothing if there was nothing and is nothing
};

// Without a store of its own.
template <typename K, typename V, typename VR, typename Compute>
class DerivedTableNode final : public Node,
                               public Receiver<K, Change<V>>,
                               public Publisher<K, Change<VR>> {
 public:
  DerivedTableNode(const DerivedTableOptions& options, Compute compute)
      : options_(options), compute_(std::move(compute)) {}

  void receive(const Record<K, Change<V>>& record) override {
    const std::optional<VR> now = compute(*record.key, record.value->new_value);
    std::optional<VR> old;
    if (options_.sends_old_values) {
      old = compute(*record.key, record.value->old_value);
      if (options_.is_silent_on_nothing && !now.has_value() && !old.has_value()) {
        return;
      }
    }
    const Change<VR> change{to_pointer(now), to_pointer(old), record.value->is_latest};
    this->publish(record.with_value(&change));
  }

 private:
  [[nodiscard]] std::optional<VR> compute(const K& key, const V* value) {
    return value == nullptr ? std::nullopt : compute_(key, *value);
  }

  const DerivedTableOptions options_;
  Compute compute_;
};

// With one.
template <typename K, typename V, typename VR, typename Compute>
class StoredDerivedTableNode final : public StoredTableNode<K, VR>, public Receiver<K, Change<V>> {
 public:
  StoredDerivedTableNode(TaskRuntime& runtime, const TableOptions& table, bool is_silent_on_nothing,
                         Compute compute)
      : StoredTableNode<K, VR>(runtime, table),
        is_silent_on_nothing_(is_silent_on_nothing),
        compute_(std::move(compute)) {}

  void receive(const Record<K, Change<V>>& record) override {
    const V* const value = record.value->new_value;
    const std::optional<VR> now = value == nullptr ? std::nullopt : compute_(*record.key, *value);
    std::optional<ValueAndTimestamp<VR>> old;
    if (this->sends_old_values()) {
      old = this->stored(*record.key);
      if (is_silent_on_nothing_ && !now.has_value() && !old.has_value()) {
        return;
      }
    }
    this->update(record, to_pointer(now), value_of(old), record.timestamp);
  }

 private:
  const bool is_silent_on_nothing_;
  Compute compute_;
};

template <typename K, typename V, typename VR, typename Compute>
class DerivedGetter final : public ValueGetter<K, VR> {
 public:
  DerivedGetter(std::unique_ptr<ValueGetter<K, V>> parent, Compute compute)
      : parent_(std::move(parent)), compute_(std::move(compute)) {}

  [[nodiscard]] std::optional<ValueAndTimestamp<VR>> get(const K& key) override {
    return derive(key, parent_->get(key));
  }

  [[nodiscard]] std::optional<ValueAndTimestamp<VR>> get_as_of(const K& key,
                                                               Timestamp at) override {
    return derive(key, parent_->get_as_of(key, at));
  }

  [[nodiscard]] bool is_versioned() const override { return parent_->is_versioned(); }

 private:
  [[nodiscard]] std::optional<ValueAndTimestamp<VR>> derive(
      const K& key, const std::optional<ValueAndTimestamp<V>>& stored) {
    if (!stored.has_value()) {
      return std::nullopt;
    }
    std::optional<VR> value = compute_(key, stored->value);
    return value.has_value()
               ? std::optional(ValueAndTimestamp<VR>{*std::move(value), stored->timestamp})
               : std::nullopt;
  }

  std::unique_ptr<ValueGetter<K, V>> parent_;
  Compute compute_;
};

template <typename K, typename V, typename Predicate, bool kWanted>
struct FilterCompute {
  Predicate predicate;

  std::optional<V> operator()(const K& key, const V& value) {
    return KeyValueCall<Predicate, K, V>::call(predicate, &key, &value) == kWanted
               ? std::optional(value)
               : std::nullopt;
  }
};

template <typename K, typename V, typename Mapper>
struct MapCompute {
  using Result = NonNull<CallResult<Mapper, K, V>>;

  Mapper mapper;

  std::optional<Result> operator()(const K& key, const V& value) {
    return KeyValueCall<Mapper, K, V>::call(mapper, &key, &value);
  }
};

template <typename K, typename V>
class ToStreamNode final : public Node, public Receiver<K, Change<V>>, public Publisher<K, V> {
 public:
  void receive(const Record<K, Change<V>>& record) override {
    this->publish(record.with_value(record.value->new_value));
  }
};

// A change with its own memory, as it goes through the repartition topic of a grouped table.
template <typename V>
struct OwnedChange {
  std::optional<V> new_value;
  std::optional<V> old_value;
};

// As Kafka Streams' ChangedSerializer (KIP-904):
//   old | 0x00        new | 0x01        varint size of new | new | old | 0x02
template <Serializable V>
struct Serde<OwnedChange<V>> {
  static void encode(const OwnedChange<V>& change, Bytes& to) {
    if (change.new_value.has_value() && change.old_value.has_value()) {
      Bytes bytes;
      Serde<V>::encode(*change.new_value, bytes);
      std::array<std::byte, kVarintSizeMax> size{};
      to.insert(to.end(), size.data(),
                put_varint(size.data(), static_cast<std::int64_t>(bytes.size())));
      to.insert(to.end(), bytes.begin(), bytes.end());
      Serde<V>::encode(*change.old_value, to);
      to.push_back(std::byte{2});
    } else if (change.new_value.has_value()) {
      Serde<V>::encode(*change.new_value, to);
      to.push_back(std::byte{1});
    } else {
      Serde<V>::encode(*change.old_value, to);
      to.push_back(std::byte{0});
    }
  }

  static std::optional<OwnedChange<V>> decode(ByteView bytes) {
    if (bytes.empty()) {
      return std::nullopt;
    }
    const std::byte kind = bytes.back();
    bytes = bytes.first(bytes.size() - 1);
    OwnedChange<V> change;
    if (kind == std::byte{0}) {
      change.old_value = Serde<V>::decode(bytes);
      return change.old_value.has_value() ? std::optional(std::move(change)) : std::nullopt;
    }
    if (kind == std::byte{2}) {
      std::int64_t size = 0;
      const std::byte* end = bytes.data() + bytes.size();
      const std::byte* at = get_varint(bytes.data(), end, size);
      if (at == nullptr || size < 0 || size > end - at) {
        return std::nullopt;
      }
      change.old_value = Serde<V>::decode(ByteView(at + size, end));
      bytes = ByteView(at, static_cast<std::size_t>(size));
      if (!change.old_value.has_value()) {
        return std::nullopt;
      }
    } else if (kind != std::byte{1}) {
      return std::nullopt;
    }
    change.new_value = Serde<V>::decode(bytes);
    return change.new_value.has_value() ? std::optional(std::move(change)) : std::nullopt;
  }
};

// Makes of each change of a table those of the groups its old and new content belong to.
template <typename K, typename V, typename Selector, typename KR, typename VR>
class TableGroupNode final : public Node,
                             public Receiver<K, Change<V>>,
                             public Publisher<KR, OwnedChange<VR>> {
 public:
  // Groups are made of the latest values only: where the table is versioned, others are passed
  // over.
  TableGroupNode(bool is_versioned, Selector selector)
      : is_versioned_(is_versioned), selector_(std::move(selector)) {}

  void receive(const Record<K, Change<V>>& record) override {
    if (is_versioned_ && !record.value->is_latest) {
      return;
    }
    const std::optional<Entry> now = select(*record.key, record.value->new_value);
    const std::optional<Entry> old = select(*record.key, record.value->old_value);
    if (now.has_value() && old.has_value() && now->key == old->key) {
      forward(record, now->key, {now->value, old->value});
      return;
    }
    if (old.has_value()) {
      forward(record, old->key, {std::nullopt, old->value});
    }
    if (now.has_value()) {
      forward(record, now->key, {now->value, std::nullopt});
    }
  }

 private:
  struct Entry {
    KR key;
    VR value;
  };

  [[nodiscard]] std::optional<Entry> select(const K& key, const V* value) {
    if (value == nullptr) {
      return std::nullopt;
    }
    auto [new_key, new_value] = KeyValueCall<Selector, K, V>::call(selector_, &key, value);
    std::optional<KR> group = std::move(new_key);
    std::optional<VR> content = std::move(new_value);
    return group.has_value() && content.has_value()
               ? std::optional(Entry{*std::move(group), *std::move(content)})
               : std::nullopt;
  }

  void forward(const Record<K, Change<V>>& record, const KR& key, const OwnedChange<VR>& change) {
    this->publish({&key, &change, record.timestamp, record.headers});
  }

  const bool is_versioned_;
  Selector selector_;
};

// Aggregations of a grouped table: what an entry was is taken out, what it is is put in.
// `add` and `subtract`: (key, value, optional aggregate) -> optional aggregate.
template <typename K, typename V, typename Adder, typename Subtractor, typename Aggregate>
class TableAggregateNode final : public StoredTableNode<K, Aggregate>,
                                 public Receiver<K, OwnedChange<V>> {
 public:
  TableAggregateNode(TaskRuntime& runtime, const TableOptions& table, Adder add,
                     Subtractor subtract)
      : StoredTableNode<K, Aggregate>(runtime, table),
        add_(std::move(add)),
        subtract_(std::move(subtract)) {}

  void receive(const Record<K, OwnedChange<V>>& record) override {
    if (record.key == nullptr || record.value == nullptr) {
      this->runtime_.drop();
      return;
    }
    const auto stored = this->stored(*record.key);
    const std::optional<Aggregate> old =
        stored.has_value() ? std::optional(stored->value) : std::nullopt;
    const OwnedChange<V>& input = *record.value;
    std::optional<Aggregate> now = old;
    Timestamp timestamp = record.timestamp;
    if (input.old_value.has_value() && old.has_value()) {
      now = subtract_(*record.key, *input.old_value, std::move(now));
      timestamp = std::max(record.timestamp, stored->timestamp);
    }
    if (input.new_value.has_value()) {
      now = add_(*record.key, *input.new_value, std::move(now));
      if (stored.has_value()) {
        timestamp = std::max(record.timestamp, stored->timestamp);
      }
    }
    this->update(record, to_pointer(now), to_pointer(old), timestamp);
  }

 private:
  Adder add_;
  Subtractor subtract_;
};

}  // namespace penstock::dsl
