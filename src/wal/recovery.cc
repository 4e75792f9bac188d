#include "wal/recovery.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/check.h"
#include "wal/index_file.h"
#include "wal/proof.h"
#include "wal/salvage.h"
#include "wal/scanner.h"

namespace penstock::wal {
namespace {

constexpr std::string_view kAdvice =
    "; restore the directory from a copy, or start once with --accept-data-loss to go on without "
    "what is damaged";

class Recovery {
 public:
  Recovery(Shared& shared, SpareSegments& spares, RecoveryReport& report)
      : shared_(shared),
        files_(shared.files),
        directory_(shared.options.directory),
        accept_loss_(shared.options.on_damage == OnDamage::kAcceptLoss),
        spares_(spares),
        report_(report) {}

  Result<Recovered> run();

 private:
  // What one file has told about itself, while the log's end is being looked for.
  struct OpenSegment {
    std::unique_ptr<os::File> file;
    std::unique_ptr<SegmentScanner> scanner;
    Ref<Segment> segment;
  };

  Status look_at_directory();
  Status adopt_spare(const std::string& name, std::uint64_t number);
  Result<OpenSegment> open_last_segment();
  Result<OpenSegment> open_segment(SegmentNumber number);
  Status set_aside(SegmentNumber number);

  Status read_snapshot(OpenSegment& open);
  Status check_last_file(const OpenSegment& open);
  Status replay(OpenSegment& open);
  Status apply_group(const ScannedGroup& group, bool accept_gaps);
  Status apply_batch(const BatchEntry& batch, const ScannedGroup& group, bool accept_gaps);
  Status judge_end(OpenSegment& open, bool& goes_on);
  Status finish_last_segment(const OpenSegment& open);

  Status add_older_segments();
  Status add_older_segment(const SegmentEntry& entry);
  Status check_older_file(const SegmentEntry& entry, const Segment& segment);
  Status salvage_older_segment(const SegmentEntry& entry, SegmentState state);
  void add_runs(SegmentState state, std::vector<Ref<Run>> runs);
  Status place_runs();
  Status recycle_leftovers();

  // An error, or a note in the report if losses are accepted.
  Status damage(const std::string& what);
  void lose_what_is_not_known();
  void report_losses();

  Catalog& catalog() { return *catalog_; }

  Shared& shared_;
  os::FileSystem& files_;
  const std::string& directory_;
  const bool accept_loss_;
  SpareSegments& spares_;
  RecoveryReport& report_;

  Catalog* catalog_ = nullptr;
  std::optional<Proof> proof_;
  std::vector<SegmentNumber> found_;             // segment files, ascending
  std::map<SegmentNumber, SegmentEntry> known_;  // older segments that are needed
  std::unique_ptr<RunCollector> collector_;
  std::vector<Ref<Run>> candidates_;
  Recovered result_;
  SegmentState last_;

  // Of losses that are accepted. How many records were in bytes that cannot be read is not known,
  // and no offset may be given out twice: so all that can have been are taken for lost.
  std::uint64_t records_lost_max_ = 0;
  std::uint64_t records_lost_behind_max_ = 0;                 // behind the segment that is read
  std::map<TopicPartition, std::uint64_t> lost_before_next_;  // of these the next offset is known
  bool ends_damaged_ = false;
  std::vector<LostRange> accepted_before_;
};

// Nothing smaller is a record in a batch: seven fields of a byte each.
constexpr std::uint64_t kRecordSizeMin = 7;

std::uint64_t records_max(std::uint64_t bytes) {
  return bytes / kRecordSizeMin;
}

Status Recovery::damage(const std::string& what) {
  if (!accept_loss_) {
    return Error(ErrorCode::kCorrupt, what + std::string(kAdvice));
  }
  report_.damage_accepted.push_back(what);
  result_.must_start_segment = true;  // its snapshot is what remembers
  return {};
}

Result<Recovered> Recovery::run() {
  // What a crashed process wrote but did not sync must not be taken for durable.
  PENSTOCK_TRY(files_.sync_directory(directory_));
  PENSTOCK_TRY(look_at_directory());
  PENSTOCK_TRY_ASSIGN(proof_, read_proof(files_, directory_));
  if (found_.empty()) {
    if (proof_) {
      PENSTOCK_TRY(damage(directory_ + " has no segments, though group " +
                          std::to_string(proof_->sequence) + " had been synced"));
      result_.end.sequence = proof_->sequence;
    }
    result_.must_start_segment = true;
    return result_;
  }
  return shared_.state.with([this](State& state) -> Result<Recovered> {
    catalog_ = &state.catalog;
    PENSTOCK_TRY_ASSIGN(OpenSegment last, open_last_segment());
    PENSTOCK_TRY(check_last_file(last));
    PENSTOCK_TRY(replay(last));
    PENSTOCK_TRY(finish_last_segment(last));
    PENSTOCK_TRY(add_older_segments());
    PENSTOCK_TRY(place_runs());
    PENSTOCK_TRY(recycle_leftovers());
    report_losses();
    report_.segments = catalog().segments().size();
    return result_;
  });
}

// --- The directory -----------------------------------------------------------------------------

Status Recovery::look_at_directory() {
  PENSTOCK_TRY_ASSIGN(const std::vector<std::string> names, files_.list(directory_));
  for (const std::string& name : names) {
    if (const auto number = parse_segment_file_name(name)) {
      found_.push_back(*number);
    } else if (const auto spare = parse_spare_file_name(name)) {
      PENSTOCK_TRY(adopt_spare(name, *spare));
    } else if (name.ends_with(kTemporarySuffix)) {
      PENSTOCK_TRY(files_.remove(os::join_path(directory_, name)));
    }
  }
  return {};
}

// Spares of other settings, or not made to the end, are of no use.
Status Recovery::adopt_spare(const std::string& name, std::uint64_t number) {
  const std::string path = os::join_path(directory_, name);
  std::uint64_t size = 0;
  {
    PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file, files_.open(path, {}));
    PENSTOCK_TRY_ASSIGN(size, file->size());
  }
  if (size != shared_.options.segment_bytes) {
    return files_.remove(path);
  }
  spares_.adopt(number);
  return {};
}

Status Recovery::place_runs() {
  const Status placed = catalog().place_runs(candidates_, false);
  if (placed) {
    return {};
  }
  if (report_.damage_accepted.empty()) {  // or it is known why
    PENSTOCK_TRY(damage(placed.error().message()));
  }
  return catalog().place_runs({}, true);
}

Status Recovery::recycle_leftovers() {
  for (const SegmentNumber number : found_) {
    if (number >= result_.end.segment || catalog().find_segment(number) != nullptr) {
      continue;
    }
    const Segment retired(number, {}, directory_);
    PENSTOCK_TRY_ASSIGN(const bool has_index, files_.exists(retired.index_path));
    if (has_index) {
      PENSTOCK_TRY(files_.remove(retired.index_path));
    }
    PENSTOCK_TRY_ASSIGN(const bool is_there, files_.exists(retired.path));  // or it was set aside
    if (is_there) {
      PENSTOCK_TRY(spares_.recycle(retired.path, shared_.options.spare_segments_max));
    }
  }
  return {};
}

// --- The last segment --------------------------------------------------------------------------

Result<Recovery::OpenSegment> Recovery::open_segment(SegmentNumber number) {
  OpenSegment open;
  const std::string path = os::join_path(directory_, segment_file_name(number));
  PENSTOCK_TRY_ASSIGN(open.file, files_.open(path, {.mode = os::OpenMode::kReadWrite}));
  PENSTOCK_TRY(open.file->sync());
  PENSTOCK_TRY_ASSIGN(SegmentScanner scanner, SegmentScanner::open(*open.file, path));
  if (scanner.header().number != number) {
    return Error(ErrorCode::kCorrupt,
                 path + " is segment number " + to_string(scanner.header().number));
  }
  open.segment = make_ref<Segment>(number, scanner.header().uuid, directory_);
  open.scanner = std::make_unique<SegmentScanner>(std::move(scanner));
  PENSTOCK_TRY(read_snapshot(open));
  return open;
}

Result<Recovery::OpenSegment> Recovery::open_last_segment() {
  for (auto number = found_.rbegin(); number != found_.rend(); ++number) {
    auto open = open_segment(*number);
    if (open || open.error().code() != ErrorCode::kCorrupt) {
      return open;
    }
    // A segment gets its name only when its header and snapshot are on the disk.
    PENSTOCK_TRY(damage(open.error().message()));
    records_lost_behind_max_ += records_max(shared_.options.segment_bytes);
    PENSTOCK_TRY(set_aside(*number));
    *catalog_ = Catalog();
    known_.clear();
    result_.end.segment = std::max(result_.end.segment, *number);
  }
  return Error(ErrorCode::kCorrupt, directory_ + " has no segment that begins soundly");
}

Status Recovery::set_aside(SegmentNumber number) {
  const std::string path = os::join_path(directory_, segment_file_name(number));
  const std::string aside =
      os::join_path(directory_, std::string(kDamagedPrefix) + segment_file_name(number));
  PENSTOCK_TRY_ASSIGN(const bool is_there, files_.exists(path));
  if (!is_there) {
    return {};
  }
  PENSTOCK_TRY(files_.rename(path, aside));
  PENSTOCK_TRY(files_.sync_directory(directory_));
  report_.set_aside.push_back(aside);
  return {};
}

Status Recovery::read_snapshot(OpenSegment& open) {
  const auto malformed = [&](const std::string& why) {
    return Error(ErrorCode::kCorrupt, open.segment->path + " is damaged at position " +
                                          std::to_string(kBlockSize) + ": " + why);
  };
  PENSTOCK_TRY_ASSIGN(const std::optional<ScannedGroup> group, open.scanner->next());
  if (!group || group->header.kind != GroupKind::kSnapshot) {
    return malformed(group ? "the snapshot is missing" : open.scanner->stop_reason());
  }
  last_ = SegmentState();
  last_.last_crc = group->header.crc;
  last_.last_append_ms = group->header.written_ms;
  result_.end.epoch = group->header.epoch;
  result_.end.written_ms = group->header.written_ms;
  EntryReader entries(group->payload);
  for (Entry entry; entries.next(entry);) {
    if (const auto* segment = std::get_if<SegmentEntry>(&entry)) {
      known_[segment->number] = *segment;
    } else if (Status applied = catalog().apply(entry); !applied) {
      return malformed(applied.error().message());
    }
  }
  if (!entries.status()) {
    return malformed(entries.status().error().message());
  }
  accepted_before_ = catalog().lost();
  return {};
}

// A segment has its whole size before it has its name, so no crash leaves it shorter; and behind
// its last block there is nothing that could prove what was there.
Status Recovery::check_last_file(const OpenSegment& open) {
  PENSTOCK_TRY_ASSIGN(const std::uint64_t size, open.file->size());
  const std::uint64_t whole = open.scanner->header().size_bytes;
  if (size >= whole) {
    return {};
  }
  ends_damaged_ = true;
  return damage(open.segment->path + " is damaged at position " + std::to_string(size) +
                ": the file ends, of " + std::to_string(whole) + " bytes");
}

Status Recovery::replay(OpenSegment& open) {
  collector_ = std::make_unique<RunCollector>(open.segment);
  bool accept_gaps = result_.must_start_segment;
  for (;;) {
    const std::uint64_t position = open.scanner->position();
    PENSTOCK_TRY_ASSIGN(const std::optional<ScannedGroup> group, open.scanner->next());
    if (!group) {
      bool goes_on = false;
      PENSTOCK_TRY(judge_end(open, goes_on));
      if (!goes_on) {
        return {};
      }
      accept_gaps = true;
      continue;
    }
    ++report_.groups_scanned;
    if (Status applied = apply_group(*group, accept_gaps); !applied) {
      PENSTOCK_TRY(damage(open.segment->path + " is damaged at position " +
                          std::to_string(position) + ": " + applied.error().message()));
      records_lost_max_ += records_max(group->payload.size());
      accept_gaps = true;
    }
    last_.last_crc = group->header.crc;
    result_.end.epoch = group->header.epoch;
    result_.end.written_ms = group->header.written_ms;
  }
}

Status Recovery::apply_group(const ScannedGroup& group, bool accept_gaps) {
  EntryReader entries(group.payload);
  for (Entry entry; entries.next(entry);) {
    if (const auto* batch = std::get_if<BatchEntry>(&entry)) {
      PENSTOCK_TRY(apply_batch(*batch, group, accept_gaps));
      last_.last_append_ms = group.header.written_ms;
    } else if (const auto* retired = std::get_if<RetiredEntry>(&entry)) {
      known_.erase(retired->number);
    } else {
      PENSTOCK_TRY(catalog().apply(entry));
    }
  }
  return entries.status();
}

Status Recovery::apply_batch(const BatchEntry& batch, const ScannedGroup& group, bool accept_gaps) {
  const auto within = static_cast<std::uint64_t>(batch.bytes.data() - group.payload.data());
  PENSTOCK_TRY_ASSIGN(const IndexEntry at,
                      index_batch(batch.bytes, group.payload_position() + within));
  PENSTOCK_TRY(catalog().replay_batch(batch, at, accept_gaps));
  if (accept_gaps && batch.rewrite == kAppended) {
    lost_before_next_[batch.to] = records_lost_max_;
  }
  collector_->add(batch.to, batch.rewrite, at,
                  batch.rewrite == kAppended ? group.header.written_ms : batch.written_ms);
  return {};
}

// The scan has stopped: is it the end, a torn tail, or damage?
Status Recovery::judge_end(OpenSegment& open, bool& goes_on) {
  SegmentScanner& scanner = *open.scanner;
  PENSTOCK_TRY_ASSIGN(std::uint64_t synced, scanner.synced_behind());
  if (proof_) {
    synced = std::max(synced, proof_->sequence);
  }
  if (synced < scanner.expected_sequence()) {
    report_.torn_bytes = scanner.torn_bytes();
    return {};
  }
  PENSTOCK_TRY(damage(open.segment->path + " is damaged at position " +
                      std::to_string(scanner.position()) + ": " + scanner.stop_reason() +
                      ", though group " + std::to_string(synced) + " had been synced"));
  result_.end.sequence = std::max(result_.end.sequence, synced);
  const std::uint64_t begin = scanner.position();
  PENSTOCK_TRY_ASSIGN(goes_on, scanner.skip_to_next_group());
  records_lost_max_ += records_max(scanner.position() - begin);
  ends_damaged_ = ends_damaged_ || !goes_on;
  // Segments that the proof knows of, and that are neither here nor set aside.
  const std::uint64_t known = open.segment->number.value() + report_.set_aside.size();
  if (!goes_on && proof_ && proof_->segment.value() > known) {
    records_lost_behind_max_ +=
        (proof_->segment.value() - known) * records_max(scanner.header().size_bytes);
  }
  return {};
}

void Recovery::lose_what_is_not_known() {
  std::map<TopicPartition, std::uint64_t> counts;
  catalog().for_each_topic([&](const Topic& topic) {
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const TopicPartition at{topic.info.id, PartitionId(static_cast<std::int32_t>(i))};
      const auto known = lost_before_next_.find(at);
      counts[at] = records_lost_behind_max_ + records_lost_max_ -
                   (known == lost_before_next_.end() ? 0 : known->second);
    }
  });
  for (const auto& [partition, count] : counts) {
    if (count > 0) {
      catalog().lose_next(partition, count);
    }
  }
}

Status Recovery::finish_last_segment(const OpenSegment& open) {
  const SegmentScanner& scanner = *open.scanner;
  LogEnd& end = result_.end;
  end.segment = std::max(end.segment, open.segment->number);
  end.uuid = open.segment->uuid;
  end.segment_bytes = scanner.header().size_bytes;
  end.position = scanner.position();
  end.sequence = std::max(end.sequence, scanner.expected_sequence() - 1);
  end.crc = last_.last_crc;

  last_.segment = open.segment;
  last_.damage_accepted = result_.must_start_segment;
  last_.end_position = end.position;
  last_.last_sequence = scanner.expected_sequence() - 1;
  last_.created_ms = scanner.header().created_ms;
  last_.runs = collector_->take();
  candidates_ = last_.runs;
  catalog().add_segment(std::move(last_));
  catalog().set_active(open.segment->number);
  if (ends_damaged_) {
    records_lost_max_ += records_max(end.segment_bytes - std::min(end.segment_bytes, end.position));
  }
  lose_what_is_not_known();
  return {};
}

// --- Older segments ----------------------------------------------------------------------------

Status Recovery::add_older_segments() {
  for (const auto& [number, entry] : known_) {
    Status added = add_older_segment(entry);
    if (!added && added.error().code() != ErrorCode::kCorrupt) {
      return added;
    }
    if (!added) {
      PENSTOCK_TRY(damage(added.error().message()));
    }
  }
  return {};
}

Status Recovery::check_older_file(const SegmentEntry& entry, const Segment& segment) {
  const auto file = files_.open(segment.path, {});
  if (!file) {
    return file.error().code() == ErrorCode::kNotFound
               ? Error(ErrorCode::kCorrupt, segment.path + " is missing")
               : file.error();
  }
  const auto scanner = SegmentScanner::open(**file, segment.path);
  if (!scanner) {
    const bool known = entry.damage_accepted && scanner.error().code() == ErrorCode::kCorrupt;
    return known ? Status() : Status(scanner.error());
  }
  if (scanner->header().uuid != entry.uuid) {
    return Error(ErrorCode::kCorrupt,
                 segment.path + " is not the segment that the log has written under that name");
  }
  PENSTOCK_TRY_ASSIGN(const std::uint64_t size, (*file)->size());
  if (size < entry.end_position && !entry.damage_accepted) {
    return Error(ErrorCode::kCorrupt, segment.path + " is damaged at position " +
                                          std::to_string(size) + ": the file ends, of " +
                                          std::to_string(entry.end_position) + " bytes");
  }
  return {};
}

Status Recovery::add_older_segment(const SegmentEntry& entry) {
  SegmentState state;
  state.segment = make_ref<Segment>(entry.number, entry.uuid, directory_);
  state.sealed = true;
  state.damage_accepted = entry.damage_accepted;
  state.end_position = entry.end_position;
  state.last_sequence = entry.last_sequence;
  state.last_crc = entry.last_crc;
  state.created_ms = entry.created_ms;
  state.last_append_ms = entry.last_append_ms;
  if (accept_loss_) {
    return salvage_older_segment(entry, std::move(state));
  }
  PENSTOCK_TRY(check_older_file(entry, *state.segment));
  auto runs = read_index_summaries(files_, state);
  state.has_index_file = runs.has_value();
  if (!runs) {
    ++report_.indexes_rebuilt;
    PENSTOCK_TRY_ASSIGN(
        runs, scan_runs(files_, {state.segment, state.end_position, state.damage_accepted}));
  }
  add_runs(std::move(state), *std::move(runs));
  return {};
}

void Recovery::add_runs(SegmentState state, std::vector<Ref<Run>> runs) {
  candidates_.insert(candidates_.end(), runs.begin(), runs.end());
  if (!state.has_index_file) {
    state.runs = std::move(runs);
  }
  catalog().add_segment(std::move(state));
}

Status Recovery::salvage_older_segment(const SegmentEntry& entry, SegmentState state) {
  if (Status sound = check_older_file(entry, *state.segment); !sound) {
    if (sound.error().code() != ErrorCode::kCorrupt) {
      return sound;
    }
    PENSTOCK_TRY(damage(sound.error().message()));
    state.damage_accepted = true;
    // Was it that the file is missing, or another one? Then there is nothing to salvage.
    if (!check_older_file({.uuid = entry.uuid, .damage_accepted = true}, *state.segment)) {
      return set_aside(entry.number);
    }
  }
  const auto is_needed = [this](const RunSummary& run) {
    const Partition* partition = catalog().find(run.partition);
    return partition != nullptr && partition->is_effective(run);
  };
  PENSTOCK_TRY_ASSIGN(Salvaged salvaged, salvage_runs(files_, state, is_needed));
  for (const std::string& found : salvaged.damage) {
    PENSTOCK_TRY(damage(found));
    state.damage_accepted = true;
  }
  state.has_index_file = salvaged.has_index;
  if (!salvaged.has_index && state.damage_accepted) {
    // Before the snapshot: an index that lists what is lost would be believed at the next start.
    state.runs = salvaged.runs;
    PENSTOCK_TRY(os::write_file_atomically(files_, state.segment->index_path, encode_index(state)));
    state.runs.clear();
    state.has_index_file = true;
  }
  add_runs(std::move(state), std::move(salvaged.runs));
  return {};
}

void Recovery::report_losses() {
  using Losses = std::map<TopicPartition, std::vector<Interval>>;
  Losses before;  // without what retention or compaction has taken meanwhile
  Losses fresh;
  for (const LostRange& lost : catalog().lost()) {
    set_interval(before[lost.partition], {lost.first, lost.last, kLost});
    set_interval(fresh[lost.partition], {lost.first, lost.last, kLost});
    report_.lost_records += lost.count();
  }
  for (const LostRange& lost : accepted_before_) {
    set_interval(fresh[lost.partition], {lost.first, lost.last, kAppended});
  }
  for (const auto& [partition, intervals] : fresh) {
    for (const Interval& interval : intervals) {
      set_interval(before[partition], {interval.first, interval.last, kAppended});
    }
  }
  const auto put = [this](const Losses& losses, std::vector<std::string>& into) {
    for (const auto& [partition, intervals] : losses) {
      for (const Interval& interval : intervals) {
        into.push_back("offsets " + to_string(interval.first) + " to " + to_string(interval.last) +
                       " of " + describe(catalog(), partition));
      }
    }
  };
  put(before, report_.lost_before);
  put(fresh, report_.lost_now);
}

}  // namespace

Result<Recovered> recover(Shared& shared, SpareSegments& spares, RecoveryReport& report) {
  return Recovery(shared, spares, report).run();
}

}  // namespace penstock::wal
