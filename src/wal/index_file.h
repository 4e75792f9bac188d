// The index file of a sealed segment says which batches the segment holds, so that opening the log
// does not read all of it. It is a cache: everything in it can be read from the segment again.
//
//   header, run summary ..., batch entries ...     docs/formats/log.md
//
// The header and the summaries have one checksum and each run's entries have another, so that
// opening reads a few kilobytes and a reader reads the entries of one run. A file that does not
// match its segment (UUID, end, last group) or its checksums is as good as absent.
//
// Threads   functions; no state.
// Errors    kNotFound  no index file
//           kCorrupt   not this segment's, or damaged: scan the segment instead
#pragma once

#include <vector>

#include "core/result.h"
#include "os/file_system.h"
#include "wal/catalog.h"
#include "wal/run.h"

namespace penstock::wal {

// The file's contents. Sets where each run's entries lie in its summary.
[[nodiscard]] Bytes encode_index(const SegmentState& segment);

// The runs of the segment, without their entries.
[[nodiscard]] Result<std::vector<Ref<Run>>> read_index_summaries(os::FileSystem& files,
                                                                 const SegmentState& segment);

[[nodiscard]] Result<std::vector<IndexEntry>> read_index_entries(os::FileSystem& files,
                                                                 const Run& run);

// What there is to scan of a segment.
struct ScanRange {
  Ref<Segment> segment;
  std::uint64_t end_position = 0;
  bool accept_loss = false;  // go on behind damage
};

// The runs with their entries, by reading the segment itself. kCorrupt names file and position.
[[nodiscard]] Result<std::vector<Ref<Run>>> scan_runs(os::FileSystem& files,
                                                      const ScanRange& range);

// The entries of a run that are not in memory, from the index file or else from the segment.
[[nodiscard]] Result<std::vector<IndexEntry>> load_entries(os::FileSystem& files, const Run& run,
                                                           const ScanRange& range);

// Checks a batch's own header and says where it lies. kCorrupt if it is not a sound batch.
[[nodiscard]] Result<IndexEntry> index_batch(ByteView batch, std::uint64_t position);

}  // namespace penstock::wal
