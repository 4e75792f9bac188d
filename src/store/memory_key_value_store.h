// MemoryKeyValueStore keeps the latest value of each key, in memory, in the order of the keys.
//
// Changelog: key -> value, with the value's timestamp, as Kafka Streams' timestamped store.
//
// Threads   one.
#pragma once

#include <string>

#include "store/memory_store.h"

namespace penstock::store {

class MemoryKeyValueStore final : public MemoryStore<std::string>, public KeyValueBytes {
 public:
  explicit MemoryKeyValueStore(std::string name);

  [[nodiscard]] std::optional<StoredValue> get(ByteView key) const override;
  void put(ByteView key, std::optional<ByteView> value, Timestamp timestamp) override;
  void visit(const KeyRange& range, KeyValueBytes::Visitor visitor) const override;
  void visit_backward(const KeyRange& range, KeyValueBytes::Visitor visitor) const override;

  [[nodiscard]] StepTimes& times() override { return times_; }

 private:
  using Rows = JournalMap<std::string>::Map;

  [[nodiscard]] Rows::const_iterator first_of(const KeyRange& range) const;
  [[nodiscard]] Rows::const_iterator end_of(const KeyRange& range) const;

  void encode_key(const std::string& key, Bytes& to) const override;
  [[nodiscard]] bool restore_row(ByteView key, std::optional<ByteView> value,
                                 Timestamp timestamp) override;
  void visit_entries(ByteView from, const ByteScan::Visitor& visitor) const override;
};

}  // namespace penstock::store
