// RocksStore is what the byte stores in RocksDB have in common: it makes a StateStore of a
// RocksTable.
//
// Beside the rows the database holds a note: up to which offset of the changelog it reaches, whose
// state it is (a random number that is also in the store's metadata, given when there was no state
// yet) and how many commits are in it. When the store begins, the metadata says what was committed
// last. A database with less is brought up to that from the changelog. One that is damaged, of
// another state or definition, too old, or has more than was committed (the log lost something), is
// removed and restored from the changelog's start.
//
// The changelog and metadata are those of the stores in memory: a store may move between the two.
//
// Invariants
//   I1  The database never holds anything of a transaction that was not committed.
//   I2  Replaying the changelog from the note's offset on leads to what was committed last.
//
// Threads   one.
// Lifetime  the environment outlives it.
// Errors    kRetry   begin_...() and status(): the disk refused; or what was read is damaged, and
//                    is removed with this object
//           kInvalid see StateStore; there is no environment
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/byte_scan.h"
#include "store/byte_stores.h"
#include "store/rocks_environment.h"
#include "store/rocks_table.h"
#include "store/state_store.h"
#include "store/store_metadata.h"

namespace penstock::store {

class RocksStore : public StateStore {
 public:
  // `definition` says in words what must not change while there is state.
  RocksStore(std::string name, std::string_view definition, RocksPlace place);
  ~RocksStore() override;

  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;

  [[nodiscard]] const std::string& name() const override { return name_; }

  void flush(ChangelogSink& changelog) override;
  [[nodiscard]] std::string metadata(Offset changelog_begin) const override;
  void commit(TimePoint now, Offset changelog_begin) override;
  void abort() override;
  [[nodiscard]] bool has_uncommitted() const override;
  [[nodiscard]] std::size_t pending_bytes() const override;
  // When much was read and nothing committed: a commit lets it go.
  [[nodiscard]] bool wants_flush() const override;

  [[nodiscard]] Status begin_restore(std::string_view text) override;
  [[nodiscard]] Status restore(const RecordBatchView& batch) override;
  void finish_restore(TimePoint now) override;

  [[nodiscard]] bool is_on_disk() const override { return true; }

  [[nodiscard]] Status begin_empty() override;

  [[nodiscard]] std::optional<Offset> restored_to() const override { return position_; }

  [[nodiscard]] Status forget(std::string_view why) override;
  [[nodiscard]] Status status() const override;

  // The part that is not in the database. What all databases use is bounded by the environment.
  [[nodiscard]] std::uint64_t size_bytes() const override;

  [[nodiscard]] std::uint64_t entry_count() const override { return state_.count; }

  [[nodiscard]] std::vector<CompleteTo> complete_to() const override { return {}; }

  [[nodiscard]] StoreDescription describe() const override;
  [[nodiscard]] std::unique_ptr<StoreScan> scan(ScanRequest request) const override;

 protected:
  // What is not a row, but changes and is taken back with the rows.
  struct State {
    StepTimes times;
    std::uint64_t count = 0;        // of rows
    std::int64_t latest = -1;       // the largest time that a row was put for
    std::uint32_t last_number = 0;  // see StoreMetadata
    // No row is there for a time before. Known from experience only.
    std::int64_t oldest = std::numeric_limits<std::int64_t>::min();
  };

  // Keys of rows begin with this letter; the other keys are the kind's own, and not in the
  // changelog.
  static constexpr char kRow = 'k';
  static constexpr std::string_view kRowsEnd = "l";

  // The key of a row as it is in the changelog.
  virtual void encode_key(std::string_view row, Bytes& to) const = 0;
  // A change that is in the changelog. False if the key is malformed.
  [[nodiscard]] virtual bool restore_row(ByteView key, std::optional<ByteView> value,
                                         Timestamp timestamp) = 0;
  // Every entry that a reader should see, by key, then window; keys from `from` on.
  virtual void visit_entries(ByteView from, const ByteScan::Visitor& visitor) const = 0;

  [[nodiscard]] RocksTable& table();
  [[nodiscard]] const RocksTable& table() const;

  State state_;

 private:
  [[nodiscard]] Status open();
  [[nodiscard]] Status discard(std::string_view why);
  // Takes over what the database holds; absent if it is of no use, and why.
  [[nodiscard]] std::optional<std::string> why_useless(const StoreMetadata& committed);
  void commit_to(Offset position);
  [[nodiscard]] std::uint32_t new_state_id() const;

  const std::string name_;
  const std::uint32_t definition_;
  const RocksPlace place_;
  std::unique_ptr<RocksTable> table_;
  State committed_;
  std::optional<Offset> position_;  // in the changelog: what comes before is in the database
  Timestamp noted_at_{0};           // by the wall clock
  std::uint32_t state_id_ = 0;
  std::uint64_t commit_count_ = 0;
};

}  // namespace penstock::store
