#include "sinks/archive/archive_layout.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace penstock::sinks {
namespace {

constexpr std::string_view kDataSuffix = ".parquet";
constexpr std::string_view kMissingPrefix = "_";  // Arrow, Spark and Hive pass over such names
constexpr std::string_view kMissingSuffix = ".missing";
constexpr std::string_view kTemporarySuffix = ".tmp";
constexpr std::int64_t kMicrosecondsPerHour = 3'600'000'000;
constexpr HourIndex kHourMax =
    std::chrono::duration_cast<std::chrono::hours>(
        (std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}).time_since_epoch())
        .count();

struct NamedRange {
  PartitionId partition;
  OffsetRange range;
};

std::string range_name(const std::string& topic, PartitionId partition, OffsetRange range) {
  return topic + "-" + to_string(partition) + "-" + to_string(range.first) + "-" +
         to_string(range.last);
}

// Cuts "-<number>" off the end of `text`.
template <typename Number>
std::optional<Number> cut_number(std::string_view& text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos || dash + 1 == text.size()) {
    return std::nullopt;
  }
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data() + dash + 1, end, number);
  if (failure != std::errc{} || rest != end) {
    return std::nullopt;
  }
  text = text.substr(0, dash);
  return number;
}

// "<topic>-<partition>-<first>-<last>", the suffix already taken off.
std::optional<NamedRange> parse_range(std::string_view name, std::string_view topic) {
  const auto last = cut_number<std::int64_t>(name);
  const auto first = last ? cut_number<std::int64_t>(name) : std::nullopt;
  const auto partition = first ? cut_number<std::int32_t>(name) : std::nullopt;
  if (!partition || name != topic || *first > *last) {
    return std::nullopt;
  }
  return NamedRange{PartitionId(*partition), {Offset(*first), Offset(*last)}};
}

class TopicScan {
 public:
  TopicScan(os::FileSystem& files, const std::string& topic, Leftovers leftovers)
      : files_(files), topic_(topic), leftovers_(leftovers) {}

  Status read_topic_folder(const std::string& folder) {
    PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names, files_.list(folder));
    for (const std::string& name : names) {
      if (name.starts_with("dt=")) {
        PENSTOCK_TRY(read_day_folder(os::join_path(folder, name)));
      } else {
        PENSTOCK_TRY(read_file_name(Folder::kTopic, folder, name));
      }
    }
    return {};
  }

  std::vector<ArchivedFile> take() { return std::move(found_); }

 private:
  Status read_day_folder(const std::string& folder) {
    PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names, files_.list(folder));
    for (const std::string& name : names) {
      if (name.starts_with("hour=")) {
        PENSTOCK_TRY(read_hour_folder(os::join_path(folder, name)));
      }
    }
    return {};
  }

  Status read_hour_folder(const std::string& folder) {
    PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names, files_.list(folder));
    for (const std::string& name : names) {
      PENSTOCK_TRY(read_file_name(Folder::kHour, folder, name));
    }
    return {};
  }

  Status read_file_name(Folder kind, const std::string& folder, const std::string& name) {
    if (name.ends_with(kTemporarySuffix) &&
        (name.starts_with(".") || name.starts_with(kMissingPrefix))) {
      return leftovers_ == Leftovers::kRemove ? files_.remove(os::join_path(folder, name))
                                              : Status();
    }
    PENSTOCK_TRY_ASSIGN(auto file, parse_file_name(topic_, kind, folder, name));
    if (file.has_value()) {
      found_.push_back(*std::move(file));
    }
    return {};
  }

  os::FileSystem& files_;
  const std::string& topic_;
  const Leftovers leftovers_;
  std::vector<ArchivedFile> found_;
};

}  // namespace

HourIndex hour_of(std::int64_t microseconds) {
  return std::clamp<std::int64_t>(microseconds / kMicrosecondsPerHour, 0, kHourMax);
}

std::string topic_folder(const std::string& directory, const std::string& topic) {
  return os::join_path(directory, "topic=" + topic);
}

std::string hour_folder(const std::string& directory, const std::string& topic, HourIndex hour) {
  const std::chrono::sys_time<std::chrono::hours> moment{std::chrono::hours(hour)};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "/dt=%04d-%02u-%02u/hour=%02d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>((moment - day).count()));
  return topic_folder(directory, topic) + text.data();
}

std::string data_file_name(const std::string& topic, PartitionId partition, OffsetRange range) {
  return range_name(topic, partition, range) + std::string(kDataSuffix);
}

std::string missing_file_name(const std::string& topic, PartitionId partition, OffsetRange range) {
  return std::string(kMissingPrefix) + range_name(topic, partition, range) +
         std::string(kMissingSuffix);
}

std::string temporary_file_name(const std::string& topic, PartitionId partition, Offset first) {
  return "." + topic + "-" + to_string(partition) + "-" + to_string(first) +
         std::string(kTemporarySuffix);
}

Result<std::optional<ArchivedFile>> parse_file_name(const std::string& topic, Folder kind,
                                                    const std::string& folder,
                                                    const std::string& name) {
  const bool is_data = kind == Folder::kHour;
  const std::string_view prefix = is_data ? "" : kMissingPrefix;
  const std::string_view suffix = is_data ? kDataSuffix : kMissingSuffix;
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) {
    return std::optional<ArchivedFile>();  // readers of *.parquet do not see it
  }
  std::string_view range = name;
  range.remove_prefix(prefix.size());
  range.remove_suffix(suffix.size());
  const auto named = parse_range(range, topic);
  if (!named.has_value()) {
    return Error(ErrorCode::kInvalid, "the archive has a file that is not its own: " +
                                          os::join_path(folder, name) + "; move it away");
  }
  return std::optional(ArchivedFile{named->partition, named->range, folder, name, is_data});
}

void sort_files(std::vector<ArchivedFile>& files) {
  std::sort(files.begin(), files.end(), [](const ArchivedFile& left, const ArchivedFile& right) {
    return std::pair(left.partition, left.range.first) <
           std::pair(right.partition, right.range.first);
  });
}

Status check_join(const std::string& topic, const ArchivedFile& before, const ArchivedFile& after) {
  if (after.range.first == before.range.last + 1) {
    return {};
  }
  const std::string two =
      os::join_path(before.folder, before.name) + " and " + os::join_path(after.folder, after.name);
  if (after.range.first <= before.range.last) {
    return Error(ErrorCode::kInvalid,
                 "two files of the archive hold the same offsets: " + two + "; move one away");
  }
  const OffsetRange gap{before.range.last + 1, after.range.first + -1};
  return Error(ErrorCode::kInvalid,
               "the archive has a gap between " + two +
                   "; put the files between them back, or accept it with an empty file " +
                   missing_file_name(topic, before.partition, gap) + " in the topic's folder");
}

Result<std::map<PartitionId, ArchivedPartition>> join_files(const std::string& topic,
                                                            std::vector<ArchivedFile> files) {
  sort_files(files);
  std::map<PartitionId, ArchivedPartition> joined;
  const ArchivedFile* before = nullptr;
  for (const ArchivedFile& file : files) {
    if (before != nullptr && before->partition == file.partition) {
      PENSTOCK_TRY(check_join(topic, *before, file));
    }
    const auto [found, is_new] =
        joined.try_emplace(file.partition, ArchivedPartition{file.range, "", 0});
    ArchivedPartition& partition = found->second;
    partition.range.last = file.range.last;
    partition.newest_folder = file.folder;
    partition.file_count += file.is_data ? 1 : 0;
    before = &file;
  }
  return joined;
}

Result<std::vector<ArchivedFile>> list_topic(os::FileSystem& files, const std::string& directory,
                                             const std::string& topic, Leftovers leftovers) {
  const std::string folder = topic_folder(directory, topic);
  PENSTOCK_TRY_ASSIGN(const bool exists, files.exists(folder));
  TopicScan scan(files, topic, leftovers);
  if (exists) {
    PENSTOCK_TRY(scan.read_topic_folder(folder));
  }
  return scan.take();
}

Result<std::map<PartitionId, ArchivedPartition>> scan_topic(os::FileSystem& files,
                                                            const std::string& directory,
                                                            const std::string& topic) {
  PENSTOCK_TRY_ASSIGN(auto found, list_topic(files, directory, topic, Leftovers::kRemove));
  return join_files(topic, std::move(found));
}

}  // namespace penstock::sinks
