// StateStore is what the engine knows of a store: how to make it durable, to bring it back, and to
// read it. What a processor does with it (counting, putting) is the business of its real type.
//
// A store changes between two commits; flush() writes what changed to the changelog; then either
// commit() makes it the committed state or abort() takes it back. The changelog and a short text,
// metadata(), committed with the consumed offsets in the same transaction, are all that a restart
// needs: begin_restore(metadata), restore(batch)..., finish_restore().
//
// Invariants
//   I1  After abort() everything is as it was after the last commit() or finish_restore().
//   I2  A store restored from its changelog and metadata equals the one that wrote them.
//   I3  scan() sees committed state: it is only called, and its scan only advanced, while nothing
//       is uncommitted (checked).
//
// Threads   one: that of the task which owns the store.
// Errors    kInvalid  restore: the changelog or metadata was written by another kind of store
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "record/record_batch.h"
#include "record/types.h"
#include "store/key.h"
#include "store/query.h"

namespace penstock::store {

using TimePoint = std::chrono::steady_clock::time_point;

// Where a store writes its changelog; the engine puts it into the log.
class ChangelogSink {
 public:
  virtual ~ChangelogSink() = default;

  // The batch to append to. Ask again after every kRecordsPerCall records: a full batch is
  // sent off and another one begun.
  [[nodiscard]] virtual RecordBatchBuilder& batch() = 0;

  // Bytes that this commit still takes of what can as well be written with a later one, such as
  // tombstones. Who writes some takes it from here, and stops when nothing is left.
  [[nodiscard]] virtual std::size_t& room() = 0;

  static constexpr std::size_t kRecordsPerCall = 256;
};

// Where a page begins: after this entry in the order of answers.
struct ScanPosition {
  Key key;
  Timestamp window_start;
};

// A StoreQuery as a store understands it.
struct ScanRequest {
  std::optional<std::vector<Key>> keys;  // these only, in ascending order; absent: all
  std::optional<Timestamp> from;
  std::optional<Timestamp> to;
  std::optional<ScanPosition> after;
  std::size_t limit = 0;
};

// One entry found, with what is needed to sort it among those of other partitions.
struct ScanEntry {
  ScanPosition position;
  StoreEntry entry;
};

// The state of a query that is being answered, over several slices.
class StoreScan {
 public:
  virtual ~StoreScan() = default;

  // Looks at about `row_count` further rows. True when done.
  [[nodiscard]] virtual bool advance(std::size_t row_count) = 0;
  // Sorted; `limit` + 1 of them if there are more. Once, when done.
  [[nodiscard]] virtual std::vector<ScanEntry> take() = 0;
};

class StateStore {
 public:
  virtual ~StateStore() = default;

  [[nodiscard]] virtual const std::string& name() const = 0;

  virtual void flush(ChangelogSink& changelog) = 0;
  // `changelog_begin` is an offset that none of the records written since the last commit is below:
  // where the changelog ended before this transaction.
  [[nodiscard]] virtual std::string metadata(Offset changelog_begin) const = 0;
  virtual void commit(TimePoint now, Offset changelog_begin) = 0;
  virtual void abort() = 0;
  [[nodiscard]] virtual bool has_uncommitted() const = 0;

  // About what flush() would write now.
  [[nodiscard]] virtual std::size_t pending_bytes() const = 0;
  // True if flush() has something to write although nothing was processed.
  [[nodiscard]] virtual bool wants_flush() const = 0;

  [[nodiscard]] virtual Status begin_restore(std::string_view metadata) = 0;
  [[nodiscard]] virtual Status restore(const RecordBatchView& batch) = 0;
  virtual void finish_restore(TimePoint now) = 0;

  // Of a store on a disk. It may be described, but not used, before one of the two begin_...().
  [[nodiscard]] virtual bool is_on_disk() const { return false; }

  // Instead of restoring: nothing was ever committed.
  [[nodiscard]] virtual Status begin_empty() { return {}; }

  // After begin_restore(): everything before this offset of the changelog is there already.
  // Absent: nothing is.
  [[nodiscard]] virtual std::optional<Offset> restored_to() const { return std::nullopt; }

  // The changelog does not go on from there; it will be restored from its start.
  [[nodiscard]] virtual Status forget(std::string_view /*why*/) { return {}; }

  // Asked before what was done since the last commit becomes durable. kRetry: the store could not
  // be read or written; it must be made anew and restored.
  [[nodiscard]] virtual Status status() const { return {}; }

  // Memory in use. A store that can free some has something evictable: its oldest closed window.
  [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
  [[nodiscard]] virtual std::uint64_t entry_count() const = 0;

  [[nodiscard]] virtual std::optional<Timestamp> oldest_evictable() const { return std::nullopt; }

  virtual void evict_oldest() {}

  // Memory of what is leaving already: evicted, but not yet taken out of the changelog.
  [[nodiscard]] virtual std::uint64_t leaving_bytes() const { return 0; }

  struct WindowCounts {
    std::uint64_t closed = 0;
    std::uint64_t dropped = 0;
  };

  // Since the last call.
  [[nodiscard]] virtual WindowCounts take_window_counts() { return {}; }

  // Up to where the source topic is contained in the committed state, as far as is known.
  [[nodiscard]] virtual std::vector<CompleteTo> complete_to() const = 0;
  // Everything of it but the figures of partitions.
  [[nodiscard]] virtual StoreDescription describe() const = 0;
  [[nodiscard]] virtual std::unique_ptr<StoreScan> scan(ScanRequest request) const = 0;
};

}  // namespace penstock::store
