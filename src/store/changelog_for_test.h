// MemoryChangelog keeps what stores write to their changelog, for tests: compacted, and to be
// restored from.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/state_store.h"

namespace penstock::store {

class MemoryChangelog final : public ChangelogSink {
 public:
  struct Entry {
    Offset offset;
    Timestamp timestamp;
    std::optional<std::string> value;
  };

  [[nodiscard]] RecordBatchBuilder& batch() override { return builder_; }

  [[nodiscard]] std::size_t& room() override { return room_; }

  void set_room(std::size_t size) { room_ = size; }

  [[nodiscard]] Offset end() const { return end_; }

  // What the store wrote since the last commit() or abort() becomes readable, or is forgotten.
  void commit() {
    for (const RecordView& record : records()) {
      entries_[std::string(as_text(*record.key))] = {
          end_, record.timestamp,
          record.value ? std::optional<std::string>(as_text(*record.value)) : std::nullopt};
      end_ += 1;
    }
    bytes_.clear();
  }

  void abort() {
    static_cast<void>(records());
    bytes_.clear();
  }

  // By key, the newest of each; tombstones are kept.
  [[nodiscard]] const std::map<std::string, Entry>& entries() const { return entries_; }

  // From where the store has got to.
  [[nodiscard]] Status restore(StateStore& store) const {
    const Offset from = store.restored_to().value_or(Offset(0));
    std::map<Offset, std::string> by_offset;
    for (const auto& [key, entry] : entries_) {
      if (entry.offset >= from) {
        by_offset[entry.offset] = key;
      }
    }
    for (const auto& [offset, key] : by_offset) {
      const Entry& entry = entries_.at(key);
      RecordBatchBuilder builder;
      builder.append(entry.timestamp, as_bytes(key),
                     entry.value ? std::optional(as_bytes(*entry.value)) : std::nullopt);
      RecordBatch batch = builder.finish();
      set_base_offset(batch.bytes, offset);
      PENSTOCK_TRY_ASSIGN(
          const RecordBatchView view,
          RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kHeaderOnly));
      PENSTOCK_TRY(store.restore(view));
    }
    return {};
  }

 private:
  std::vector<RecordView> records() {
    std::vector<RecordView> records;
    if (builder_.empty()) {
      return records;
    }
    bytes_ = builder_.finish().bytes;
    const auto view = RecordBatchView::parse(bytes_, RecordBatchView::Verify::kChecksum);
    PENSTOCK_CHECK(view.has_value());
    RecordReader reader(*view);
    for (RecordView record; reader.next(record);) {
      records.push_back(record);
    }
    return records;
  }

  RecordBatchBuilder builder_;
  Buffer bytes_;
  std::map<std::string, Entry> entries_;
  Offset end_{0};
  std::size_t room_ = static_cast<std::size_t>(-1);
};

}  // namespace penstock::store
