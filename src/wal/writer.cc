#include "wal/writer.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/check.h"
#include "core/crc32c.h"
#include "record/record_batch.h"
#include "wal/index_file.h"

namespace penstock::wal {
namespace {

constexpr std::chrono::seconds kSpaceRetryInterval{1};
constexpr std::size_t kGroupsPerChunk = 4;
constexpr std::size_t kChunksMin = 4;

std::size_t chunk_bytes(const Options& options) {
  const std::size_t wanted = kGroupsPerChunk * (options.group_bytes_max + kBlockSize);
  const std::uint64_t size =
      round_up_to_block(std::min(wanted, options.tail_cache_bytes / kChunksMin) + 1);
  constexpr std::uint64_t kHugePage = os::LargeMemory::kHugePageSize;
  return size < kHugePage ? size : (size + kHugePage - 1) / kHugePage * kHugePage;
}

// Such a request is a group of its own, so that it sees everything before it.
bool stands_alone(const Request& request) {
  return request.decide || request.starts_segment;
}

std::int64_t wall_ms(const Shared& shared) {
  return shared.clock.wall_now().time_since_epoch().count();
}

Error no_space(const Error& reason) {
  return Error(ErrorCode::kBusy, reason.message()).with("the disk of the log is full");
}

}  // namespace

Writer::Writer(Shared& shared, SpareSegments& spares, const LogEnd& end, ProofFile proof,
               AppendFile file)
    : shared_(shared),
      spares_(spares),
      end_(end),
      seed_(checksum_seed(end.uuid)),
      proof_(std::move(proof)),
      file_(std::move(file)),
      pool_(make_ref<ChunkPool>(
          chunk_bytes(shared.options),
          shared.options.tail_cache_bytes / chunk_bytes(shared.options) + kChunksMin)) {}

// --- Taking requests ---------------------------------------------------------------------------

void Writer::receive() {
  shared_.queue.receive(received_);
  for (Request& request : received_) {
    inbox_.push_back(std::move(request));
  }
  received_.clear();
}

Result<std::size_t> Writer::run_once(os::TimePoint now) {
  answered_ = 0;
  receive();
  const auto failure = shared_.state.with([](const State& state) { return state.failure; });
  if (failure) {  // I2
    refuse_all(*failure);
    return *failure;
  }
  if (!has_space_) {
    look_for_space(now);
  }
  while (!inbox_.empty()) {
    PENSTOCK_TRY(write_next_group(now));
  }
  if (answered_ == 0 && end_.sequence > proven_sequence_ &&
      now - last_write_ >= shared_.options.proof_delay) {
    PENSTOCK_TRY(prove());
  }
  return answered_;
}

Status Writer::write_next_group(os::TimePoint now) {
  Refused refused;
  shared_.state.with([&](State& state) { plan_group(state, refused); });
  for (auto& [request, error] : refused) {
    request.done(std::move(error));
    ++answered_;
  }
  Status written = write_plan();
  if (written) {
    answered_ += answer_plan();
    return {};
  }
  if (written.error().code() == ErrorCode::kBusy) {
    refuse_for_space(written.error(), now);
    return {};
  }
  return fail(written.error());
}

Status Writer::write_plan() {
  if (plan_.starts_segment) {
    return roll();
  }
  if (plan_.payload_size == 0) {
    return {};  // nothing to write, and everything before is on the disk
  }
  PENSTOCK_TRY(make_room(round_up_to_block(kGroupHeaderSize + plan_.payload_size)));
  const GroupHeader header = build_group();
  const os::TimePoint begin = shared_.clock.now();
  PENSTOCK_TRY(write_group(header));
  last_write_ = shared_.clock.now();
  shared_.metrics.write_seconds.record(last_write_ - begin);
  publish(header);
  return {};
}

std::size_t Writer::answer_plan() {
  const std::size_t count = plan_.requests.size();
  for (Request& request : plan_.requests) {
    request.memory.reset();
    request.done(log::AppendResult{std::move(request.batches)});
  }
  plan_ = Plan();
  return count;
}

// --- Planning ----------------------------------------------------------------------------------

bool Writer::fits_in_plan(const Request& request) const {
  if (plan_.requests.empty()) {
    return true;
  }
  return !stands_alone(request) && request.uses_reserve == plan_.uses_reserve &&
         plan_.payload_size + request.size <= shared_.options.group_bytes_max;
}

void Writer::plan_group(State& state, Refused& refused) {
  while (!inbox_.empty() && fits_in_plan(inbox_.front())) {
    Request request = std::move(inbox_.front());
    inbox_.pop_front();
    Status allowed = admit(state, request);
    if (allowed && request.decide) {
      allowed = request.decide(state.catalog, plan_.entries);
    } else if (allowed) {
      allowed = place(state, request);
    }
    if (!allowed) {
      refused.emplace_back(std::move(request), std::move(allowed).error());
      continue;
    }
    put_offsets(request);
    plan_.uses_reserve = request.uses_reserve;
    plan_.starts_segment = request.starts_segment;
    const bool last = stands_alone(request);
    plan_.requests.push_back(std::move(request));
    if (last) {
      break;
    }
  }
  plan_.payload_size += plan_.entries.bytes.size();
}

Status Writer::admit(const State& state, const Request& request) const {
  if (!has_space_ && !request.uses_reserve) {
    return state.no_space ? *state.no_space : Error(ErrorCode::kBusy, "the disk is full");
  }
  if (request.producer) {
    const ProducerState* newest = state.catalog.producer(request.producer->transactional_id);
    if (newest == nullptr || *newest != request.producer->state) {
      return Error(ErrorCode::kFenced, "a newer producer has opened the transactional id " +
                                           request.producer->transactional_id);
    }
  }
  for (const GroupOffsets& group : request.offsets) {
    for (const log::OffsetCommit& commit : group.offsets) {
      if (state.catalog.find(commit.partition) == nullptr) {
        return Error(ErrorCode::kNotFound,
                     "there is no " + describe(state.catalog, commit.partition));
      }
      PENSTOCK_TRY(state.groups.check_commit(group.group, commit.partition));
    }
  }
  return {};
}

// Finds the partitions of all batches first, so that a request is placed whole or not at all.
Status Writer::place(State& state, const Request& request) {
  const std::size_t begin = plan_.placed.size();
  const auto find = [&](TopicPartition to) -> Partition* {
    Partition* partition = state.catalog.find(to);
    if (partition == nullptr) {
      plan_.placed.resize(begin);
    }
    return partition;
  };
  for (std::size_t i = 0; i < request.batches.size(); ++i) {
    const TopicPartition to = request.batches[i].to;
    Partition* partition = find(to);
    if (partition == nullptr) {
      return Error(ErrorCode::kNotFound, describe(state.catalog, to) + " was deleted");
    }
    IndexEntry entry;
    entry.max_timestamp = request.shapes[i].max_timestamp;
    entry.last_delta = request.shapes[i].last_delta;
    entry.size = static_cast<std::uint32_t>(request.batches[i].batch.bytes.size());
    plan_.placed.push_back({partition, to, kAppended, 0, entry});
  }
  for (const MovedBatch& moved : request.moved) {
    Partition* partition = find(moved.to);
    if (partition == nullptr) {
      return Error(ErrorCode::kNotFound, describe(state.catalog, moved.to) + " was deleted");
    }
    const auto entry = index_batch(moved.bytes, 0);
    PENSTOCK_CHECK(entry.has_value());
    plan_.placed.push_back({partition, moved.to, moved.rewrite, moved.written_ms, *entry});
  }
  for (std::size_t i = begin; i < plan_.placed.size(); ++i) {
    Placed& placed = plan_.placed[i];
    const bool moved = placed.rewrite != kAppended;
    if (!moved) {
      placed.entry.base = placed.partition->next;
      placed.partition->next = placed.entry.last() + 1;
    }
    plan_.payload_size +=
        placed.entry.size + (moved ? kMovedBatchEntryOverhead : kBatchEntryOverhead);
  }
  return {};
}

void Writer::put_offsets(const Request& request) {
  for (const GroupOffsets& group : request.offsets) {
    for (const log::OffsetCommit& commit : group.offsets) {
      plan_.entries.put(
          OffsetEntry{group.group.group_id, commit.partition, commit.next_offset, commit.metadata});
    }
  }
}

// The offsets that were given to a group that is not written.
void Writer::take_back_offsets() {
  shared_.state.with([&](State&) {
    for (const Placed& placed : plan_.placed) {
      placed.partition->next = placed.partition->end;
    }
  });
}

// --- Writing -----------------------------------------------------------------------------------

Status Writer::make_room(std::uint64_t size_on_disk) {
  const std::uint64_t end = end_.position + size_on_disk;
  const bool has_spare = spares_.count() > 0;
  const std::uint64_t kept_free =
      has_spare || plan_.uses_reserve ? 0 : shared_.options.reserve_bytes;
  if (end + kept_free <= end_.segment_bytes) {
    return {};
  }
  // The segment is full, or only its reserve is left: from here on there must be a next one.
  if (!has_spare) {
    PENSTOCK_TRY(spares_.make());
  }
  return end <= end_.segment_bytes ? Status() : roll();
}

Status Writer::roll() {
  PENSTOCK_TRY_ASSIGN(file_, start_segment(shared_, spares_, end_));
  seed_ = checksum_seed(end_.uuid);
  chunk_ = {};
  shared_.keeper_wake.raise();  // the old one wants an index, and the next a spare
  return note_synced();         // or nobody would miss the new file, were it lost
}

Result<AppendFile> Writer::start_segment(Shared& shared, SpareSegments& spares, LogEnd& end) {
  SegmentHeader header;
  header.uuid = shared.random.uuid();
  header.number = SegmentNumber(end.segment.value() + 1);
  header.size_bytes = shared.options.segment_bytes;
  header.first_sequence = end.sequence + 1;
  header.previous_crc = end.crc;
  header.created_ms = std::max(end.written_ms, wall_ms(shared));

  Bytes snapshot;
  GroupHeader group;
  group.entry_count = shared.state.with(
      [&](const State& state) { return state.catalog.encode_snapshot(snapshot); });
  if (kBlockSize + round_up_to_block(kGroupHeaderSize + snapshot.size()) > header.size_bytes / 2) {
    return Error(ErrorCode::kFatal, "the log's own state no longer fits a segment of " +
                                        format_bytes(header.size_bytes) +
                                        ": open it with larger segments");
  }
  const std::uint32_t seed = checksum_seed(header.uuid);
  group.kind = GroupKind::kSnapshot;
  group.position = kBlockSize;
  group.sequence = header.first_sequence;
  group.synced_sequence = end.sequence;
  group.previous_crc = header.previous_crc;
  group.epoch = end.epoch;
  group.written_ms = header.created_ms;
  group.payload_size = static_cast<std::uint32_t>(snapshot.size());
  group.payload_crc = crc32c(snapshot, seed);

  const AlignedBlocks blocks(kBlockSize + group.size_on_disk());
  encode_segment_header(header, blocks.bytes().first(kBlockSize));
  encode_group_header(group, seed, blocks.bytes().data() + kBlockSize);
  std::copy(snapshot.begin(), snapshot.end(),
            blocks.bytes().begin() + kBlockSize + kGroupHeaderSize);

  std::optional<std::string> spare = spares.take();
  if (!spare) {
    PENSTOCK_TRY(spares.make());
    spare = spares.take();
  }
  const auto segment = make_ref<Segment>(header.number, header.uuid, shared.options.directory);
  PENSTOCK_TRY_ASSIGN(AppendFile file, AppendFile::open(shared.files, *spare));
  Status named = file.write(0, blocks.bytes());
  if (named) {
    named = shared.files.rename(*spare, segment->path);  // I4
  }
  if (!named) {
    spares.give_back(*spare);  // it is nothing but a spare still
    return std::move(named).error();
  }
  PENSTOCK_TRY(shared.files.sync_directory(shared.options.directory));

  shared.state.with([&](State& state) {
    SegmentState added;
    added.segment = segment;
    added.end_position = kBlockSize + group.size_on_disk();
    added.last_sequence = group.sequence;
    added.last_crc = group.crc;
    added.created_ms = header.created_ms;
    added.last_append_ms = header.created_ms;
    state.catalog.add_segment(std::move(added));
    state.catalog.set_active(header.number);
  });
  end = {header.number,  header.uuid, header.size_bytes, kBlockSize + group.size_on_disk(),
         group.sequence, group.crc,   end.epoch,         group.written_ms};
  return file;
}

std::byte* Writer::group_memory(std::uint64_t size_on_disk) {
  if (chunk_ && end_.position + size_on_disk <= chunk_->position + chunk_->capacity()) {
    return chunk_->data() + (end_.position - chunk_->position);
  }
  chunk_ = pool_->take(static_cast<std::size_t>(size_on_disk));
  chunk_->segment = end_.segment;
  chunk_->position = end_.position;
  chunk_is_new_ = true;
  return chunk_->data();
}

// Copies everything into the group's memory and computes its checksums, piece by piece while it is
// in the processor's cache.
GroupHeader Writer::build_group() {
  GroupHeader header;
  header.position = end_.position;
  header.sequence = end_.sequence + 1;
  header.synced_sequence = end_.sequence;  // I1
  header.payload_size = static_cast<std::uint32_t>(plan_.payload_size);
  header.previous_crc = end_.crc;
  header.entry_count = static_cast<std::uint32_t>(plan_.placed.size()) + plan_.entries.count;
  header.epoch = end_.epoch;
  header.written_ms = std::max(end_.written_ms, wall_ms(shared_));

  std::byte* const begin = group_memory(header.size_on_disk());
  std::byte* to = begin + kGroupHeaderSize;
  std::uint32_t crc = seed_;
  const auto add = [&](std::byte* entry_end) {
    crc = crc32c({to, entry_end}, crc);
    to = entry_end;
  };
  auto placed = plan_.placed.begin();
  const auto add_batch = [&](ByteView batch) {
    std::byte* const at = placed->rewrite == kAppended
                              ? put_batch_entry(to, placed->to, batch.size())
                              : put_moved_batch_entry(to, placed->to, placed->rewrite,
                                                      placed->written_ms, batch.size());
    placed->entry.position =
        static_cast<std::uint32_t>(end_.position + static_cast<std::uint64_t>(at - begin));
    std::memcpy(at, batch.data(), batch.size());
    ++placed;
    add(at + batch.size());
  };
  for (Request& request : plan_.requests) {
    for (log::PartitionBatch& batch : request.batches) {
      set_base_offset({batch.batch.bytes.data(), batch.batch.bytes.size()}, placed->entry.base);
      add_batch(batch.batch.bytes);
    }
    for (const MovedBatch& batch : request.moved) {
      add_batch(batch.bytes);
    }
  }
  if (!plan_.entries.bytes.empty()) {
    std::memcpy(to, plan_.entries.bytes.data(), plan_.entries.bytes.size());
    add(to + plan_.entries.bytes.size());
  }
  PENSTOCK_CHECK(placed == plan_.placed.end());
  PENSTOCK_CHECK(to == begin + kGroupHeaderSize + plan_.payload_size);
  std::fill(to, begin + header.size_on_disk(), std::byte{0});
  header.payload_crc = crc;
  encode_group_header(header, seed_, begin);
  return header;
}

Status Writer::write_group(const GroupHeader& header) {
  const ByteView bytes(chunk_->data() + (header.position - chunk_->position),
                       static_cast<std::size_t>(header.size_on_disk()));
  Status written = file_.write(header.position, bytes);
  if (written || written.error().code() != ErrorCode::kBusy) {
    return written;
  }
  const AlignedBlocks zeros(kBlockSize);  // I3
  if (Status wiped = file_.write(header.position, zeros.bytes()); !wiped) {
    return Error(ErrorCode::kFatal, wiped.error().message())
        .with("a group that found no space cannot be taken back");
  }
  return written;
}

void Writer::publish(const GroupHeader& header) {
  std::uint64_t records = 0;
  shared_.state.with([&](State& state) {
    SegmentState& active = state.catalog.active();
    for (const Placed& placed : plan_.placed) {
      if (placed.rewrite != kAppended) {
        state.catalog.publish_moved(*placed.partition, placed.to, placed.rewrite, placed.entry,
                                    placed.written_ms);
        continue;
      }
      state.catalog.publish(*placed.partition, placed.to, placed.entry, header.written_ms);
      records += std::uint64_t{placed.entry.last_delta} + 1;
      for (const Ref<Reader>& reader : placed.partition->readers) {
        if (!std::exchange(reader->raised, true)) {
          to_raise_.push_back(reader);
        }
      }
    }
    EntryReader entries(plan_.entries.bytes);
    for (Entry entry; entries.next(entry);) {
      PENSTOCK_CHECK(state.catalog.apply(entry).has_value());
    }
    PENSTOCK_CHECK(entries.status().has_value());
    active.end_position = header.position + header.size_on_disk();
    active.last_sequence = header.sequence;
    active.last_crc = header.crc;
    if (!plan_.placed.empty()) {
      active.last_append_ms = header.written_ms;
    }
    if (std::exchange(chunk_is_new_, false)) {
      state.tail.add(chunk_);
    }
  });
  end_.position += header.size_on_disk();
  end_.sequence = header.sequence;
  end_.crc = header.crc;
  end_.written_ms = header.written_ms;
  shared_.metrics.groups.add(1);
  shared_.metrics.bytes.add(header.size_on_disk());
  shared_.metrics.batches.add(plan_.placed.size());
  shared_.metrics.records.add(records);
  for (const Ref<Reader>& reader : to_raise_) {
    reader->signal.raise();
  }
  to_raise_.clear();
}

Status Writer::write_empty_group() {
  PENSTOCK_CHECK(plan_.requests.empty());
  ++end_.epoch;
  plan_.uses_reserve = true;  // a log that does not start cannot make space
  PENSTOCK_TRY(make_room(kBlockSize));
  const GroupHeader header = build_group();
  PENSTOCK_TRY(write_group(header));
  publish(header);
  plan_ = Plan();
  last_write_ = shared_.clock.now();
  return {};
}

Status Writer::prove() {
  if (proven_sequence_ == end_.sequence) {
    return {};
  }
  const Status noted = note_synced();
  return noted ? Status() : fail(noted.error());
}

Status Writer::note_synced() {
  Status written = proof_.write({end_.sequence, end_.segment, end_.position});
  if (!written && written.error().code() != ErrorCode::kBusy) {
    return written;
  }
  proven_sequence_ = end_.sequence;
  return {};
}

// --- When it does not work ---------------------------------------------------------------------

void Writer::refuse_all(const Error& error) {
  receive();
  for (Request& request : plan_.requests) {
    inbox_.push_back(std::move(request));
  }
  plan_ = Plan();
  for (Request& request : inbox_) {
    request.memory.reset();
    request.done(error);
  }
  inbox_.clear();
}

Error Writer::fail(const Error& error) {
  Error failure = Error(ErrorCode::kFatal, error.message()).with("the log has failed");
  shared_.state.with([&](State& state) {
    if (!state.failure) {
      state.failure = failure;
    }
  });
  refuse_all(failure);
  return failure;
}

void Writer::refuse_for_space(const Error& error, os::TimePoint now) {
  take_back_offsets();
  const Error refusal = no_space(error);
  shared_.state.with([&](State& state) { state.no_space = refusal; });
  if (has_space_) {
    has_space_ = false;
    shared_.keeper_wake.raise();
  }
  retry_space_at_ = now + kSpaceRetryInterval;
  answered_ += plan_.requests.size();
  for (Request& request : plan_.requests) {
    shared_.metrics.refused_no_space.add(1);
    request.memory.reset();
    request.done(refusal);
  }
  plan_ = Plan();
}

void Writer::look_for_space(os::TimePoint now) {
  if (spares_.count() == 0) {
    if (now < retry_space_at_) {
      return;
    }
    retry_space_at_ = now + kSpaceRetryInterval;
    if (!spares_.make()) {
      return;
    }
  }
  has_space_ = true;
  shared_.state.with([](State& state) { state.no_space.reset(); });
}

}  // namespace penstock::wal
