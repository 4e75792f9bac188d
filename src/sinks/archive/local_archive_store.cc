#include "sinks/archive/local_archive_store.h"

#include <utility>

namespace penstock::sinks {
namespace {

constexpr std::string_view kTopicPrefix = "topic=";

// The file itself, which stays.
class FileInPlace final : public LocalCopy {
 public:
  explicit FileInPlace(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  const std::string path_;
};

}  // namespace

Status LocalArchiveStore::open() {
  PENSTOCK_TRY(files_.create_directories(directory_));
  PENSTOCK_TRY_ASSIGN(lock_, files_.lock_file(os::join_path(directory_, ".lock")));
  return {};
}

Result<std::map<PartitionId, ArchivedPartition>> LocalArchiveStore::scan(const std::string& topic) {
  PENSTOCK_TRY_ASSIGN(auto archived, scan_topic(files_, directory_, topic));
  // A process that was killed after renaming its last file may not have made that durable. All
  // earlier ones were, or there would have been no later one.
  for (const auto& [id, partition] : archived) {
    PENSTOCK_TRY(files_.sync_directory(partition.newest_folder));
  }
  return archived;
}

Result<ArchiveEnd> LocalArchiveStore::look_up(const std::string& /*topic*/,
                                              PartitionId /*partition*/, Offset next) {
  return ArchiveEnd{next};  // nobody else writes, and nothing is begun before it is finished
}

Result<std::string> LocalArchiveStore::temporary_path(const std::string& topic,
                                                      PartitionId partition, HourIndex hour,
                                                      Offset first) {
  const std::string folder = hour_folder(directory_, topic, hour);
  PENSTOCK_TRY(files_.create_directories(folder));
  return os::join_path(folder, temporary_file_name(topic, partition, first));
}

Status LocalArchiveStore::publish(const FinishedFile& file) {
  const std::string folder = hour_folder(directory_, file.topic, file.hour);
  const std::string name = data_file_name(file.topic, file.partition, file.range);
  PENSTOCK_TRY(files_.rename(file.path, os::join_path(folder, name)));
  if (const Status synced = files_.sync_directory(folder); !synced.has_value()) {
    return Error(ErrorCode::kFatal, synced.error().message());
  }
  return {};
}

Status LocalArchiveStore::mark_missing(const std::string& topic, PartitionId partition,
                                       OffsetRange range) {
  const std::string path =
      os::join_path(topic_folder(directory_, topic), missing_file_name(topic, partition, range));
  PENSTOCK_TRY(files_.create_directories(os::parent_path(path)));
  return os::write_file_atomically(files_, path, as_bytes(kMissingText));
}

Result<std::vector<std::string>> LocalArchiveStore::topics() {
  std::vector<std::string> topics;
  PENSTOCK_TRY_ASSIGN(const bool exists, files_.exists(directory_));
  if (!exists) {
    return topics;
  }
  PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names, files_.list(directory_));
  for (const std::string& name : names) {
    if (name.starts_with(kTopicPrefix)) {
      topics.push_back(name.substr(kTopicPrefix.size()));
    }
  }
  return topics;
}

Result<std::vector<ArchivedFile>> LocalArchiveStore::list(const std::string& topic) {
  PENSTOCK_TRY_ASSIGN(auto found, list_topic(files_, directory_, topic, Leftovers::kKeep));
  sort_files(found);
  return found;
}

Result<std::vector<ArchivedFile>> LocalArchiveStore::begun(const std::string& /*topic*/) {
  return std::vector<ArchivedFile>();
}

Result<std::unique_ptr<LocalCopy>> LocalArchiveStore::fetch(const ArchivedFile& file) {
  return std::unique_ptr<LocalCopy>(
      std::make_unique<FileInPlace>(os::join_path(file.folder, file.name)));
}

}  // namespace penstock::sinks
