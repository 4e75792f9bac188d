#include "wal/rewriter.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "core/check.h"
#include "core/units.h"
#include "wal/index_file.h"
#include "wal/key_set.h"

namespace penstock::wal {
namespace {

constexpr std::size_t kReadBytes = kMiB;
constexpr std::size_t kCopyBytes = 256 * kKiB;  // of one request, and of a compacted batch
constexpr std::int64_t kOffsetsPerBatchMax = 1'000'000'000;

bool is_appended(const Ref<Run>& run) {
  return run->summary.rewrite == kAppended;
}

// Only those batches in which there is one of these offsets, which descend.
void keep_needed(std::vector<IndexEntry>& entries, const std::vector<Offset>& offsets) {
  std::vector<IndexEntry> needed;
  auto next = offsets.rbegin();
  for (const IndexEntry& entry : entries) {
    const auto end =
        std::find_if(next, offsets.rend(), [&](Offset offset) { return offset > entry.last(); });
    if (next != end) {
      needed.push_back(entry);
    }
    next = end;
  }
  entries = std::move(needed);
}

// Goes through `members`, each with a probe of its key if it has one, so that the lookups of some
// wait for memory together.
template <typename Members, typename Look>
void look_up(const KeySet& keys, Members& members, Look look) {
  constexpr std::size_t kGroupSize = 32;
  std::array<KeySet::Probe, kGroupSize> probes;
  for (std::size_t begin = 0; begin < members.size(); begin += kGroupSize) {
    const std::size_t count = std::min(kGroupSize, members.size() - begin);
    for (std::size_t i = 0; i < count; ++i) {
      probes[i] = keys.probe(members[begin + i].key.value_or(ByteView()));
    }
    for (std::size_t i = 0; i < count; ++i) {
      keys.touch(probes[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      look(members[begin + i], probes[i]);
    }
  }
}

}  // namespace

// --- What both have in common ------------------------------------------------------------------

RewriteId Rewriter::next_rewrite() const {
  return RewriteId(
      shared_.state.with([](const State& state) { return state.catalog.counters().next_rewrite; }));
}

Result<std::vector<IndexEntry>> Rewriter::entries_of(const Run& run) {
  ScanRange range;
  std::vector<IndexEntry> entries = shared_.state.with([&](State& state) {
    const SegmentState* segment = state.catalog.find_segment(run.segment->number);
    PENSTOCK_CHECK(segment != nullptr);  // it holds what is needed
    range = {segment->segment, segment->end_position, segment->damage_accepted};
    return run.entries;
  });
  if (entries.size() != run.summary.entry_count) {
    PENSTOCK_TRY_ASSIGN(entries, load_entries(shared_.files, run, range));
  }
  return entries;
}

template <typename Take>
Status Rewriter::for_each_batch(const Run& run, const std::vector<IndexEntry>& entries, Take take) {
  for (std::size_t i = 0; i < entries.size();) {
    std::vector<WantedBatch> some;
    for (std::size_t bytes = 0; i < entries.size() && bytes < kReadBytes; ++i) {
      some.push_back({run.summary.partition, run.segment, entries[i], {}, nullptr});
      bytes += entries[i].size;
    }
    PENSTOCK_TRY(reader_.read(some));  // I2
    for (const WantedBatch& batch : some) {
      PENSTOCK_TRY(take(ByteView(batch.bytes, batch.entry.size)));
    }
  }
  return {};
}

Status Rewriter::write_copies(Copies& copies) {
  if (copies.batches.empty()) {
    return {};
  }
  Request request;
  request.uses_reserve = true;
  request.moved = std::exchange(copies.batches, {});
  PENSTOCK_TRY(submitter_.submit_and_wait(std::move(request)));
  shared_.metrics.rewritten_bytes.add(std::exchange(copies.bytes, 0));
  return {};
}

Status Rewriter::finish(TopicPartition partition, RewriteId rewrite, Offset first, Offset last) {
  Request request;
  request.uses_reserve = true;
  request.decide = [=](const Catalog& catalog, EntryList& entries) -> Status {
    if (catalog.find(partition) != nullptr) {
      entries.put(ReplacedEntry{partition, rewrite, first, last});
    }
    return {};
  };
  return submitter_.submit_and_wait(std::move(request));
}

Status Rewriter::give_up(TopicPartition partition, const Status& reason) {
  shared_.state.with([&](State& state) { state.catalog.drop_moved(partition); });
  // Deleted while it was being copied: then there is nothing left to do.
  return reason || reason.error().code() == ErrorCode::kNotFound ? Status() : reason;
}

// --- Moving ------------------------------------------------------------------------------------

Status Rewriter::move(const Run& run) {
  const RewriteId rewrite = next_rewrite();
  const TopicPartition partition = run.summary.partition;
  Status copied = copy_run(run, rewrite);
  if (copied) {
    copied = finish(partition, rewrite, run.summary.first, run.summary.last);
  }
  reader_.release();
  return copied ? copied : give_up(partition, copied);
}

Status Rewriter::copy_run(const Run& run, RewriteId rewrite) {
  Copies copies;
  PENSTOCK_TRY_ASSIGN(const std::vector<IndexEntry> entries, entries_of(run));
  PENSTOCK_TRY(for_each_batch(run, entries, [&](ByteView batch) -> Status {
    copies.batches.push_back(
        {run.summary.partition, rewrite, run.summary.last_written_ms, Buffer(batch)});
    copies.bytes += batch.size();
    return copies.bytes < kCopyBytes ? Status() : write_copies(copies);
  }));
  return write_copies(copies);
}

// --- Compaction --------------------------------------------------------------------------------

bool Rewriter::wants_compaction(const State& state, const Partition& partition) const {
  const SegmentNumber active = state.catalog.active().segment->number;
  std::uint64_t dirty = 0;
  std::uint64_t all = 0;
  for (const Ref<Run>& run : partition.runs) {
    if (run->segment->number == active) {
      break;
    }
    all += run->summary.size_bytes;
    dirty += is_appended(run) ? run->summary.size_bytes : 0;
  }
  return dirty > 0 && dirty * 100 >= all * shared_.options.compact_dirty_percent;
}

std::vector<Ref<Run>> Rewriter::sealed_runs(TopicPartition at) const {
  return shared_.state.with([&](const State& state) {
    std::vector<Ref<Run>> runs;
    const Partition* partition = state.catalog.find(at);
    const SegmentNumber active = state.catalog.active().segment->number;
    if (partition != nullptr) {
      // Lost offsets between them become offsets without a record, like those that compaction
      // removes.
      const auto is_active = [&](const Ref<Run>& run) { return run->segment->number == active; };
      runs.assign(partition->runs.begin(), std::ranges::find_if(partition->runs, is_active));
    }
    return runs;
  });
}

struct Rewriter::Survivors {
  std::span<const Ref<Run>> old_runs;  // compacted before, or nothing of them is outdated yet
  std::span<const Ref<Run>> new_runs;  // those behind them
  KeySet new_keys;
  std::vector<Offset> kept;  // of the records of new_runs that stay, descending
  std::uint64_t removed = 0;

  [[nodiscard]] Offset first() const {
    return (old_runs.empty() ? new_runs : old_runs).front()->summary.first;
  }

  [[nodiscard]] Offset last() const { return new_runs.back()->summary.last; }

  [[nodiscard]] std::size_t size_bytes() const {
    return new_keys.size_bytes() + kept.size() * sizeof(Offset);
  }
};

Status Rewriter::compact(TopicPartition partition) {
  const std::vector<Ref<Run>> runs = sealed_runs(partition);
  if (std::ranges::none_of(runs, is_appended)) {
    return {};
  }
  PENSTOCK_TRY_ASSIGN(Survivors survivors, find_survivors(runs));
  const RewriteId rewrite = next_rewrite();
  Status copied = copy_survivors(survivors, rewrite);
  if (copied) {
    copied = finish(partition, rewrite, survivors.first(), survivors.last());
  }
  reader_.release();
  return copied ? copied : give_up(partition, copied);
}

Result<Rewriter::Survivors> Rewriter::find_survivors(std::span<const Ref<Run>> runs) {
  const auto first_new =
      static_cast<std::size_t>(std::ranges::find_if(runs, is_appended) - runs.begin());
  const std::span<const Ref<Run>> old_runs = runs.first(first_new);
  std::span<const Ref<Run>> new_runs = runs.subspan(first_new);
  for (;;) {
    Survivors survivors{old_runs, new_runs, KeySet(hash_seed_), {}, 0};
    PENSTOCK_TRY_ASSIGN(const bool fits, note_survivors(new_runs, survivors));
    if (fits) {
      return survivors;
    }
    new_runs = new_runs.first((new_runs.size() + 1) / 2);
  }
}

Result<bool> Rewriter::note_survivors(std::span<const Ref<Run>> runs, Survivors& survivors) {
  for (std::size_t i = runs.size(); i-- > 0;) {
    PENSTOCK_TRY(note_survivors(*runs[i], survivors));
    if (survivors.size_bytes() > shared_.options.compaction_bytes_max && runs.size() > 1) {
      return false;
    }
  }
  return true;
}

Status Rewriter::note_survivors(const Run& run, Survivors& survivors) {
  struct Member {
    Offset offset;
    std::optional<ByteView> key;
    bool is_tombstone;
  };

  std::vector<Member> members;  // from the newest on
  const bool keeps_old_tombstones = keeps_tombstones(run);
  const auto note = [&](ByteView batch) -> Status {
    PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                        RecordBatchView::parse(batch, RecordBatchView::Verify::kHeaderOnly));
    RecordReader records(view);
    members.clear();
    for (RecordView record; records.next(record);) {
      members.push_back({record.offset, record.key, !record.value});
    }
    std::ranges::reverse(members);
    look_up(survivors.new_keys, members, [&](const Member& member, const KeySet::Probe& probe) {
      const bool is_newest = !member.key || survivors.new_keys.insert(probe);
      if (is_newest && (!member.key || !member.is_tombstone || keeps_old_tombstones)) {  // I1
        survivors.kept.push_back(member.offset);
      } else {
        ++survivors.removed;
      }
    });
    return records.status();
  };
  PENSTOCK_TRY_ASSIGN(std::vector<IndexEntry> entries, entries_of(run));
  std::ranges::reverse(entries);
  return for_each_batch(run, entries, note);
}

bool Rewriter::keeps_tombstones(const Run& run) const {
  const std::int64_t wall_ms = shared_.clock.wall_now().time_since_epoch().count();
  return run.summary.last_written_ms + shared_.options.tombstone_retention.count() > wall_ms;
}

// Builds batches of what stays. Each covers the offsets from the end of the one before it.
class Rewriter::Sweep {
 public:
  Sweep(TopicPartition partition, RewriteId rewrite, Offset begin)
      : partition_(partition), rewrite_(rewrite), begin_(begin), next_(begin) {}

  // `compression` is that of the batch it comes from.
  void keep(const RecordView& record, std::int64_t written_ms, Compression compression) {
    skip_to(record.offset);
    headers_.clear();
    HeaderReader reader(record);
    for (HeaderView header; reader.next(header);) {
      headers_.push_back(header);
    }
    builder_.append(record.timestamp, record.key, record.value, headers_);
    next_ = record.offset + 1;
    written_ms_ = std::max(written_ms_, written_ms);
    compression_ = compression == Compression::kNone ? compression_ : compression;
  }

  // Whether the batch should end before one that ends at `last` is added to it.
  [[nodiscard]] bool is_full(Offset last) const {
    return builder_.size_bytes() >= kCopyBytes || last - begin_ >= kOffsetsPerBatchMax;
  }

  // The batch that covers everything up to `last`; nothing if there is nothing to cover.
  [[nodiscard]] std::optional<MovedBatch> take(Offset last) {
    if (last < begin_) {
      return std::nullopt;
    }
    skip_to(last + 1);
    RecordBatch batch =
        compression_ == Compression::kNone ? builder_.finish() : builder_.finish(compressor_);
    compression_ = Compression::kNone;
    set_base_offset({batch.bytes.data(), batch.bytes.size()}, begin_);
    begin_ = next_;
    return MovedBatch{partition_, rewrite_, std::exchange(written_ms_, 0), std::move(batch.bytes)};
  }

 private:
  void skip_to(Offset offset) {
    builder_.skip_offsets(static_cast<std::uint32_t>(offset - next_));
    next_ = offset;
  }

  TopicPartition partition_;
  RewriteId rewrite_;
  Offset begin_;
  Offset next_;
  std::int64_t written_ms_ = 0;
  RecordBatchBuilder builder_;
  Compression compression_ = Compression::kNone;  // of a batch whose records are in the builder
  BatchCompressor compressor_{Compression::kLz4};
  std::vector<HeaderView> headers_;
};

Status Rewriter::copy_survivors(Survivors& survivors, RewriteId rewrite) {
  Sweep sweep(survivors.new_runs.front()->summary.partition, rewrite, survivors.first());
  for (const Ref<Run>& run : survivors.old_runs) {
    PENSTOCK_TRY(copy_old(*run, survivors, sweep));
  }
  for (const Ref<Run>& run : survivors.new_runs) {
    PENSTOCK_TRY(copy_new(*run, survivors, sweep));
  }
  PENSTOCK_CHECK(survivors.kept.empty());
  PENSTOCK_TRY(write_swept(sweep, survivors.last()));
  shared_.metrics.compacted_records.add(survivors.removed);
  return {};
}

Status Rewriter::copy_old(const Run& run, Survivors& survivors, Sweep& sweep) {
  const bool keeps_old_tombstones = keeps_tombstones(run);
  std::vector<RecordView> members;
  PENSTOCK_TRY_ASSIGN(const std::vector<IndexEntry> entries, entries_of(run));
  return for_each_batch(run, entries, [&](ByteView batch) -> Status {
    PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                        RecordBatchView::parse(batch, RecordBatchView::Verify::kHeaderOnly));
    PENSTOCK_TRY(make_room(sweep, view));
    RecordReader records(view);
    members.clear();
    for (RecordView record; records.next(record);) {
      members.push_back(record);
    }
    look_up(survivors.new_keys, members, [&](const RecordView& record, const KeySet::Probe& probe) {
      const bool outdated = record.key && survivors.new_keys.contains(probe);
      if (!outdated && (!record.key || record.value || keeps_old_tombstones)) {  // I1
        sweep.keep(record, run.summary.last_written_ms, view.compression());
      } else {
        ++survivors.removed;
      }
    });
    return records.status();
  });
}

Status Rewriter::copy_new(const Run& run, Survivors& survivors, Sweep& sweep) {
  PENSTOCK_TRY_ASSIGN(std::vector<IndexEntry> entries, entries_of(run));
  keep_needed(entries, survivors.kept);
  return for_each_batch(run, entries, [&](ByteView batch) -> Status {
    PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                        RecordBatchView::parse(batch, RecordBatchView::Verify::kHeaderOnly));
    PENSTOCK_TRY(make_room(sweep, view));
    RecordReader records(view);
    for (RecordView record; records.next(record);) {
      if (!survivors.kept.empty() && survivors.kept.back() == record.offset) {
        sweep.keep(record, run.summary.last_written_ms, view.compression());
        survivors.kept.pop_back();
      }
    }
    return records.status();
  });
}

Status Rewriter::make_room(Sweep& sweep, const RecordBatchView& next) {
  return sweep.is_full(next.last_offset()) ? write_swept(sweep, next.base_offset() + -1) : Status();
}

Status Rewriter::write_swept(Sweep& sweep, Offset last) {
  Copies copies;
  if (auto batch = sweep.take(last)) {
    copies.bytes += batch->bytes.size();
    copies.batches.push_back(*std::move(batch));
  }
  return write_copies(copies);
}

}  // namespace penstock::wal
