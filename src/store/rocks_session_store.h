// RocksSessionStore keeps a value per key and session, in RocksDB.
//
// Changelog: as MemorySessionStore's. In the database: rows by key, end and start; index entries by
// end, start and key.
//
// Threads   one.
#pragma once

#include <chrono>
#include <string>

#include "store/rocks_timed_store.h"

namespace penstock::store {

class RocksSessionStore final : public RocksTimedStore, public SessionBytes {
 public:
  RocksSessionStore(std::string name, std::chrono::milliseconds retention, RocksPlace place);

  [[nodiscard]] std::optional<StoredValue> fetch(ByteView key, SessionSpan session) const override;
  bool put(ByteView key, SessionSpan session, std::optional<ByteView> value,
           Timestamp timestamp) override;
  void visit_key(ByteView key, Timestamp end_min, Timestamp start_max,
                 SessionBytes::KeyVisitor visitor) const override;
  void visit_ended(Timestamp from, Timestamp to, SessionBytes::Visitor visitor) const override;
  void visit_all(SessionBytes::Visitor visitor) const override;
  void expire(Timestamp before) override;

  [[nodiscard]] StepTimes& times() override { return state_.times; }

 private:
  [[nodiscard]] static Keys keys_of(ByteView key, SessionSpan session);
  // By key, end, start; keys from `from` on.
  void visit_live(ByteView from, SessionBytes::Visitor visitor) const;

  void encode_key(std::string_view row, Bytes& to) const override;
  [[nodiscard]] bool restore_row(ByteView key, std::optional<ByteView> value,
                                 Timestamp timestamp) override;
  void visit_entries(ByteView from, const ByteScan::Visitor& visitor) const override;
};

}  // namespace penstock::store
