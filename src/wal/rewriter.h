// Rewriter copies what is still needed of a partition to the head of the log, with its offsets.
//
// move() copies a run as it is, so that the segment it lies in can go. compact() leaves out records
// of a compacted topic whose key has a newer record, and tombstones that have been there long
// enough. Both write ordinary groups and take effect with one last entry; until then, and if they
// fail, the copies mean nothing.
//
// Compaction goes over what came since the last time from its end to its beginning: the first
// record of a key that it meets is the newest. Then it copies these, and of what was compacted
// before the records whose keys it has not met. Batches cover their offsets without gaps before and
// after, only records are gone.
//
// Invariants
//   I1  Of each key the newest record stays, with its offset, timestamp, value and headers.
//   I2  Every batch is checked before it is copied: damage is not carried on.
//
// Threads   one; made before the writer runs, whose random source it asks.
// Lifetime  the references outlive it.
// Errors    kBusy     queue or disk are full; try again later
//           kCorrupt  the source is damaged
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "record/record_batch.h"
#include "wal/segment_reader.h"
#include "wal/state.h"
#include "wal/submitter.h"

namespace penstock::wal {

class Rewriter {
 public:
  Rewriter(Shared& shared, Submitter& submitter)
      : shared_(shared),
        submitter_(submitter),
        reader_(shared.files),
        hash_seed_(shared.random.next()) {}

  [[nodiscard]] Status move(const Run& run);

  [[nodiscard]] bool wants_compaction(const State& state, const Partition& partition) const;
  [[nodiscard]] Status compact(TopicPartition partition);

 private:
  class Sweep;

  struct Copies {
    std::vector<MovedBatch> batches;
    std::size_t bytes = 0;
  };

  [[nodiscard]] RewriteId next_rewrite() const;
  [[nodiscard]] Result<std::vector<IndexEntry>> entries_of(const Run& run);
  // Calls `take` with these batches of the run, in this order, read about a megabyte at a time.
  template <typename Take>
  [[nodiscard]] Status for_each_batch(const Run& run, const std::vector<IndexEntry>& entries,
                                      Take take);
  [[nodiscard]] Status write_copies(Copies& copies);
  [[nodiscard]] Status finish(TopicPartition partition, RewriteId rewrite, Offset first,
                              Offset last);
  [[nodiscard]] Status give_up(TopicPartition partition, const Status& reason);

  [[nodiscard]] Status copy_run(const Run& run, RewriteId rewrite);
  [[nodiscard]] std::vector<Ref<Run>> sealed_runs(TopicPartition partition) const;
  // What stays of a partition.
  struct Survivors;

  // Of as many runs, from the first on, as the limit for keys allows; at least of one that is new.
  [[nodiscard]] Result<Survivors> find_survivors(std::span<const Ref<Run>> runs);
  // False if the keys took too much memory.
  [[nodiscard]] Result<bool> note_survivors(std::span<const Ref<Run>> runs, Survivors& survivors);
  [[nodiscard]] Status note_survivors(const Run& run, Survivors& survivors);
  [[nodiscard]] Status copy_survivors(Survivors& survivors, RewriteId rewrite);
  [[nodiscard]] Status copy_old(const Run& run, Survivors& survivors, Sweep& sweep);
  [[nodiscard]] Status copy_new(const Run& run, Survivors& survivors, Sweep& sweep);
  // Before the batch `next` is added.
  [[nodiscard]] Status make_room(Sweep& sweep, const RecordBatchView& next);
  // What has been kept, as a batch up to `last`.
  [[nodiscard]] Status write_swept(Sweep& sweep, Offset last);
  [[nodiscard]] bool keeps_tombstones(const Run& run) const;

  Shared& shared_;
  Submitter& submitter_;
  SegmentReader reader_;
  std::uint64_t hash_seed_;
};

}  // namespace penstock::wal
