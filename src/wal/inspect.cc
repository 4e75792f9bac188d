#include "wal/inspect.h"

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "record/record_batch.h"
#include "wal/format.h"
#include "wal/proof.h"
#include "wal/scanner.h"

namespace penstock::wal {
namespace {

std::string place(const std::string& path, std::uint64_t position) {
  return path + ", position " + std::to_string(position);
}

class Inspector {
 public:
  Inspector(os::FileSystem& files, const std::string& directory)
      : files_(files), directory_(directory) {}

  Result<Inspection> run() {
    PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names, files_.list(directory_));
    std::vector<std::string> segments;  // numbered with leading zeros, so sorted by age
    for (const std::string& name : names) {
      if (parse_segment_file_name(name)) {
        segments.push_back(name);
      }
    }
    if (segments.empty()) {
      return Error(ErrorCode::kNotFound, "there is no log in " + directory_);
    }
    PENSTOCK_TRY_ASSIGN(proof_, read_proof(files_, directory_));
    for (const std::string& name : segments) {
      PENSTOCK_TRY(look_at(os::join_path(directory_, name), name == segments.back()));
    }
    return std::move(result_);
  }

 private:
  Status look_at(const std::string& path, bool newest) {
    PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file, files_.open(path, {}));
    SegmentReport report{path};
    auto scanner = SegmentScanner::open(*file, path);
    if (!scanner) {
      result_.damage.push_back(scanner.error().message());
      result_.segments.push_back(std::move(report));
      return {};
    }
    for (;;) {
      PENSTOCK_TRY_ASSIGN(const std::optional<ScannedGroup> group, scanner->next());
      if (!group) {
        break;
      }
      ++report.groups;
      count_batches(path, *group, report);
    }
    report.sound_bytes = scanner->position();
    PENSTOCK_TRY(judge_end(path, *scanner, newest));
    result_.segments.push_back(std::move(report));
    return {};
  }

  void count_batches(const std::string& path, const ScannedGroup& group, SegmentReport& report) {
    EntryReader entries(group.payload);
    for (Entry entry; entries.next(entry);) {
      const auto* batch = std::get_if<BatchEntry>(&entry);
      if (batch == nullptr) {
        continue;
      }
      ++report.batches;
      const auto view = RecordBatchView::parse(batch->bytes, RecordBatchView::Verify::kChecksum);
      if (!view) {
        result_.damage.push_back(place(path, group.payload_position()) + ": a batch of partition " +
                                 to_string(batch->to.partition) + " of topic number " +
                                 to_string(batch->to.topic) + ": " + view.error().message());
      }
    }
    if (!entries.status()) {
      result_.damage.push_back(place(path, group.payload_position()) + ": " +
                               entries.status().error().message());
    }
  }

  // The same question as at a start: was what is missing here ever on the disk?
  Status judge_end(const std::string& path, SegmentScanner& scanner, bool newest) {
    PENSTOCK_TRY_ASSIGN(const std::uint64_t synced, scanner.synced_behind());
    const bool proven = newest && proof_ && proof_->sequence >= scanner.expected_sequence();
    if (synced >= scanner.expected_sequence() || proven) {
      result_.damage.push_back(place(path, scanner.position()) + ": " + scanner.stop_reason() +
                               ", though group " + std::to_string(scanner.expected_sequence()) +
                               " had been written here");
      return {};
    }
    return {};
  }

  os::FileSystem& files_;
  const std::string& directory_;
  std::optional<Proof> proof_;
  Inspection result_;
};

}  // namespace

Result<Inspection> inspect(os::FileSystem& files, const std::string& directory) {
  return Inspector(files, directory).run();
}

}  // namespace penstock::wal
