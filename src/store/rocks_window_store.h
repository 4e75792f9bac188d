// RocksWindowStore keeps a value per key and window start, in RocksDB; or, for joins, all values.
//
// Changelog: as MemoryWindowStore's. In the database: rows by key, start and number; index entries
// by start, key and number.
//
// Threads   one.
#pragma once

#include <string>

#include "store/memory_window_store.h"
#include "store/rocks_timed_store.h"

namespace penstock::store {

class RocksWindowStore final : public RocksTimedStore, public WindowBytes {
 public:
  using Options = MemoryWindowStore::Options;
  using Duplicates = MemoryWindowStore::Duplicates;

  RocksWindowStore(Options options, RocksPlace place);

  [[nodiscard]] std::optional<StoredValue> fetch(ByteView key, Timestamp start) const override;
  bool put(ByteView key, Timestamp start, std::optional<ByteView> value,
           Timestamp timestamp) override;
  void visit_key(ByteView key, Timestamp from, Timestamp to,
                 WindowBytes::KeyVisitor visitor) const override;
  void visit_key_backward(ByteView key, Timestamp from, Timestamp to,
                          WindowBytes::KeyVisitor visitor) const override;
  void visit_time(Timestamp from, Timestamp to, WindowBytes::Visitor visitor) const override;
  void visit_all(WindowBytes::Visitor visitor) const override;
  void expire(Timestamp before) override;

  [[nodiscard]] StepTimes& times() override { return state_.times; }

 private:
  [[nodiscard]] static Keys keys_of(const WindowKeyView& key);
  void visit_key(ByteView key, Timestamp from, Timestamp to, RocksTable::Order order,
                 WindowBytes::KeyVisitor visitor) const;
  // By key, then start; keys from `from` on.
  void visit_live(ByteView from, WindowBytes::Visitor visitor) const;

  void encode_key(std::string_view row, Bytes& to) const override;
  [[nodiscard]] bool restore_row(ByteView key, std::optional<ByteView> value,
                                 Timestamp timestamp) override;
  void visit_entries(ByteView from, const ByteScan::Visitor& visitor) const override;

  const Options options_;
};

}  // namespace penstock::store
