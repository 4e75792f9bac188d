// Run is a piece of a partition inside one segment: batches that follow each other without a gap.
//
// It is how the log finds offsets. A partition is a list of runs that cover its offsets exactly,
// each one by one run; a run knows where each of its batches lies. Runs of older segments keep that
// list in the segment's index file (wal/index_file.h) instead of in memory.
//
// Invariants
//   I1  Each batch begins at the offset after the last one of the batch before it.
//   I2  All batches of a run were appended, or were moved by the same rewrite.
//   I3  A run whose segment is sealed does not grow any more.
//
// Threads   guarded by whoever owns the catalog; a Run whose entries were loaded by a reader for
//           itself belongs to that reader.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/ref_counted.h"
#include "record/types.h"
#include "wal/format.h"

namespace penstock::wal {

// The identity of one segment file. Whoever reads from the file holds a Ref, so that it is not
// reused meanwhile.
class Segment final : public RefCounted {
 public:
  Segment(SegmentNumber segment_number, const Uuid& segment_uuid, const std::string& directory)
      : number(segment_number),
        uuid(segment_uuid),
        path(os::join_path(directory, segment_file_name(segment_number))),
        index_path(os::join_path(directory, index_file_name(segment_number))) {}

  const SegmentNumber number;
  const Uuid uuid;
  const std::string path;
  const std::string index_path;
};

// Where one batch lies.
struct IndexEntry {
  Offset base;
  Timestamp max_timestamp;
  std::uint32_t last_delta = 0;
  std::uint32_t position = 0;  // of the batch's bytes in the segment
  std::uint32_t size = 0;

  [[nodiscard]] Offset last() const { return base + std::int64_t{last_delta}; }

  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

// What a run is, without its batches.
struct RunSummary {
  TopicPartition partition;
  RewriteId rewrite;
  Offset first;
  Offset last;
  Timestamp max_timestamp = kNoTimestamp;
  std::int64_t last_written_ms = 0;  // when the log took the last of it; for retention
  std::uint64_t size_bytes = 0;
  std::uint32_t entry_count = 0;
  // In the index file, once that is written:
  std::uint32_t entries_crc = 0;
  std::uint64_t entries_position = 0;

  friend bool operator==(const RunSummary&, const RunSummary&) = default;
};

class Run final : public RefCounted {
 public:
  Run(Ref<Segment> in, TopicPartition partition, RewriteId rewrite, const IndexEntry& first,
      std::int64_t written_ms)
      : segment(std::move(in)) {
    summary.partition = partition;
    summary.rewrite = rewrite;
    summary.first = first.base;
    add(first, written_ms);
  }

  // A run of a sealed segment, as its index file describes it.
  Run(Ref<Segment> in, const RunSummary& described) : segment(std::move(in)), summary(described) {}

  [[nodiscard]] bool continues_with(const IndexEntry& next) const {
    return next.base == summary.last + 1;
  }

  void add(const IndexEntry& next, std::int64_t written_ms) {
    entries.push_back(next);
    summary.last = next.last();
    summary.max_timestamp = std::max(summary.max_timestamp, next.max_timestamp);
    summary.last_written_ms = std::max(summary.last_written_ms, written_ms);
    summary.size_bytes += next.size;
    ++summary.entry_count;
  }

  // The entry that holds `offset`, which is in this run. Only if the entries are in memory.
  [[nodiscard]] std::size_t find(Offset offset) const { return find_in(entries, offset); }

  [[nodiscard]] static std::size_t find_in(const std::vector<IndexEntry>& entries, Offset offset) {
    const auto found = std::partition_point(entries.begin(), entries.end(),
                                            [&](const auto& e) { return e.last() < offset; });
    return static_cast<std::size_t>(found - entries.begin());
  }

  [[nodiscard]] bool in_memory() const { return entries.size() == summary.entry_count; }

  const Ref<Segment> segment;
  RunSummary summary;
  bool effective = false;           // it is what its partition shows, see wal/catalog.h
  std::vector<IndexEntry> entries;  // all of them, or none: then they are in the index file
};

// Puts the batches of one segment into runs, in the order in which they were written.
class RunCollector {
 public:
  explicit RunCollector(Ref<Segment> segment) : segment_(std::move(segment)) {}

  // `written_ms`: of its group, or its own if it was moved.
  void add(TopicPartition partition, RewriteId rewrite, const IndexEntry& entry,
           std::int64_t written_ms) {
    Ref<Run>& open = open_[{partition, rewrite}];
    if (open && open->continues_with(entry)) {
      open->add(entry, written_ms);
    } else {
      open = make_ref<Run>(segment_, partition, rewrite, entry, written_ms);
      runs_.push_back(open);
    }
  }

  [[nodiscard]] std::vector<Ref<Run>> take() {
    open_.clear();
    return std::exchange(runs_, {});
  }

 private:
  Ref<Segment> segment_;
  std::map<std::pair<TopicPartition, RewriteId>, Ref<Run>> open_;
  std::vector<Ref<Run>> runs_;
};

}  // namespace penstock::wal
