// MemorySessionStore keeps a value per key and session, in memory.
//
// Changelog: a SessionKey -> value, with the value's timestamp.
//
// Threads   one.
#pragma once

#include <chrono>
#include <set>
#include <string>

#include "store/memory_store.h"
#include "store/session_key.h"

namespace penstock::store {

class MemorySessionStore final : public MemoryStore<SessionKey>, public SessionBytes {
 public:
  MemorySessionStore(std::string name, std::chrono::milliseconds retention);

  [[nodiscard]] std::optional<StoredValue> fetch(ByteView key, SessionSpan session) const override;
  bool put(ByteView key, SessionSpan session, std::optional<ByteView> value,
           Timestamp timestamp) override;
  void visit_key(ByteView key, Timestamp end_min, Timestamp start_max,
                 SessionBytes::KeyVisitor visitor) const override;
  void visit_ended(Timestamp from, Timestamp to, SessionBytes::Visitor visitor) const override;
  void visit_all(SessionBytes::Visitor visitor) const override;
  void expire(Timestamp before) override;

  [[nodiscard]] StepTimes& times() override { return times_; }

  void commit(TimePoint now, Offset changelog_begin) override;
  void abort() override;
  void finish_restore(TimePoint now) override;

 private:
  struct ByTime {
    bool operator()(const SessionKey* left, const SessionKey* right) const;
  };

  [[nodiscard]] Timestamp first_live() const;

  void encode_key(const SessionKey& key, Bytes& to) const override;
  [[nodiscard]] bool restore_row(ByteView key, std::optional<ByteView> value,
                                 Timestamp timestamp) override;
  void visit_entries(ByteView from, const ByteScan::Visitor& visitor) const override;
  void row_appeared(const SessionKey& key) override;
  void row_vanished(const SessionKey& key) override;

  const std::chrono::milliseconds retention_;
  std::set<const SessionKey*, ByTime> by_time_;  // of the rows that are there
  std::int64_t latest_end_ = -1;
  std::int64_t committed_latest_end_ = -1;
};

}  // namespace penstock::store
