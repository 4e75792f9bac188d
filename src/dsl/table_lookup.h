// Joins of a stream with a table, by key: what the table holds when the record comes; or, with a
// grace period and a versioned table, what it held at the time of the record.
//
// Semantics of Kafka Streams' KStreamKTableJoinProcessor. Records without key or value meet nobody
// and are dropped; a left join hands on one that has a value but no key to look up (KIP-962). With
// a grace period records wait until stream time is past theirs by as much, and are then joined in
// the order of their timestamps (KIP-923); one that comes later than that is joined at once. Stream
// time is that of the records that this step has seen.
//
// Threads   one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dsl/buffer_entry.h"
#include "dsl/call.h"
#include "dsl/table_info.h"
#include "dsl/typed_stores.h"

namespace penstock::dsl {

// What a record waits as: int64 timestamp | key | int32 number, so that they lie in the order in
// which they go on. The number tells records of one key and time apart.
template <typename K>
struct DelayedKey {
  Timestamp timestamp;
  K key;
  std::int32_t number = 0;
};

template <Serializable K>
struct Serde<DelayedKey<K>> {
  static void encode(const DelayedKey<K>& delayed, Bytes& to) {
    internal::append_number(delayed.timestamp.value(), to);
    Serde<K>::encode(delayed.key, to);
    internal::append_number(delayed.number, to);
  }

  static std::optional<DelayedKey<K>> decode(ByteView bytes) {
    constexpr std::size_t kTimeSize = sizeof(std::int64_t);
    constexpr std::size_t kNumberSize = sizeof(std::int32_t);
    if (bytes.size() < kTimeSize + kNumberSize) {
      return std::nullopt;
    }
    const std::size_t key_size = bytes.size() - kTimeSize - kNumberSize;
    std::optional<K> key = Serde<K>::decode(bytes.subspan(kTimeSize, key_size));
    if (!key.has_value()) {
      return std::nullopt;
    }
    return DelayedKey<K>{Timestamp(load_be<std::int64_t>(bytes.data())), *std::move(key),
                         load_be<std::int32_t>(bytes.last(kNumberSize).data())};
  }
};

// The records that wait.
template <typename K, typename V>
class GraceBuffer {
 public:
  GraceBuffer(TaskRuntime& runtime, const std::string& store, Duration grace)
      : bytes_(runtime.store<store::KeyValueBytes>(store)), store_(bytes_), grace_(grace) {}

  // Numbers go on where they were.
  void restored() {
    for (const auto& [key, stored] : store_.all()) {
      next_number_ = std::max(next_number_, key.number + 1);
    }
  }

  // False: it is too late to wait.
  [[nodiscard]] bool put(const Record<K, V>& record) {
    Timestamp& observed = store_.times().observed;
    if (observed + -grace_.count() > record.timestamp) {
      return false;
    }
    observed = std::max(observed, record.timestamp);
    BufferEntry entry;
    entry.timestamp = record.timestamp;
    Serde<V>::encode(*record.value, entry.new_value.emplace());
    if (record.headers != nullptr) {
      entry.headers = *record.headers;
    }
    store_.put({record.timestamp, *record.key, next_number_++}, entry, record.timestamp);
    return true;
  }

  // Takes out those whose time has come, and calls `join` with each.
  template <typename Join>
  void take_due(Join join) {
    const Timestamp due = store_.times().observed + -grace_.count();
    std::vector<std::pair<DelayedKey<K>, BufferEntry>> taken;
    bytes_.visit({}, [&](ByteView key, const store::StoredValue& stored) {
      if (load_be<std::int64_t>(key.data()) > due.value()) {
        return false;
      }
      taken.emplace_back(internal::decode_own<DelayedKey<K>>(key),
                         internal::decode_own<BufferEntry>(stored.value));
      return true;
    });
    for (const auto& [key, entry] : taken) {
      const V value = internal::decode_own<V>(*entry.new_value);
      join({&key.key, &value, key.timestamp, entry.headers.empty() ? nullptr : &entry.headers});
      store_.erase(key, key.timestamp);
    }
  }

 private:
  store::KeyValueBytes& bytes_;
  KeyValueStore<DelayedKey<K>, BufferEntry> store_;
  const Duration grace_;
  std::int32_t next_number_ = 0;
};

// `select` says which key of the table to look up, which for a table is the record's own, and for
// a global table what the program wants.
template <typename K, typename V, typename KT, typename VT, typename Select, typename Joiner,
          typename Out, bool kIsLeftJoin>
class TableLookupNode final : public Node, public Receiver<K, V>, public Publisher<K, Out> {
 public:
  TableLookupNode(TaskRuntime& runtime, std::unique_ptr<ValueGetter<KT, VT>> table, Select select,
                  Joiner joiner)
      : runtime_(runtime),
        table_(std::move(table)),
        select_(std::move(select)),
        joiner_(std::move(joiner)) {}

  // Records wait in that store.
  void set_grace(const std::string& store, Duration grace) {
    buffer_.emplace(runtime_, store, grace);
  }

  void restored() override {
    if (buffer_.has_value()) {
      buffer_->restored();
    }
  }

  void receive(const Record<K, V>& record) override {
    const std::optional<KT> key = key_of(record);
    const bool fits_joiner = record.key != nullptr || Call::kTakesNullKey;
    if (record.value == nullptr || !fits_joiner || (!key.has_value() && !kIsLeftJoin)) {
      runtime_.drop();
    } else if (buffer_.has_value() && record.key != nullptr && buffer_->put(record)) {
      buffer_->take_due([this](const Record<K, V>& due) { join(due, key_of(due)); });
    } else {
      join(record, key);
    }
  }

 private:
  using Call = JoinCall<Joiner, K, V, VT>;

  [[nodiscard]] std::optional<KT> key_of(const Record<K, V>& record) {
    using Selection = KeyValueCall<Select, K, V>;
    if (!Selection::takes(record.key, record.value)) {
      return std::nullopt;
    }
    return Selection::call(select_, record.key, record.value);
  }

  void join(const Record<K, V>& record, const std::optional<KT>& key) {
    std::optional<ValueAndTimestamp<VT>> found;
    if (key.has_value()) {
      found =
          table_->is_versioned() ? table_->get_as_of(*key, record.timestamp) : table_->get(*key);
    }
    if (kIsLeftJoin || found.has_value()) {
      const std::optional<Out> joined =
          Call::call(joiner_, record.key, record.value, value_of(found));
      this->publish(record.with_value(to_pointer(joined)));
    }
  }

  TaskRuntime& runtime_;
  std::unique_ptr<ValueGetter<KT, VT>> table_;
  Select select_;
  Joiner joiner_;
  std::optional<GraceBuffer<K, V>> buffer_;
};

// The record's own key.
struct OwnKey {
  template <typename K, typename V>
  std::optional<K> operator()(const K* key, const V* /*value*/) const {
    return key == nullptr ? std::nullopt : std::optional(*key);
  }
};

}  // namespace penstock::dsl
