// RocksKeyValueStore keeps the latest value of each key, in RocksDB, in the order of the keys.
//
// Changelog: as MemoryKeyValueStore's.
//
// Threads   one.
#pragma once

#include <string>

#include "store/rocks_store.h"

namespace penstock::store {

class RocksKeyValueStore final : public RocksStore, public KeyValueBytes {
 public:
  RocksKeyValueStore(std::string name, RocksPlace place);

  [[nodiscard]] std::optional<StoredValue> get(ByteView key) const override;
  void put(ByteView key, std::optional<ByteView> value, Timestamp timestamp) override;
  void visit(const KeyRange& range, KeyValueBytes::Visitor visitor) const override;
  void visit_backward(const KeyRange& range, KeyValueBytes::Visitor visitor) const override;

  [[nodiscard]] StepTimes& times() override { return state_.times; }

 private:
  void visit(const KeyRange& range, RocksTable::Order order, KeyValueBytes::Visitor visitor) const;

  void encode_key(std::string_view row, Bytes& to) const override;
  [[nodiscard]] bool restore_row(ByteView key, std::optional<ByteView> value,
                                 Timestamp timestamp) override;
  void visit_entries(ByteView from, const ByteScan::Visitor& visitor) const override;
};

}  // namespace penstock::store
