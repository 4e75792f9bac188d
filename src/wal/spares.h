// SpareSegments are files that wait to become the next segment: allocated, or used before.
//
// Writing to blocks that were written before is about twice as fast as to fresh ones, and a disk
// that fills up cannot stop a file that has its blocks. So emptied segments are kept, and one file
// is made ahead of its use.
//
// Threads   any: the writer takes, the keeper makes and adds.
// Lifetime  `files` outlives it.
// Errors    kBusy   no space
//           kFatal  the disk fails
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/guarded.h"
#include "core/result.h"
#include "os/file_system.h"

namespace penstock::wal {

class SpareSegments {
 public:
  SpareSegments(os::FileSystem& files, std::string directory, std::uint64_t segment_bytes)
      : files_(files), directory_(std::move(directory)), segment_bytes_(segment_bytes) {}

  // Makes a file and adds it.
  [[nodiscard]] Status make();
  // A file that is there under a spare's name already, at start.
  void adopt(std::uint64_t number);
  // Renames a retired segment; deletes it instead if `kept_max` are there, or its size does not
  // fit.
  [[nodiscard]] Status recycle(const std::string& segment_path, std::size_t kept_max);

  [[nodiscard]] std::optional<std::string> take();
  void give_back(std::string path);

  [[nodiscard]] std::size_t count() const;

 private:
  struct Known {
    std::vector<std::string> paths;
    std::uint64_t next_number = 1;
  };

  [[nodiscard]] std::string new_path();

  os::FileSystem& files_;
  const std::string directory_;
  const std::uint64_t segment_bytes_;
  Guarded<Known> known_;
};

}  // namespace penstock::wal
