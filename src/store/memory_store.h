// MemoryStore is what the byte stores in memory have in common: it makes a StateStore of a
// JournalMap.
//
// A kind of store adds how its keys are written to the changelog and read from it, and what it
// does with rows that come and go otherwise than by put().
//
// Threads   one.
// Errors    see StateStore.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/crc32c.h"
#include "store/byte_scan.h"
#include "store/byte_stores.h"
#include "store/journal_map.h"
#include "store/state_store.h"
#include "store/store_metadata.h"

namespace penstock::store {

template <typename Key>
class MemoryStore : public StateStore {
 public:
  // `definition` says in words what must not change while there is state.
  MemoryStore(std::string name, std::string_view definition)
      : name_(std::move(name)), definition_(crc32c(as_bytes(definition))) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  void flush(ChangelogSink& changelog) override {
    Bytes key;
    RecordBatchBuilder* batch = nullptr;
    std::size_t count = 0;
    for (const auto& change : map_.changes()) {
      const JournalRow& row = change.row->second;
      if (!row.is_present && !change.old.is_present) {
        continue;
      }
      if (count++ % ChangelogSink::kRecordsPerCall == 0) {
        batch = &changelog.batch();
      }
      key.clear();
      encode_key(change.row->first, key);
      batch->append(row.timestamp, ByteView(key),
                    row.is_present ? std::optional(as_bytes(row.value)) : std::nullopt);
    }
  }

  [[nodiscard]] std::string metadata(Offset /*changelog_begin*/) const override {
    return format_store_metadata(known());
  }

  void commit(TimePoint /*now*/, Offset /*changelog_begin*/) override {
    map_.commit();
    committed_times_ = times_;
  }

  void abort() override {
    map_.abort([this](const Key& key) { row_appeared(key); },
               [this](const Key& key) { row_vanished(key); });
    times_ = committed_times_;
  }

  [[nodiscard]] bool has_uncommitted() const override { return !map_.changes().empty(); }

  [[nodiscard]] std::size_t pending_bytes() const override {
    return map_.changes().size() * kChangelogRecordSize;
  }

  [[nodiscard]] bool wants_flush() const override { return false; }

  [[nodiscard]] Status begin_restore(std::string_view text) override {
    PENSTOCK_TRY(begin_with(text));
    return {};
  }

  [[nodiscard]] Status restore(const RecordBatchView& batch) override {
    RecordReader reader(batch);
    for (RecordView record; reader.next(record);) {
      const ByteView key = record.key.value_or(ByteView());
      if (!restore_row(key, record.value, record.timestamp)) {
        return Error(ErrorCode::kInvalid, "changelog of store \"" + name_ + "\", offset " +
                                              to_string(record.offset) + ": the key is malformed");
      }
    }
    map_.commit();
    return reader.status();
  }

  void finish_restore(TimePoint /*now*/) override { committed_times_ = times_; }

  [[nodiscard]] std::uint64_t size_bytes() const override { return map_.size_bytes(); }

  [[nodiscard]] std::uint64_t entry_count() const override { return map_.count(); }

  [[nodiscard]] std::vector<CompleteTo> complete_to() const override { return {}; }

  [[nodiscard]] StoreDescription describe() const override {
    StoreDescription description;
    description.name = name_;
    description.kind = StoreKind::kTable;
    description.group_by = {""};  // a key is one part: its bytes
    return description;
  }

  [[nodiscard]] std::unique_ptr<StoreScan> scan(ScanRequest request) const override {
    return std::make_unique<ByteScan>(
        [this](ByteView from, const ByteScan::Visitor& visitor) { visit_entries(from, visitor); },
        std::move(request));
  }

 protected:
  static constexpr std::size_t kChangelogRecordSize = 64;  // about

  virtual void encode_key(const Key& key, Bytes& to) const = 0;
  // False if the key is malformed.
  [[nodiscard]] virtual bool restore_row(ByteView key, std::optional<ByteView> value,
                                         Timestamp timestamp) = 0;
  // Every entry that a reader should see, by key, then window; keys from `from` on.
  virtual void visit_entries(ByteView from, const ByteScan::Visitor& visitor) const = 0;

  virtual void row_appeared(const Key& /*key*/) {}

  virtual void row_vanished(const Key& /*key*/) {}

  // What metadata() writes of every kind of store.
  [[nodiscard]] StoreMetadata known() const {
    StoreMetadata metadata;
    metadata.definition = definition_;
    metadata.stream_time = times_.observed;
    metadata.dropped_before = times_.emitted;
    return metadata;
  }

  // begin_restore(), with what else the metadata says.
  [[nodiscard]] Result<StoreMetadata> begin_with(std::string_view text) {
    PENSTOCK_CHECK(map_.rows().empty());
    PENSTOCK_TRY_ASSIGN(const StoreMetadata metadata,
                        parse_store_metadata(text, name_, definition_));
    times_ = {metadata.stream_time, metadata.dropped_before};
    return metadata;
  }

  [[nodiscard]] static StoredValue stored(const JournalRow& row) {
    return {as_bytes(row.value), row.timestamp};
  }

  JournalMap<Key> map_;
  StepTimes times_;

 private:
  const std::string name_;
  const std::uint32_t definition_;
  StepTimes committed_times_;
};

}  // namespace penstock::store
