// inspect() looks at a log directory without changing anything: which segments there are, how far
// each is sound, and what is damaged. It is what `penstock doctor` shows.
//
// It reads every group of every segment and believes nothing it has not checked. An unfinished
// write at the end of the newest segment is no damage: nobody was told of it, and the next start
// cuts it off. Run it while no process has the directory open, or what is being written looks
// unfinished.
//
// Threads   one.
// Errors    kNotFound  there is no such directory, or no log in it
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
  std::vector<SegmentReport> segments;  // oldest first
  std::vector<std::string> damage;      // one sentence each, with file and position
};

[[nodiscard]] Result<Inspection> inspect(os::FileSystem& files, const std::string& directory);

}  // namespace penstock::wal
