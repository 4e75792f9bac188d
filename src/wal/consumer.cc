#include "wal/consumer.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "record/record_batch.h"

namespace penstock::wal {
namespace {

Error not_assigned(TopicPartition partition) {
  return {ErrorCode::kNotFound, "partition " + to_string(partition.partition) +
                                    " of topic number " + to_string(partition.topic) +
                                    " is not assigned to this consumer"};
}

struct StandIn final : RefCounted {
  explicit StandIn(RecordBatch batch) : bytes(std::move(batch.bytes)) {}

  const Buffer bytes;
};

// An empty batch over lost offsets, `begin` to before `end`, or as many of them as fit one batch.
WantedBatch stand_in(TopicPartition partition, Offset begin, Offset end) {
  constexpr std::int64_t kOffsetsMax = 1'000'000'000;
  // Of a longer loss only the end: readers count what lies before as missing, as after retention.
  begin = std::max(begin, end + -kOffsetsMax);
  RecordBatchBuilder builder;
  builder.skip_offsets(static_cast<std::uint32_t>(end - begin));
  RecordBatch batch = builder.finish();
  set_base_offset({batch.bytes.data(), batch.bytes.size()}, begin);
  const auto entry = index_batch(batch.bytes, 0);
  PENSTOCK_CHECK(entry.has_value());
  const auto memory = make_ref<StandIn>(std::move(batch));
  return {partition, {}, *entry, memory, memory->bytes.data(), true};
}

}  // namespace

EmbeddedConsumer::EmbeddedConsumer(Shared& shared, Submitter& submitter,
                                   log::ConsumerOptions options)
    : shared_(shared),
      submitter_(submitter),
      options_(std::move(options)),
      reader_(make_ref<Reader>()),
      segment_reader_(shared.files) {}

EmbeddedConsumer::~EmbeddedConsumer() {
  drop_all_cursors();
  shared_.state.with([this](State& state) {
    if (member_) {
      state.groups.leave(*member_);
      state.members.erase(*member_);
      raise_members(state, *options_.group_id);
    }
  });
}

Status EmbeddedConsumer::join() {
  if (!options_.group_id) {
    return {};
  }
  return shared_.state.with([this](State& state) -> Status {
    std::vector<log::GroupCoordinator::TopicPartitions> topics;
    for (const TopicId id : options_.topics) {
      const Topic* topic = state.catalog.find(id);
      if (topic == nullptr) {
        return Error(ErrorCode::kNotFound, "there is no topic number " + to_string(id));
      }
      topics.push_back({id, topic->info.config.partition_count});
    }
    PENSTOCK_TRY_ASSIGN(
        member_, state.groups.join(*options_.group_id, options_.instance_id, std::move(topics)));
    state.members[*member_] = reader_;
    raise_members(state, *options_.group_id);
    return {};
  });
}

// --- Assignment --------------------------------------------------------------------------------

void EmbeddedConsumer::add_cursor(TopicPartition partition, Offset position) {
  Cursor cursor;
  cursor.position = position;
  cursors_.insert_or_assign(partition, std::move(cursor));
  shared_.state.with([&](State& state) {
    if (Partition* found = state.catalog.find(partition); found != nullptr) {
      std::erase_if(found->readers, [&](const Ref<Reader>& r) { return r.get() == reader_.get(); });
      found->readers.push_back(reader_);
    }
  });
}

void EmbeddedConsumer::drop_cursor(TopicPartition partition) {
  shared_.state.with([&](State& state) {
    if (Partition* found = state.catalog.find(partition); found != nullptr) {
      std::erase_if(found->readers, [&](const Ref<Reader>& r) { return r.get() == reader_.get(); });
    }
  });
  cursors_.erase(partition);
}

void EmbeddedConsumer::drop_all_cursors() {
  while (!cursors_.empty()) {
    drop_cursor(cursors_.begin()->first);
  }
}

Status EmbeddedConsumer::assign(std::vector<Position> positions) {
  PENSTOCK_CHECK(!member_);
  PENSTOCK_TRY(shared_.state.with([&](const State& state) -> Status {
    for (const Position& position : positions) {
      if (state.catalog.find(position.partition) == nullptr) {
        return Error(ErrorCode::kNotFound,
                     "there is no " + describe(state.catalog, position.partition));
      }
    }
    return {};
  }));
  drop_all_cursors();
  for (const Position& position : positions) {
    add_cursor(position.partition, position.offset);
  }
  has_more_ = true;
  return {};
}

Status EmbeddedConsumer::seek(TopicPartition partition, Offset offset) {
  const auto found = cursors_.find(partition);
  if (found == cursors_.end()) {
    return not_assigned(partition);
  }
  found->second.position = offset;
  has_more_ = true;
  return {};
}

void EmbeddedConsumer::pause(TopicPartition partition) {
  if (const auto found = cursors_.find(partition); found != cursors_.end()) {
    found->second.paused = true;
  }
}

void EmbeddedConsumer::resume(TopicPartition partition) {
  if (const auto found = cursors_.find(partition); found != cursors_.end()) {
    found->second.paused = false;
    has_more_ = true;
  }
}

// --- Groups ------------------------------------------------------------------------------------

Result<std::optional<log::Consumer::Rebalance>> EmbeddedConsumer::next_rebalance() {
  if (!member_) {
    return std::optional<Rebalance>();
  }
  if (!untold_) {
    untold_ =
        shared_.state.with([this](State& state) { return state.groups.next_rebalance(*member_); });
  }
  if (!untold_) {
    return std::optional<Rebalance>();
  }
  switch (untold_->kind) {
    case Rebalance::Kind::kAssigned:
      PENSTOCK_TRY(take_assignment(untold_->partitions));
      break;
    case Rebalance::Kind::kRevoked:
      revoking_ = untold_->partitions;
      for (const TopicPartition& partition : revoking_) {
        cursors_.at(partition).revoking = true;  // I3
      }
      break;
    case Rebalance::Kind::kLost:
      drop_all_cursors();
      break;
  }
  has_more_ = true;
  return std::exchange(untold_, std::nullopt);
}

Status EmbeddedConsumer::take_assignment(const std::vector<TopicPartition>& partitions) {
  // The last commits of whoever owned them before may still be on their way to the disk.
  PENSTOCK_TRY(submitter_.flush());
  std::vector<Position> positions;
  shared_.state.with([&](const State& state) {
    const Catalog::GroupOffsets* offsets = state.catalog.offsets_of(*options_.group_id);
    for (const TopicPartition& at : partitions) {
      const Partition* partition = state.catalog.find(at);
      Offset position = partition != nullptr ? partition->start : Offset(0);
      if (offsets != nullptr && offsets->contains(at)) {
        position = offsets->at(at).next_offset;
      }
      positions.push_back({at, position});
    }
  });
  for (const Position& position : positions) {
    add_cursor(position.partition, position.offset);
  }
  return {};
}

Status EmbeddedConsumer::finish_revocation() {
  PENSTOCK_CHECK(member_);
  for (const TopicPartition& partition : std::exchange(revoking_, {})) {
    drop_cursor(partition);
  }
  return shared_.state.with([this](State& state) {
    Status finished = state.groups.finish_revocation(*member_);
    raise_members(state, *options_.group_id);
    return finished;
  });
}

log::GroupMetadata EmbeddedConsumer::group_metadata() const {
  PENSTOCK_CHECK(member_);
  return shared_.state.with([this](const State& state) { return state.groups.metadata(*member_); });
}

Status EmbeddedConsumer::commit(std::vector<log::OffsetCommit> offsets) {
  Request request;
  request.offsets.push_back({group_metadata(), std::move(offsets)});
  return submitter_.submit_and_wait(std::move(request));
}

// --- Reading -----------------------------------------------------------------------------------

void EmbeddedConsumer::wait(std::chrono::microseconds timeout) {
  if (!has_more_) {
    reader_->signal.wait(timeout);
  }
}

void EmbeddedConsumer::wake() {
  reader_->signal.raise();
}

std::optional<Offset> EmbeddedConsumer::known_end(TopicPartition partition) const {
  return shared_.state.with([&](const State& state) -> std::optional<Offset> {
    const Partition* known = state.catalog.find(partition);
    return known == nullptr ? std::nullopt : std::optional(known->end);
  });
}

Result<log::Consumer::Polled> EmbeddedConsumer::poll(std::size_t bytes_max) {
  has_more_ = false;
  Polled polled;
  PENSTOCK_TRY_ASSIGN(polled.rebalance, next_rebalance());
  if (polled.rebalance) {
    return polled;
  }
  Collected collected;
  do {
    collected = Collected();
    PENSTOCK_TRY(shared_.state.with([&](State& state) {
      reader_->raised = false;
      return collect(state, bytes_max, collected);
    }));
    PENSTOCK_TRY(load(collected.missing));
  } while (collected.batches.empty() && !collected.missing.empty());
  has_more_ = collected.stopped_by_limit || !collected.missing.empty();
  PENSTOCK_TRY_ASSIGN(polled.batches, deliver(std::move(collected)));
  return polled;
}

// First an equal share for everyone, beginning with another partition each time, so that none
// starves; then what is left of the limit for those that have more.
Status EmbeddedConsumer::collect(State& state, std::size_t bytes_max, Collected& into) {
  for (auto& [partition, cursor] : cursors_) {
    cursor.collected_to = cursor.position;
  }
  const std::size_t share = bytes_max / std::max<std::size_t>(cursors_.size(), 1);
  for (const std::size_t limit : {share, bytes_max}) {
    auto at = cursors_.upper_bound(last_polled_);
    for (std::size_t i = 0; i < cursors_.size(); ++i, ++at) {
      at = at == cursors_.end() ? cursors_.begin() : at;
      if (!into.batches.empty() && into.bytes >= bytes_max) {
        into.stopped_by_limit = true;
        break;
      }
      const std::size_t left = bytes_max - std::min(bytes_max, into.bytes);
      PENSTOCK_TRY(collect_partition(state, at, std::min(limit, left), into));
    }
    if (into.batches.empty() || !into.missing.empty()) {
      break;
    }
  }
  if (!into.batches.empty()) {
    last_polled_ = into.batches.front().from;
  }
  return {};
}

// At least one batch, if there is one, and at most about `bytes_max`.
Status EmbeddedConsumer::collect_partition(State& state, Cursors::iterator at,
                                           std::size_t bytes_max, Collected& into) {
  Cursor& cursor = at->second;
  if (cursor.paused || cursor.revoking) {
    return {};
  }
  const Partition* partition = state.catalog.find(at->first);
  if (partition == nullptr) {
    return Error(ErrorCode::kNotFound, "there is no " + describe(state.catalog, at->first));
  }
  cursor.collected_to = std::clamp(cursor.collected_to, partition->start, partition->end);
  const std::size_t begin = into.bytes;
  auto run = partition->run_at(cursor.collected_to);
  while (cursor.collected_to < partition->end) {
    if (run == partition->runs.end() || (*run)->summary.first > cursor.collected_to) {
      const Offset found = partition->skip_lost(cursor.collected_to);
      PENSTOCK_CHECK(found > cursor.collected_to && found <= partition->end);  // I1 of Catalog
      into.batches.push_back(stand_in(at->first, cursor.collected_to, found));
      into.bytes += into.batches.back().entry.size;
      cursor.collected_to = into.batches.back().entry.last() + 1;
      continue;
    }
    const bool loaded = cursor.loaded_run.get() == run->get();
    if (!loaded && !(*run)->in_memory()) {
      const SegmentState* segment = state.catalog.find_segment((*run)->segment->number);
      PENSTOCK_CHECK(segment != nullptr);  // or the run would not be effective
      into.missing.push_back(
          {at->first, *run, {segment->segment, segment->end_position, segment->damage_accepted}});
      return {};
    }
    collect_run(state, at, *run, loaded ? cursor.loaded_entries : (*run)->entries,
                bytes_max - std::min(bytes_max, into.bytes - begin), into);
    if (into.bytes - begin >= bytes_max) {
      into.stopped_by_limit |= cursor.collected_to < partition->end;
      return {};
    }
    ++run;
    cursor.loaded_run = {};  // done with it; a run that is held keeps its segment from being freed
    cursor.loaded_entries.clear();
  }
  return {};
}

void EmbeddedConsumer::collect_run(State& state, Cursors::iterator at, const Ref<Run>& run,
                                   const std::vector<IndexEntry>& entries, std::size_t bytes_max,
                                   Collected& into) {
  Cursor& cursor = at->second;
  std::size_t taken = 0;
  for (std::size_t i = Run::find_in(entries, cursor.collected_to);
       i < entries.size() && (taken == 0 || taken < bytes_max); ++i) {
    const IndexEntry& entry = entries[i];
    // Looked up for each batch: a chunk may end before its capacity, where the next one begins.
    const Ref<Chunk> chunk = state.tail.find(run->segment->number, entry.position);
    WantedBatch wanted{at->first, {}, entry, {}, nullptr};
    if (chunk) {
      wanted.memory = chunk;
      wanted.bytes = chunk->data() + (entry.position - chunk->position);
    } else {
      wanted.segment = run->segment;  // I2
    }
    into.batches.push_back(std::move(wanted));
    cursor.collected_to = entry.last() + 1;
    taken += entry.size;
  }
  into.bytes += taken;
}

Status EmbeddedConsumer::load(std::vector<Missing>& missing) {
  for (Missing& one : missing) {
    Cursor& cursor = cursors_.at(one.partition);
    PENSTOCK_TRY_ASSIGN(cursor.loaded_entries, load_entries(shared_.files, *one.run, one.range));
    cursor.loaded_run = one.run;
  }
  return {};
}

Result<std::vector<log::FetchedBatch>> EmbeddedConsumer::deliver(Collected collected) {
  std::uint64_t from_memory = 0;
  for (const WantedBatch& wanted : collected.batches) {
    from_memory += wanted.memory ? 1 : 0;
  }
  if (from_memory < collected.batches.size()) {
    Status read = segment_reader_.read(collected.batches);
    if (!read && read.error().code() == ErrorCode::kCorrupt) {
      shared_.metrics.damaged_reads.add(1);
    }
    PENSTOCK_TRY(std::move(read));
  } else {
    segment_reader_.release();
  }
  shared_.metrics.tail_hits.add(from_memory);
  shared_.metrics.tail_misses.add(collected.batches.size() - from_memory);
  std::vector<log::FetchedBatch> fetched;
  fetched.reserve(collected.batches.size());
  for (WantedBatch& wanted : collected.batches) {
    fetched.push_back(
        {wanted.from, {wanted.bytes, wanted.entry.size}, std::move(wanted.memory), wanted.is_lost});
  }
  for (auto& [partition, cursor] : cursors_) {
    cursor.position = cursor.collected_to;
  }
  return fetched;
}

}  // namespace penstock::wal
