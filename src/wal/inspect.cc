#include "wal/inspect.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "os/clock.h"
#include "os/random.h"
#include "record/record_batch.h"
#include "telemetry/registry.h"
#include "wal/format.h"
#include "wal/recovery.h"
#include "wal/scanner.h"
#include "wal/spares.h"
#include "wal/state.h"

namespace penstock::wal {
namespace {

// A file whose changes are taken and forgotten.
class ReadOnlyFile final : public os::File {
 public:
  explicit ReadOnlyFile(std::unique_ptr<os::File> file) : file_(std::move(file)) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
    return file_->read_at(offset, into);
  }

  Status write_at(std::uint64_t, ByteView) override { return {}; }

  Status sync() override { return {}; }

  Status preallocate(std::uint64_t) override { return {}; }

  Status truncate(std::uint64_t) override { return {}; }

  Result<std::uint64_t> size() const override { return file_->size(); }

 private:
  std::unique_ptr<os::File> file_;
};

// Lets recovery tidy up as it does at a start, without touching the disk.
class ReadOnlyFiles final : public os::FileSystem {
 public:
  explicit ReadOnlyFiles(os::FileSystem& files) : files_(files) {}

  Result<std::unique_ptr<os::File>> open(const std::string& path,
                                         os::OpenOptions options) override {
    if (options.mode == os::OpenMode::kCreate) {
      return std::unique_ptr<os::File>(std::make_unique<ReadOnlyFile>(nullptr));
    }
    PENSTOCK_TRY_ASSIGN(std::unique_ptr<os::File> file, files_.open(path, {}));
    return std::unique_ptr<os::File>(std::make_unique<ReadOnlyFile>(std::move(file)));
  }

  Status create_directories(const std::string&) override { return {}; }

  Status sync_directory(const std::string&) override { return {}; }

  Result<std::vector<std::string>> list(const std::string& path) override {
    return files_.list(path);
  }

  Status rename(const std::string&, const std::string&) override { return {}; }

  Status remove(const std::string&) override { return {}; }

  Result<bool> exists(const std::string& path) override { return files_.exists(path); }

  Result<std::uint64_t> free_space(const std::string& path) override {
    return files_.free_space(path);
  }

  Result<std::unique_ptr<os::FileLock>> lock_file(const std::string& path) override {
    return files_.lock_file(path);
  }

 private:
  os::FileSystem& files_;
};

std::string place(const std::string& path, std::uint64_t position) {
  return path + " is damaged at position " + std::to_string(position);
}

bool is_file_of_the_log(const std::string& name) {
  return parse_segment_file_name(name) || parse_index_file_name(name) ||
         parse_spare_file_name(name) || name == kLockFileName || name == kProofFileName ||
         name.ends_with(kTemporarySuffix) || name.starts_with(kDamagedPrefix);
}

class Inspector {
 public:
  Inspector(os::FileSystem& files, const std::string& directory)
      : files_(files), directory_(directory) {}

  Result<Inspection> run() {
    PENSTOCK_TRY_ASSIGN(const bool there, files_.exists(directory_));
    if (!there) {
      return no_log();
    }
    const std::string lock_path = os::join_path(directory_, std::string(kLockFileName));
    PENSTOCK_TRY_ASSIGN(const bool was_open, files_.exists(lock_path));
    std::unique_ptr<os::FileLock> lock;
    if (was_open) {
      auto held = files_.lock_file(lock_path);
      if (!held) {
        return held.error().with("a server has to be stopped before its log can be looked at");
      }
      lock = *std::move(held);
    }
    PENSTOCK_TRY(look_at_names());
    PENSTOCK_TRY(look_as_a_start_does());
    return std::move(result_);
  }

 private:
  [[nodiscard]] Error no_log() const {
    return {ErrorCode::kNotFound, "there is no log in " + directory_};
  }

  Status look_at_names() {
    PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names, files_.list(directory_));
    bool any = false;
    for (const std::string& name : names) {
      any = any || parse_segment_file_name(name) || name == kProofFileName;
      if (!is_file_of_the_log(name)) {
        result_.foreign.push_back(os::join_path(directory_, name));
      }
    }
    return any ? Status() : no_log();
  }

  Status look_as_a_start_does() {
    Options options;
    options.directory = directory_;
    options.on_damage = OnDamage::kAcceptLoss;
    const os::RealClock clock;
    os::SeededRandom random(0);
    telemetry::Registry metrics;
    Shared shared(options, files_, clock, random, metrics);
    SpareSegments spares(files_, directory_, options.segment_bytes);
    RecoveryReport report;
    const auto recovered = recover(shared, spares, report);
    if (!recovered && recovered.error().code() != ErrorCode::kCorrupt) {
      return recovered.error();
    }
    result_.torn_bytes = report.torn_bytes;
    result_.lost_before = std::move(report.lost_before);
    result_.lost_if_accepted = std::move(report.lost_now);
    result_.damage = std::move(report.damage_accepted);
    if (!recovered) {
      result_.damage.push_back(recovered.error().message());
      return {};
    }
    return shared.state.with([this](State& state) -> Status {
      for (const auto& [number, segment] : state.catalog.segments()) {
        PENSTOCK_TRY(read_all(segment));
      }
      return {};
    });
  }

  Status read_all(const SegmentState& segment) {
    SegmentReport report{segment.segment->path};
    PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file, files_.open(report.path, {}));
    auto scanner = SegmentScanner::open(*file, report.path);
    if (!scanner) {
      return {};  // recovery has said so
    }
    while (scanner->position() < segment.end_position) {
      PENSTOCK_TRY_ASSIGN(const std::optional<ScannedGroup> group, scanner->next());
      if (!group && segment.damage_accepted) {  // before, or recovery has said so
        PENSTOCK_TRY_ASSIGN(const bool goes_on, scanner->skip_to_next_group());
        if (!goes_on) {
          break;
        }
        continue;
      }
      if (!group) {
        result_.damage.push_back(place(report.path, scanner->position()) + ": " +
                                 scanner->stop_reason());
        break;
      }
      ++report.groups;
      report.batches += count_batches(*group);
      if (!segment.damage_accepted) {
        check_batches(*group, report);
      }
    }
    report.sound_bytes = scanner->position();
    result_.segments.push_back(std::move(report));
    return {};
  }

  static std::uint64_t count_batches(const ScannedGroup& group) {
    std::uint64_t count = 0;
    EntryReader entries(group.payload);
    for (Entry entry; entries.next(entry);) {
      count += std::holds_alternative<BatchEntry>(entry) ? 1 : 0;
    }
    return count;
  }

  // Where damage was accepted, recovery has read what is still needed, and said what is wrong.
  void check_batches(const ScannedGroup& group, SegmentReport& report) {
    EntryReader entries(group.payload);
    for (Entry entry; entries.next(entry);) {
      const auto* batch = std::get_if<BatchEntry>(&entry);
      if (batch == nullptr) {
        continue;
      }
      const auto view = RecordBatchView::parse(batch->bytes, RecordBatchView::Verify::kChecksum);
      if (!view) {
        result_.damage.push_back(place(report.path, group.payload_position()) +
                                 ": a batch of partition " + to_string(batch->to.partition) +
                                 " of topic number " + to_string(batch->to.topic) + ": " +
                                 view.error().message());
      }
    }
    if (!entries.status()) {
      result_.damage.push_back(place(report.path, group.payload_position()) + ": " +
                               entries.status().error().message());
    }
  }

  ReadOnlyFiles files_;
  const std::string& directory_;
  Inspection result_;
};

}  // namespace

Result<Inspection> inspect(os::FileSystem& files, const std::string& directory) {
  return Inspector(files, directory).run();
}

}  // namespace penstock::wal
