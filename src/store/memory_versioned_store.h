// MemoryVersionedStore keeps the versions of each key, in memory.
//
// Changelog: key | int64 timestamp -> 1 | value, or 0 where the key holds nothing from then on; a
// version that is forgotten gets a tombstone. (Kafka Streams writes all versions under the bare key
// and has the topic's compaction wait until they have expired. Here compaction may come at any
// time.)
//
// A version is forgotten when the next one of its key is older than the history. So versions are
// looked at once more in the order of time, when the history's begin passes them: what came before
// them goes, and a version that says "nothing" goes itself.
//
// Threads   one.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "store/memory_store.h"
#include "store/versioned_bytes.h"

namespace penstock::store {

struct VersionKeyView {
  std::string_view key;
  std::int64_t time = 0;

  friend auto operator<=>(const VersionKeyView&, const VersionKeyView&) = default;
};

struct VersionKey {
  std::string key;
  std::int64_t time = 0;

  VersionKey(const VersionKeyView& view)  // NOLINT: its view, with memory
      : key(view.key), time(view.time) {}

  [[nodiscard]] VersionKeyView view() const { return {key, time}; }

  friend bool operator<(const VersionKey& left, const VersionKey& right) {
    return left.view() < right.view();
  }

  friend bool operator<(const VersionKey& left, const VersionKeyView& right) {
    return left.view() < right;
  }

  friend bool operator<(const VersionKeyView& left, const VersionKey& right) {
    return left < right.view();
  }
};

class MemoryVersionedStore final : public MemoryStore<VersionKey>, public VersionedBytes {
 public:
  MemoryVersionedStore(std::string name, std::chrono::milliseconds history);

  [[nodiscard]] std::optional<StoredValue> get(ByteView key) const override;
  [[nodiscard]] std::optional<StoredValue> get(ByteView key, Timestamp as_of) const override;
  Put put(ByteView key, std::optional<ByteView> value, Timestamp timestamp) override;

  [[nodiscard]] StepTimes& times() override { return times_; }

  void commit(TimePoint now, Offset changelog_begin) override;
  void abort() override;
  void finish_restore(TimePoint now) override;

 private:
  using Rows = JournalMap<VersionKey>::Map;

  struct ByTime {
    bool operator()(const VersionKey* left, const VersionKey* right) const {
      return left->time != right->time ? left->time < right->time : left->key < right->key;
    }
  };

  // The last version of the key at or before that time; none: end().
  [[nodiscard]] Rows::const_iterator find(std::string_view key, std::int64_t time) const;
  [[nodiscard]] Timestamp history_begin() const;
  void write(const VersionKeyView& at, std::optional<ByteView> value);
  void erase(const VersionKey& key);
  void forget_history();

  void encode_key(const VersionKey& key, Bytes& to) const override;
  [[nodiscard]] bool restore_row(ByteView key, std::optional<ByteView> value,
                                 Timestamp timestamp) override;
  // The latest of each key.
  void visit_entries(ByteView from, const ByteScan::Visitor& visitor) const override;
  void row_appeared(const VersionKey& key) override;
  void row_vanished(const VersionKey& key) override;

  const std::chrono::milliseconds history_;
  std::set<const VersionKey*, ByTime> by_time_;  // those not looked at once more
  std::vector<const VersionKey*> settled_;       // taken off by_time_ since the last commit
  std::int64_t latest_time_ = -1;
  std::int64_t committed_latest_time_ = -1;
  std::string value_;
};

}  // namespace penstock::store
