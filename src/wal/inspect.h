// inspect() looks at a log directory without changing anything: which segments there are, how far
// each is sound, and what is damaged. It is what `penstock doctor` shows.
//
// It asks what a start would ask, with the start's own code (wal/recovery.h) on files that cannot
// be written; so whatever a start refuses is named here. Then it reads every group and every batch
// of all segments, of which a start reads the newest only: what would be refused when it is read is
// named, too. An unfinished write at the end is no damage: nobody was told of it.
//
// Threads   one.
// Errors    kNotFound  there is no such directory, or no log in it
//           kBusy      a process has the directory open: what it is writing would look unfinished
//           kInvalid   files of a newer version
//           kFatal     the disk fails
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "os/file_system.h"

namespace penstock::wal {

struct SegmentReport {
  std::string path;
  std::uint64_t groups = 0;
  std::uint64_t sound_bytes = 0;
  std::uint64_t batches = 0;
};

struct Inspection {
  std::vector<SegmentReport> segments;  // those that are needed, oldest first
  std::uint64_t torn_bytes = 0;         // of a write that was cut off; the next start removes it
  std::vector<std::string> foreign;     // paths of files that are not the log's; left alone
  std::vector<std::string> damage;      // one sentence each, with file and position
  // Offsets, one sentence each: whose loss was accepted, and what would be lost with this damage.
  std::vector<std::string> lost_before;
  std::vector<std::string> lost_if_accepted;
};

[[nodiscard]] Result<Inspection> inspect(os::FileSystem& files, const std::string& directory);

}  // namespace penstock::wal
