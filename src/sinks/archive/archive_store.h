// ArchiveStore is where the archive's files are: a local folder, or a bucket of an S3 server.
//
// ArchiveSink decides what goes into a file; the store gives it its name, once, such that each
// offset of a partition is in one file whatever crashes, and whoever else writes at the same time.
//
// Contract
//   A1  A file is there whole or not at all, and stays as it is.
//   A2  After publish() or mark_missing() has succeeded its range is in the archive for good.
//   A3  The ranges of a partition join, if each is begun where the one before it ended. Where
//       others write, too, a range that was begun must be finished as it was begun: look_up() tells
//       what that is.
// Threads   one; interrupt() from any.
// Errors    kRetry    the store is slow or away; look_up() tells what came of it
//           kBusy     no space, or another process has the store open
//           kAbortTxn somebody else has begun another range there: look_up(), then go on from that
//           kInvalid  the files contradict each other, or the store refuses; the message says what
//           kFatal    of publish(): it is not known whether the file counts; only a new store can
//                     tell
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "sinks/archive/archive_layout.h"

namespace penstock::sinks {

// A Parquet file that has no name yet.
struct FinishedFile {
  std::string path;
  std::uint64_t size = 0;
  std::string topic;
  PartitionId partition;
  HourIndex hour = 0;
  OffsetRange range;
  std::uint64_t row_count = 0;
};

// What the next file of a partition must be, because somebody has begun it: perhaps this process,
// before it was killed.
struct ArchiveClaim {
  HourIndex hour = 0;
  OffsetRange range;

  friend bool operator==(const ArchiveClaim&, const ArchiveClaim&) = default;
};

struct ArchiveEnd {
  Offset next;  // everything before it is in the archive
  std::optional<ArchiveClaim> claim = {};
};

// A file of the archive on this machine's disk; of a remote store a copy, gone with this object.
class LocalCopy {
 public:
  virtual ~LocalCopy() = default;
  [[nodiscard]] virtual const std::string& path() const = 0;
};

class ArchiveStore {
 public:
  virtual ~ArchiveStore() = default;

  // Before all else, by one process at a time.
  [[nodiscard]] virtual Status open() = 0;

  // "local", "s3": the label of the metrics.
  [[nodiscard]] virtual std::string kind() const = 0;
  // For messages.
  [[nodiscard]] virtual std::string place() const = 0;
  // Elsewhere, so that it may be away, or refuse us until somebody mends that.
  [[nodiscard]] virtual bool is_remote() const = 0;

  // What a topic has, after removing what an interrupted run left behind.
  [[nodiscard]] virtual Result<std::map<PartitionId, ArchivedPartition>> scan(
      const std::string& topic) = 0;

  // Where the archive of a partition ends, known to be at `next` or beyond.
  [[nodiscard]] virtual Result<ArchiveEnd> look_up(const std::string& topic, PartitionId partition,
                                                   Offset next) = 0;

  // Where a file may be written until it is published; its folder is there.
  [[nodiscard]] virtual Result<std::string> temporary_path(const std::string& topic,
                                                           PartitionId partition, HourIndex hour,
                                                           Offset first) = 0;
  // Takes the file away from its path, or leaves it there on error.
  [[nodiscard]] virtual Status publish(const FinishedFile& file) = 0;
  // These offsets are gone from the log, and are left out.
  [[nodiscard]] virtual Status mark_missing(const std::string& topic, PartitionId partition,
                                            OffsetRange range) = 0;

  // For readers; open() is not needed.
  [[nodiscard]] virtual Result<std::vector<std::string>> topics() = 0;
  // Data files and missing ranges, sorted by partition and offset.
  [[nodiscard]] virtual Result<std::vector<ArchivedFile>> list(const std::string& topic) = 0;
  // Files that were begun, by whomever, and are not there. Where a process writes, that may be true
  // for a moment.
  [[nodiscard]] virtual Result<std::vector<ArchivedFile>> begun(const std::string& topic) = 0;
  // kCorrupt: the copy is not what was written.
  [[nodiscard]] virtual Result<std::unique_ptr<LocalCopy>> fetch(const ArchivedFile& file) = 0;

  // Ends what waits for the store, soon, and makes all that follows fail.
  virtual void interrupt() {}
};

}  // namespace penstock::sinks
