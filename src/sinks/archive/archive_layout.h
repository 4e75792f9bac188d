// The names and folders of the archive, which are also its memory of what it has written.
//
//   <directory>/topic=web/dt=2024-05-01/hour=12/web-3-1000-1999.parquet
//
// holds offsets 1000 to 1999 of partition 3 of topic web, accepted in that hour (UTC). While it is
// written it is `.web-3-1000.tmp` in the same folder. `topic=web/_web-3-500-999.missing` says that
// these offsets were gone from the log before they could be archived, or are left out on purpose.
// Format: docs/formats/archive.md.
//
// The same names below `directory` are the keys of objects in a bucket.
//
// Errors    kInvalid  two files overlap, offsets between files are missing, or a file ends in
//                     .parquet and is not ours; the message names them
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "os/file_system.h"
#include "record/types.h"

namespace penstock::sinks {

// Consecutive offsets, both ends included.
struct OffsetRange {
  Offset first;
  Offset last;

  friend bool operator==(const OffsetRange&, const OffsetRange&) = default;
};

// Whole hours since 1970-01-01T00:00:00Z.
using HourIndex = std::int64_t;

// Times outside of the years 1970 to 9999 count as the nearest hour within.
[[nodiscard]] HourIndex hour_of(std::int64_t microseconds);

[[nodiscard]] std::string topic_folder(const std::string& directory, const std::string& topic);
// "<directory>/topic=<topic>/dt=YYYY-MM-DD/hour=HH"
[[nodiscard]] std::string hour_folder(const std::string& directory, const std::string& topic,
                                      HourIndex hour);

[[nodiscard]] std::string data_file_name(const std::string& topic, PartitionId partition,
                                         OffsetRange range);
[[nodiscard]] std::string missing_file_name(const std::string& topic, PartitionId partition,
                                            OffsetRange range);
[[nodiscard]] std::string temporary_file_name(const std::string& topic, PartitionId partition,
                                              Offset first);

// What is in a missing_file_name(); its name is what counts.
inline constexpr std::string_view kMissingText =
    "The log no longer had these records when the archive came to them.\n";

// One file of the archive, by its name.
struct ArchivedFile {
  PartitionId partition;
  OffsetRange range;
  std::string folder;
  std::string name;
  bool is_data = true;  // else a range that is left out
};

// What the file `name` of `folder` is: data in hour folders, a missing range in the topic's.
// Nothing if it is somebody's notes.
enum class Folder : std::uint8_t { kTopic, kHour };
[[nodiscard]] Result<std::optional<ArchivedFile>> parse_file_name(const std::string& topic,
                                                                  Folder kind,
                                                                  const std::string& folder,
                                                                  const std::string& name);

void sort_files(std::vector<ArchivedFile>& files);

// Nothing if `after` begins where `before`, of the same partition, ends.
[[nodiscard]] Status check_join(const std::string& topic, const ArchivedFile& before,
                                const ArchivedFile& after);

// What one partition has in the archive.
struct ArchivedPartition {
  OffsetRange range;             // without gaps
  std::string newest_folder;     // of the file that ends it
  std::uint64_t file_count = 0;  // data files
};

// By partition; checks that the files of each join without gap or overlap.
[[nodiscard]] Result<std::map<PartitionId, ArchivedPartition>> join_files(
    const std::string& topic, std::vector<ArchivedFile> files);

enum class Leftovers : std::uint8_t { kKeep, kRemove };

// The files of a topic in a local folder; what an interrupted run left behind may be removed.
[[nodiscard]] Result<std::vector<ArchivedFile>> list_topic(os::FileSystem& files,
                                                           const std::string& directory,
                                                           const std::string& topic,
                                                           Leftovers leftovers);

// list_topic() without leftovers, and join_files().
[[nodiscard]] Result<std::map<PartitionId, ArchivedPartition>> scan_topic(
    os::FileSystem& files, const std::string& directory, const std::string& topic);

}  // namespace penstock::sinks
