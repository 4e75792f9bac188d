// TableStore keeps the latest event of each key, in memory.
//
// The latest is the one with the largest timestamp (as in Kafka Streams' versioned tables); of
// equal ones that with the larger partition number, then offset. So the result does not depend on
// the order in which partitions were read. An event without a value removes its key.
//
// Format of the changelog: docs/formats/table-changelog.md.
//
// Threads   one.
// Errors    see StateStore.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/block_pool.h"
#include "store/event_copy.h"
#include "store/group_lookup.h"
#include "store/key_order.h"
#include "store/row_table.h"
#include "store/state_store.h"
#include "store/store_metadata.h"

namespace penstock::store {

class TableStore final : public StateStore {
 public:
  static constexpr std::size_t kGroupSize = kGroupSizeMax;

  struct Options {
    std::string name;
    std::string topic;                  // for describe()
    std::vector<std::string> group_by;  // for describe()
    std::uint64_t hash_seed = 0;
  };

  struct Update {
    KeyView key;
    std::optional<ByteView> value;  // absent: remove the key
    EventOrigin origin;
  };

  explicit TableStore(Options options);
  ~TableStore() override;

  // At most kGroupSize; copies what it keeps.
  void put(std::span<const Update> updates);

  // complete_to() will tell of this partition of the source topic.
  void declare_source(PartitionId partition);

  // Everything of the source topic's partition before `next_offset` is in the table.
  void set_complete(PartitionId partition, Offset next_offset) {
    complete_[partition] = next_offset;
  }

  [[nodiscard]] const std::string& name() const override { return options_.name; }

  void flush(ChangelogSink& changelog) override;
  [[nodiscard]] std::string metadata(Offset changelog_begin) const override;
  void commit(TimePoint now, Offset changelog_begin) override;
  void abort() override;

  [[nodiscard]] bool has_uncommitted() const override { return !touched_.empty(); }

  [[nodiscard]] std::size_t pending_bytes() const override { return pending_bytes_; }

  [[nodiscard]] bool wants_flush() const override { return false; }

  [[nodiscard]] Status begin_restore(std::string_view metadata) override;
  [[nodiscard]] Status restore(const RecordBatchView& batch) override;
  void finish_restore(TimePoint now) override;

  [[nodiscard]] std::uint64_t size_bytes() const override;

  [[nodiscard]] std::uint64_t entry_count() const override { return live_count_; }

  [[nodiscard]] std::vector<CompleteTo> complete_to() const override;
  [[nodiscard]] StoreDescription describe() const override;
  [[nodiscard]] std::unique_ptr<StoreScan> scan(ScanRequest request) const override;

 private:
  friend class TableScan;

  // What the cells of a row hold.
  struct Entry {
    std::byte* block = nullptr;  // of values_; none: the row does not exist
    std::uint64_t size = 0;      // of the value, which may be smaller than the block
    std::uint64_t block_size = 0;
    EventOrigin origin;

    [[nodiscard]] static Entry load(const std::uint64_t* row);
    void store(std::uint64_t* row) const;

    [[nodiscard]] ByteView value() const { return {block, size}; }
  };

  static constexpr std::size_t kCellCount = 6;

  void apply(RowId id, const Update& update);
  // Notes the old entry. True if this is the row's first change since the last commit.
  bool touch(RowId id, std::uint64_t* row);
  void set_value(Entry& entry, ByteView value);
  void release(const Entry& entry);
  [[nodiscard]] Status restore_record(const RecordView& record);
  [[nodiscard]] std::uint32_t definition_hash() const;

  const Options options_;
  RowTable rows_;
  mutable KeyOrder order_;          // for listings
  mutable bool is_listed_ = false;  // since the last commit
  std::optional<TimePoint> listed_at_;
  BlockPool values_;
  std::uint64_t live_count_ = 0;
  std::uint64_t epoch_ = 1;  // counts commits and aborts
  // Since the last commit:
  std::vector<RowId> touched_;
  std::vector<Entry> undo_;  // the old entry of each
  std::size_t pending_bytes_ = 0;
  Completeness complete_;
  Completeness committed_complete_;
};

}  // namespace penstock::store
