// LocalArchiveStore keeps the archive in a folder of this machine.
//
// A file is published by a renaming. Its contents are synced before, its folder after it, so a name
// that is there stands for contents that are there. One process has the folder, by a lock.
//
// Threads   one.
// Lifetime  `files` outlives it.
// Errors    as ArchiveStore
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "os/file_system.h"
#include "sinks/archive/archive_store.h"

namespace penstock::sinks {

class LocalArchiveStore final : public ArchiveStore {
 public:
  LocalArchiveStore(os::FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  [[nodiscard]] Status open() override;

  [[nodiscard]] std::string kind() const override { return "local"; }

  [[nodiscard]] std::string place() const override { return directory_; }

  [[nodiscard]] bool is_remote() const override { return false; }

  [[nodiscard]] Result<std::map<PartitionId, ArchivedPartition>> scan(
      const std::string& topic) override;
  [[nodiscard]] Result<ArchiveEnd> look_up(const std::string& topic, PartitionId partition,
                                           Offset next) override;
  [[nodiscard]] Result<std::string> temporary_path(const std::string& topic, PartitionId partition,
                                                   HourIndex hour, Offset first) override;
  [[nodiscard]] Status publish(const FinishedFile& file) override;
  [[nodiscard]] Status mark_missing(const std::string& topic, PartitionId partition,
                                    OffsetRange range) override;
  [[nodiscard]] Result<std::vector<std::string>> topics() override;
  [[nodiscard]] Result<std::vector<ArchivedFile>> list(const std::string& topic) override;
  // None: what is begun has no name yet.
  [[nodiscard]] Result<std::vector<ArchivedFile>> begun(const std::string& topic) override;
  [[nodiscard]] Result<std::unique_ptr<LocalCopy>> fetch(const ArchivedFile& file) override;

 private:
  os::FileSystem& files_;
  const std::string directory_;
  std::unique_ptr<os::FileLock> lock_;
};

}  // namespace penstock::sinks
