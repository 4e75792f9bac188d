// Rewriter copies what is still needed of a partition to the head of the log, with its offsets.
//
// move() copies a run as it is, so that the segment it lies in can go. compact() leaves out records
// of a compacted topic whose key has a newer record, and tombstones that have been there long
// enough. Both write ordinary groups and take effect with one last entry; until then, and if they
// fail, the copies mean nothing.
//
// Compaction goes over a partition twice: first the keys that came since the last time and their
// newest offsets are noted, as many as fit the limit, then everything up to there is copied but for
// what is outdated. Batches cover their offsets without gaps before and after, only records are
// gone.
//
// Invariants
//   I1  Of each key the newest record stays, with its offset, timestamp, value and headers.
//   I2  Every batch is checked before it is copied: damage is not carried on.
//
// Threads   one.
// Lifetime  the references outlive it.
// Errors    kBusy     queue or disk are full; try again later
//           kCorrupt  the source is damaged
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
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
      : shared_(shared), submitter_(submitter), reader_(shared.files) {}

  [[nodiscard]] Status move(const Run& run);

  [[nodiscard]] bool wants_compaction(const State& state, const Partition& partition) const;
  [[nodiscard]] Status compact(TopicPartition partition);

 private:
  class Sweep;

  struct KeyHash {
    using is_transparent = void;

    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>{}(key);
    }
  };

  // The newest offset of each key.
  using Newest = std::unordered_map<std::string, Offset, KeyHash, std::equal_to<>>;

  struct Copies {
    std::vector<MovedBatch> batches;
    std::size_t bytes = 0;
  };

  [[nodiscard]] RewriteId next_rewrite() const;
  // Calls `take` with the batches of the run, about a megabyte at a time.
  template <typename Take>
  [[nodiscard]] Status for_each_batch(const Run& run, Take take);
  [[nodiscard]] Status write_copies(Copies& copies);
  [[nodiscard]] Status finish(TopicPartition partition, RewriteId rewrite, Offset first,
                              Offset last);
  [[nodiscard]] Status give_up(TopicPartition partition, const Status& reason);

  [[nodiscard]] Status copy_run(const Run& run, RewriteId rewrite);
  [[nodiscard]] std::vector<Ref<Run>> sealed_runs(TopicPartition partition) const;
  [[nodiscard]] Result<std::size_t> note_newest(const std::vector<Ref<Run>>& runs, Newest& newest);
  [[nodiscard]] Status copy_newest(const std::vector<Ref<Run>>& runs, std::size_t run_count,
                                   const Newest& newest, RewriteId rewrite);

  Shared& shared_;
  Submitter& submitter_;
  SegmentReader reader_;
};

}  // namespace penstock::wal
