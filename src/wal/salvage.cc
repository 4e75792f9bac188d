#include "wal/salvage.h"

#include <optional>
#include <utility>

#include "wal/index_file.h"
#include "wal/segment_reader.h"

namespace penstock::wal {
namespace {

bool is_damage(const Status& status) {
  return !status && status.error().code() == ErrorCode::kCorrupt;
}

class Salvage {
 public:
  Salvage(os::FileSystem& files, const SegmentState& segment)
      : files_(files), segment_(segment), reader_(files), sound_(segment.segment) {}

  Result<Salvaged> run(const std::function<bool(const RunSummary&)>& needed) {
    PENSTOCK_TRY(find_runs());
    for (std::size_t i = 0; i < result_.runs.size(); ++i) {
      const RunSummary& run = result_.runs[i]->summary;
      PENSTOCK_TRY(check_run(run, entries_[i], needed(run)));
    }
    if (batch_is_lost_) {
      result_.runs = sound_.take();
      result_.has_index = false;
    } else if (damaged_group_.has_value()) {  // else the batches in it say more
      result_.damage.push_back(damaged_group_->message());
    }
    return std::move(result_);
  }

 private:
  Status find_runs() {
    PENSTOCK_TRY_ASSIGN(std::vector<Ref<Run>> scanned, scan());
    if (find_runs_of_index()) {
      return {};
    }
    result_.runs = std::move(scanned);
    for (const Ref<Run>& run : result_.runs) {
      entries_.push_back(run->entries);
    }
    return {};
  }

  // The runs of the sound groups.
  Result<std::vector<Ref<Run>>> scan() {
    ScanRange range{segment_.segment, segment_.end_position, false};
    auto all = scan_runs(files_, range);
    if (all || !is_damage(all.error())) {
      return all;
    }
    if (!segment_.damage_accepted) {
      damaged_group_ = all.error();
    }
    range.accept_loss = true;
    auto sound = scan_runs(files_, range);
    if (!sound && sound.error().code() == ErrorCode::kCorrupt) {
      return std::vector<Ref<Run>>();  // it does not begin soundly
    }
    return sound;
  }

  bool find_runs_of_index() {
    const auto runs = read_index_summaries(files_, segment_);
    if (!runs) {
      return false;
    }
    for (const Ref<Run>& run : *runs) {
      auto entries = read_index_entries(files_, *run);
      if (!entries) {
        entries_.clear();
        return false;
      }
      entries_.push_back(*std::move(entries));
    }
    result_.runs = *runs;
    result_.has_index = true;
    return true;
  }

  // Of damaged batches that follow each other only the first is told.
  Status check_run(const RunSummary& run, const std::vector<IndexEntry>& entries, bool needed) {
    bool told = false;
    for (const IndexEntry& entry : entries) {
      const Status sound = needed ? check_entry(run, entry) : Status();
      if (is_damage(sound)) {
        batch_is_lost_ = true;
        if (!std::exchange(told, true)) {
          result_.damage.push_back(sound.error().message());
        }
        continue;
      }
      PENSTOCK_TRY(sound);
      told = false;
      sound_.add(run.partition, run.rewrite, entry, run.last_written_ms);
    }
    return {};
  }

  Status check_entry(const RunSummary& run, const IndexEntry& entry) {
    std::vector<WantedBatch> batch;
    batch.push_back({run.partition, segment_.segment, entry, {}, nullptr});
    return reader_.read(batch);
  }

  os::FileSystem& files_;
  const SegmentState& segment_;
  SegmentReader reader_;
  Salvaged result_;
  std::vector<std::vector<IndexEntry>> entries_;  // of result_.runs
  RunCollector sound_;
  std::optional<Error> damaged_group_;
  bool batch_is_lost_ = false;
};

}  // namespace

Result<Salvaged> salvage_runs(os::FileSystem& files, const SegmentState& segment,
                              const std::function<bool(const RunSummary&)>& needed) {
  return Salvage(files, segment).run(needed);
}

}  // namespace penstock::wal
