// Record is a record on its way through the steps of a topology: typed, nullable, not owned.
//
// Between the steps of a sub-topology nothing is serialised. A step hands on pointers to a key and
// a value that live at least until the call returns; null is null. On the side of tables the value
// is a Change: what a key is mapped to now, and what it was mapped to before.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "record/types.h"

namespace penstock::dsl {

struct Header {
  std::string key;
  std::optional<Bytes> value;

  friend bool operator==(const Header&, const Header&) = default;
};

using Headers = std::vector<Header>;

template <typename K, typename V>
struct Record {
  const K* key = nullptr;
  const V* value = nullptr;
  Timestamp timestamp;
  const Headers* headers = nullptr;  // none: no headers

  template <typename KR>
  [[nodiscard]] Record<KR, V> with_key(const KR* other) const {
    return {other, value, timestamp, headers};
  }

  template <typename VR>
  [[nodiscard]] Record<K, VR> with_value(const VR* other) const {
    return {key, other, timestamp, headers};
  }

  [[nodiscard]] Record with_timestamp(Timestamp other) const {
    return {key, value, other, headers};
  }
};

template <typename V>
struct Change {
  const V* new_value = nullptr;  // null: the key is removed
  const V* old_value = nullptr;  // null: there was none, or nobody asked for it
  // False: a later version of the key is known already (versioned tables, KIP-914).
  bool is_latest = true;
};

template <typename V>
struct ValueAndTimestamp {
  V value;
  Timestamp timestamp;

  friend bool operator==(const ValueAndTimestamp&, const ValueAndTimestamp&) = default;
};

// Where a record came from.
struct RecordMetadata {
  std::string_view topic;
  PartitionId partition;
  Offset offset;
};

template <typename K, typename V>
using KeyValue = std::pair<K, V>;

template <typename T>
[[nodiscard]] const T* to_pointer(const std::optional<T>& value) {
  return value.has_value() ? &*value : nullptr;
}

template <typename V>
[[nodiscard]] const V* value_of(const std::optional<ValueAndTimestamp<V>>& stored) {
  return stored.has_value() ? &stored->value : nullptr;
}

}  // namespace penstock::dsl
