#include "wal/keeper.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/check.h"
#include "wal/index_file.h"

namespace penstock::wal {
namespace {

constexpr std::chrono::milliseconds kLeapMin{60'000};

// The offset where the partition begins when what is over its limits is gone; whole runs only, and
// none of the segment that is being written.
Offset start_after_expiry(const Partition& partition, const log::TopicConfig& config,
                          SegmentNumber active, std::optional<std::int64_t> wall_ms) {
  std::uint64_t left = 0;
  for (const Ref<Run>& run : partition.runs) {
    left += run->summary.size_bytes;
  }
  Offset start = partition.start;
  for (const Ref<Run>& run : partition.runs) {
    const bool too_old = config.retention_time && wall_ms &&
                         run->summary.last_written_ms + config.retention_time->count() < *wall_ms;
    const bool too_much =
        config.retention_bytes && left - run->summary.size_bytes >= *config.retention_bytes;
    if (run->segment->number == active || (!too_old && !too_much)) {
      break;
    }
    left -= run->summary.size_bytes;
    start = run->summary.last + 1;
  }
  return start;
}

struct Expiry {
  std::vector<StartEntry> starts;
  std::uint64_t bytes = 0;
};

// Without `wall_ms` only by size.
Expiry find_expiry(Catalog& catalog, std::optional<std::int64_t> wall_ms) {
  Expiry expiry;
  const SegmentNumber active = catalog.active().segment->number;
  catalog.for_each_topic([&](const Topic& topic) {
    if (topic.info.config.cleanup != log::CleanupPolicy::kDelete) {
      return;
    }
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const Partition& partition = topic.partitions[i];
      const Offset start = start_after_expiry(partition, topic.info.config, active, wall_ms);
      if (start == partition.start) {
        continue;
      }
      expiry.starts.push_back({{topic.info.id, PartitionId(static_cast<std::int32_t>(i))}, start});
      for (const Ref<Run>& run : partition.runs) {
        expiry.bytes += run->summary.last < start ? run->summary.size_bytes : 0;
      }
    }
  });
  return expiry;
}

}  // namespace

Status Keeper::run_once(os::TimePoint now) {
  PENSTOCK_TRY(write_indexes());
  PENSTOCK_TRY(recycle_retired());
  PENSTOCK_TRY(make_spare());
  const bool urgent =
      shared_.state.with([](const State& state) { return state.no_space.has_value(); });
  if (urgent || !next_clean_ || now >= *next_clean_) {
    next_clean_ = now + shared_.options.retention_interval;
    PENSTOCK_TRY(clean(now));
    PENSTOCK_TRY(recycle_retired());
  }
  return {};
}

// --- Files -------------------------------------------------------------------------------------

Status Keeper::write_indexes() {
  for (;;) {
    const auto segment = shared_.state.with([](const State& state) -> std::optional<SegmentState> {
      for (const auto& [number, candidate] : state.catalog.segments()) {
        if (candidate.sealed && !candidate.has_index_file) {
          return candidate;  // its runs do not change any more, so they can be read unlocked
        }
      }
      return std::nullopt;
    });
    if (!segment) {
      return {};
    }
    PENSTOCK_TRY(os::write_file_atomically(shared_.files, segment->segment->index_path,
                                           encode_index(*segment)));
    std::vector<std::vector<IndexEntry>> unused;  // freed without the lock
    shared_.state.with([&](State& state) {
      SegmentState* indexed = state.catalog.find_segment(segment->segment->number);
      PENSTOCK_CHECK(indexed != nullptr);  // only we retire segments
      indexed->has_index_file = true;
      for (const Ref<Run>& run : indexed->runs) {
        unused.push_back(std::exchange(run->entries, {}));
      }
      indexed->runs.clear();
    });
  }
}

Status Keeper::recycle_retired() {
  for (std::size_t i = 0; i < retired_.size();) {
    if (!retired_[i]->has_one_ref()) {  // I1
      ++i;
      continue;
    }
    const Ref<Segment> segment = retired_[i];
    retired_.erase(retired_.begin() + static_cast<std::ptrdiff_t>(i));
    PENSTOCK_TRY_ASSIGN(const bool has_index, shared_.files.exists(segment->index_path));
    if (has_index) {
      PENSTOCK_TRY(shared_.files.remove(segment->index_path));
    }
    PENSTOCK_TRY(spares_.recycle(segment->path, shared_.options.spare_segments_max));
  }
  return {};
}

Status Keeper::make_spare() {
  const bool wanted = spares_.count() == 0 && shared_.state.with([this](const State& state) {
    return state.catalog.active().end_position > shared_.options.segment_bytes / 2;
  });
  if (!wanted) {
    return {};
  }
  Status made = spares_.make();
  const bool disk_is_full = !made && made.error().code() == ErrorCode::kBusy;
  return disk_is_full ? Status() : made;  // the writer says so when it matters
}

// --- Retention ---------------------------------------------------------------------------------

Status Keeper::clean(os::TimePoint now) {
  const bool by_age = clock_is_believable(now);
  if (by_age) {
    PENSTOCK_TRY(end_old_segment());
  }
  PENSTOCK_TRY(expire(by_age));
  PENSTOCK_TRY(retire_empty());
  PENSTOCK_TRY(compact());
  PENSTOCK_TRY(move_remains());
  return retire_empty();
}

// A wall clock that moves other than the monotonic one was set. Until it has been steady for a
// while nobody knows whether it is right now or was before.
bool Keeper::clock_is_believable(os::TimePoint now) {
  const os::WallTime wall = shared_.clock.wall_now();
  if (last_now_) {
    const auto steady = std::chrono::duration_cast<std::chrono::milliseconds>(now - *last_now_);
    const auto leap = (wall - last_wall_) - steady;
    if (leap > kLeapMin || leap < -kLeapMin) {
      hold_until_ = now + shared_.options.clock_leap_hold;
    }
  }
  last_now_ = now;
  last_wall_ = wall;
  return now >= hold_until_;
}

// Records go with their segment, so a segment must end some time even if little is written: as soon
// as it is older than the shortest retention of what is in it.
Status Keeper::end_old_segment() {
  const std::int64_t wall_ms = shared_.clock.wall_now().time_since_epoch().count();
  const bool wanted = shared_.state.with([&](State& state) {
    const SegmentState& active = state.catalog.active();
    for (const Ref<Run>& run : active.runs) {
      const Topic* topic = state.catalog.find(run->summary.partition.topic);
      if (topic != nullptr && topic->info.config.cleanup == log::CleanupPolicy::kDelete &&
          topic->info.config.retention_time &&
          active.created_ms + topic->info.config.retention_time->count() < wall_ms) {
        return true;
      }
    }
    return false;
  });
  if (!wanted) {
    return {};
  }
  Request request;
  request.starts_segment = true;
  return submitter_.submit_and_wait(std::move(request));
}

Status Keeper::expire(bool by_age) {
  std::optional<std::int64_t> wall_ms;
  if (by_age) {  // I2
    wall_ms = shared_.clock.wall_now().time_since_epoch().count();
  }
  const Expiry expiry =
      shared_.state.with([&](State& state) { return find_expiry(state.catalog, wall_ms); });
  if (expiry.starts.empty()) {
    return {};
  }
  Request request;
  request.uses_reserve = true;
  request.decide = [&expiry](const Catalog& catalog, EntryList& entries) -> Status {
    for (const StartEntry& start : expiry.starts) {
      if (catalog.find(start.partition) != nullptr) {
        entries.put(start);
      }
    }
    return {};
  };
  PENSTOCK_TRY(submitter_.submit_and_wait(std::move(request)));
  shared_.metrics.expired_bytes.add(expiry.bytes);
  return {};
}

Status Keeper::retire_empty() {
  std::vector<Ref<Segment>> empty;
  shared_.state.with([&](const State& state) {
    for (const auto& [number, segment] : state.catalog.segments()) {
      if (segment.sealed && segment.live_bytes == 0) {
        empty.push_back(segment.segment);
      }
    }
  });
  if (empty.empty()) {
    return {};
  }
  Request request;
  request.uses_reserve = true;
  request.decide = [&empty](const Catalog&, EntryList& entries) -> Status {
    for (const Ref<Segment>& segment : empty) {
      entries.put(RetiredEntry{segment->number});
    }
    return {};
  };
  PENSTOCK_TRY(submitter_.submit_and_wait(std::move(request)));
  retired_.insert(retired_.end(), empty.begin(), empty.end());
  return {};
}

// Of the segments of which little is needed, the one of which the least is.
Status Keeper::move_remains() {
  std::vector<Ref<Run>> remains;
  SegmentNumber number;
  shared_.state.with([&](State& state) {
    const SegmentState* sparsest = nullptr;
    for (const auto& [candidate_number, segment] : state.catalog.segments()) {
      const bool sparse =
          segment.sealed &&
          segment.live_bytes * 100 <= segment.end_position * shared_.options.rewrite_below_percent;
      const bool affordable =
          !state.no_space || segment.live_bytes < shared_.options.reserve_bytes / 2;
      if (sparse && affordable && !segment.damage_accepted &&
          !unreadable_.contains(candidate_number) &&
          (sparsest == nullptr || segment.live_bytes < sparsest->live_bytes)) {
        sparsest = &segment;
        number = candidate_number;
      }
    }
    if (sparsest != nullptr) {
      remains = state.catalog.effective_runs(number);
    }
  });
  for (const Ref<Run>& run : remains) {
    Status moved = rewriter_.move(*run);
    if (!moved && moved.error().code() == ErrorCode::kCorrupt) {
      unreadable_.insert(number);
    }
    PENSTOCK_TRY(std::move(moved));
  }
  return {};
}

Status Keeper::compact() {
  std::vector<TopicPartition> wanted;
  shared_.state.with([&](State& state) {
    if (state.no_space) {
      return;  // it needs space before it gives any
    }
    state.catalog.for_each_topic([&](const Topic& topic) {
      if (topic.info.config.cleanup != log::CleanupPolicy::kCompact) {
        return;
      }
      for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
        const PartitionId id(static_cast<std::int32_t>(i));
        if (rewriter_.wants_compaction(state, topic.partitions[i])) {
          wanted.push_back({topic.info.id, id});
        }
      }
    });
  });
  for (const TopicPartition& partition : wanted) {
    PENSTOCK_TRY(rewriter_.compact(partition));
  }
  return {};
}

}  // namespace penstock::wal
