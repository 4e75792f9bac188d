#include "store/rocks_key_value_store.h"

#include <utility>

namespace penstock::store {

RocksKeyValueStore::RocksKeyValueStore(std::string name, RocksPlace place)
    : RocksStore(std::move(name), "bytes by key", std::move(place)) {}

namespace {

std::string row_of(char letter, ByteView key) {
  std::string row(1, letter);
  row += as_text(key);
  return row;
}

}  // namespace

std::optional<StoredValue> RocksKeyValueStore::get(ByteView key) const {
  const RocksTable::Row* row = table().find(row_of(kRow, key));
  return row == nullptr ? std::nullopt
                        : std::optional(StoredValue{as_bytes(row->value), row->timestamp});
}

void RocksKeyValueStore::put(ByteView key, std::optional<ByteView> value, Timestamp timestamp) {
  const std::string row = row_of(kRow, key);
  if (value.has_value()) {
    state_.count += static_cast<std::uint64_t>(table().put(row, *value, timestamp));
  } else {
    state_.count -= static_cast<std::uint64_t>(table().erase(row, timestamp));
  }
}

void RocksKeyValueStore::visit(const KeyRange& range, KeyValueBytes::Visitor visitor) const {
  visit(range, RocksTable::Order::kForward, visitor);
}

void RocksKeyValueStore::visit_backward(const KeyRange& range,
                                        KeyValueBytes::Visitor visitor) const {
  visit(range, RocksTable::Order::kBackward, visitor);
}

void RocksKeyValueStore::visit(const KeyRange& range, RocksTable::Order order,
                               KeyValueBytes::Visitor visitor) const {
  // The least key that is greater than `to` is `to` and a zero.
  const RocksTable::Range rows{
      row_of(kRow, range.from.value_or(ByteView())),
      range.to.has_value() ? row_of(kRow, *range.to) + '\0' : std::string(kRowsEnd), order};
  table().visit(rows, [&](std::string_view row, const StoredValue& value) {
    return visitor(as_bytes(row.substr(1)), value);
  });
}

void RocksKeyValueStore::encode_key(std::string_view row, Bytes& to) const {
  const ByteView bytes = as_bytes(row.substr(1));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

bool RocksKeyValueStore::restore_row(ByteView key, std::optional<ByteView> value,
                                     Timestamp timestamp) {
  put(key, value, timestamp);
  return true;
}

void RocksKeyValueStore::visit_entries(ByteView from, const ByteScan::Visitor& visitor) const {
  visit({.from = from, .to = std::nullopt}, [&](ByteView key, const StoredValue& stored) {
    return visitor({key, std::nullopt, stored.value, stored.timestamp});
  });
}

}  // namespace penstock::store
