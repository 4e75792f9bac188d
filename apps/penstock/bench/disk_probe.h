// measure_disk finds out what the disk under a directory can do by itself, so that a reader can
// tell a result that the disk limits from one that the processor limits.
//
// It writes as the log does: into a preallocated file, through wal::AppendFile, each write durable
// before the next begins. Writes of one block tell what a sync costs, writes of 4 MiB how much goes
// through. The bytes are random, since some disks are fast with zeros.
//
// Errors    kBusy   the disk has too little room
//           kFatal  the disk failed
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/units.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace penstock::bench {

struct DiskSpeed {
  double mb_per_second_durable = 0;  // 1 MB = 1,000,000 bytes
  double sync_ms_p50 = 0;            // of a durable write of one block
};

struct DiskProbeOptions {
  std::string directory;                     // exists; gets a file that is removed again
  std::chrono::milliseconds time_max{1000};  // at least one write of each kind takes place
  std::uint64_t bytes_max = 512 * kMiB;      // and never more than half of what is free
};

inline constexpr std::size_t kDiskProbeWriteBytes = 4 * kMiB;

// What one by one the durable writes of a block and of kDiskProbeWriteBytes took; at least one of
// each.
struct DiskTimes {
  std::vector<std::chrono::nanoseconds> blocks;
  std::vector<std::chrono::nanoseconds> large_writes;
};

[[nodiscard]] DiskSpeed disk_speed(DiskTimes times);

[[nodiscard]] Result<DiskSpeed> measure_disk(os::FileSystem& files, const os::Clock& clock,
                                             const DiskProbeOptions& options);

}  // namespace penstock::bench
