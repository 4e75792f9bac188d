// MemoryWindowStore keeps a value per key and window start, in memory; or, for joins, all values.
//
// Changelog: a WindowKey -> value, with the value's timestamp.
//
// Threads   one.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "store/memory_store.h"
#include "store/window_key.h"

namespace penstock::store {

class MemoryWindowStore final : public MemoryStore<WindowKey>, public WindowBytes {
 public:
  enum class Duplicates : std::uint8_t { kReplace, kKeep };

  struct Options {
    std::string name;
    std::chrono::milliseconds window{0};  // for readers: how long a window is
    std::chrono::milliseconds retention{0};
    Duplicates duplicates = Duplicates::kReplace;
  };

  explicit MemoryWindowStore(Options options);

  // What of the options must not change while there is state.
  [[nodiscard]] static std::string definition(const Options& options);

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

  [[nodiscard]] StepTimes& times() override { return times_; }

  [[nodiscard]] std::string metadata(Offset changelog_begin) const override;
  void commit(TimePoint now, Offset changelog_begin) override;
  void abort() override;
  [[nodiscard]] Status begin_restore(std::string_view text) override;
  void finish_restore(TimePoint now) override;

 private:
  struct ByTime {
    bool operator()(const WindowKey* left, const WindowKey* right) const {
      return left->start != right->start ? left->start < right->start : *left < *right;
    }
  };

  using Rows = JournalMap<WindowKey>::Map;

  [[nodiscard]] Timestamp first_live() const;

  void encode_key(const WindowKey& key, Bytes& to) const override;
  [[nodiscard]] bool restore_row(ByteView key, std::optional<ByteView> value,
                                 Timestamp timestamp) override;
  void visit_entries(ByteView from, const ByteScan::Visitor& visitor) const override;
  void row_appeared(const WindowKey& key) override;
  void row_vanished(const WindowKey& key) override;

  const Options options_;
  std::set<const WindowKey*, ByTime> by_time_;  // of the rows that are there
  std::int64_t latest_start_ = -1;
  std::int64_t committed_latest_start_ = -1;
  std::uint32_t last_number_ = 0;
  std::uint32_t committed_last_number_ = 0;
};

}  // namespace penstock::store
