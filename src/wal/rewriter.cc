#include "wal/rewriter.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "core/check.h"
#include "core/units.h"
#include "wal/index_file.h"

namespace penstock::wal {
namespace {

constexpr std::size_t kReadBytes = kMiB;
constexpr std::size_t kCopyBytes = 256 * kKiB;  // of one request, and of a compacted batch
constexpr std::size_t kBytesPerKey = 64;        // of the map, besides the key itself
constexpr std::int64_t kOffsetsPerBatchMax = 1'000'000'000;

bool is_appended(const Ref<Run>& run) {
  return run->summary.rewrite == kAppended;
}

}  // namespace

// --- What both have in common ------------------------------------------------------------------

RewriteId Rewriter::next_rewrite() const {
  return RewriteId(
      shared_.state.with([](const State& state) { return state.catalog.counters().next_rewrite; }));
}

template <typename Take>
Status Rewriter::for_each_batch(const Run& run, Take take) {
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
  PENSTOCK_TRY(for_each_batch(run, [&](ByteView batch) -> Status {
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

Status Rewriter::compact(TopicPartition partition) {
  const std::vector<Ref<Run>> runs = sealed_runs(partition);
  Newest newest;
  PENSTOCK_TRY_ASSIGN(const std::size_t run_count, note_newest(runs, newest));
  if (run_count == 0) {
    return {};
  }
  const RewriteId rewrite = next_rewrite();
  Status copied = copy_newest(runs, run_count, newest, rewrite);
  if (copied) {
    copied =
        finish(partition, rewrite, runs.front()->summary.first, runs[run_count - 1]->summary.last);
  }
  reader_.release();
  return copied ? copied : give_up(partition, copied);
}

// Goes over the runs that were appended since the last compaction, until the keys take too much
// memory; at least over one. Returns how many runs, from the first on, can be compacted now.
Result<std::size_t> Rewriter::note_newest(const std::vector<Ref<Run>>& runs, Newest& newest) {
  std::size_t used = 0;
  const auto note = [&](ByteView batch) -> Status {
    PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                        RecordBatchView::parse(batch, RecordBatchView::Verify::kHeaderOnly));
    RecordReader records(view);
    for (RecordView record; records.next(record);) {
      if (record.key) {
        const auto [at, is_new] =
            newest.insert_or_assign(std::string(as_text(*record.key)), record.offset);
        used += is_new ? at->first.size() + kBytesPerKey : 0;
      }
    }
    return records.status();
  };
  std::size_t covered = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (is_appended(runs[i])) {
      if (used > shared_.options.compaction_bytes_max) {
        return covered;
      }
      PENSTOCK_TRY(for_each_batch(*runs[i], note));
    }
    covered = i + 1;
  }
  return covered;
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

Status Rewriter::copy_newest(const std::vector<Ref<Run>>& runs, std::size_t run_count,
                             const Newest& newest, RewriteId rewrite) {
  const std::int64_t tombstones_until = shared_.clock.wall_now().time_since_epoch().count() -
                                        shared_.options.tombstone_retention.count();
  Sweep sweep(runs.front()->summary.partition, rewrite, runs.front()->summary.first);
  Copies copies;
  const auto flush = [&](Offset last) -> Status {
    if (auto batch = sweep.take(last)) {
      copies.bytes += batch->bytes.size();
      copies.batches.push_back(*std::move(batch));
    }
    return write_copies(copies);
  };
  std::uint64_t removed = 0;
  Offset done = runs.front()->summary.first + -1;  // the last offset looked at
  for (std::size_t i = 0; i < run_count; ++i) {
    const std::int64_t written_ms = runs[i]->summary.last_written_ms;
    const auto is_needed = [&](const RecordView& record) {
      if (!record.key) {
        return true;
      }
      const auto found = newest.find(as_text(*record.key));
      const bool outdated = found != newest.end() && record.offset < found->second;
      return !outdated && (record.value || written_ms > tombstones_until);  // I1
    };
    const auto copy = [&](ByteView batch) -> Status {
      PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                          RecordBatchView::parse(batch, RecordBatchView::Verify::kHeaderOnly));
      if (sweep.is_full(view.last_offset())) {
        PENSTOCK_TRY(flush(done));
      }
      RecordReader records(view);
      for (RecordView record; records.next(record);) {
        if (is_needed(record)) {
          sweep.keep(record, written_ms, view.compression());
        } else {
          ++removed;
        }
      }
      done = view.last_offset();
      return records.status();
    };
    PENSTOCK_TRY(for_each_batch(*runs[i], copy));
  }
  PENSTOCK_TRY(flush(done));
  shared_.metrics.compacted_records.add(removed);
  return {};
}

}  // namespace penstock::wal
