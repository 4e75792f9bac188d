// What the threads of one embedded log share: the catalog under one lock, and the queue of
// requests.
//
//   callers -> queue -> Writer (one at a time) -> disk, then catalog -> consumers
//   Keeper (retention, rewrites) -> queue, like any caller
//
// The lock is held for microseconds: to look up, to plan a group, to publish one. Never during I/O.
//
// Threads   `state`, `queue` and `queue_memory` from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/buffer.h"
#include "core/guarded.h"
#include "core/mailbox.h"
#include "core/memory_budget.h"
#include "core/signal.h"
#include "core/unique_function.h"
#include "log/group_coordinator.h"
#include "log/types.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "wal/catalog.h"
#include "wal/metrics.h"
#include "wal/options.h"
#include "wal/tail_cache.h"

namespace penstock::wal {

// Encoded entries that are not batches.
struct EntryList {
  Bytes bytes;
  std::uint32_t count = 0;

  void put(const Entry& entry) {
    encode_entry(entry, bytes);
    ++count;
  }
};

struct GroupOffsets {
  log::GroupMetadata group;
  std::vector<log::OffsetCommit> offsets;
};

struct ProducerIdentity {
  std::string transactional_id;
  ProducerState state;
};

// What a rewrite copies: a batch with its original offsets.
struct MovedBatch {
  TopicPartition to;
  RewriteId rewrite;
  std::int64_t written_ms = 0;  // when the original was
  Buffer bytes;
};

// How the log sees a batch that was checked by check_batches().
struct BatchShape {
  std::uint32_t last_delta = 0;
  Timestamp max_timestamp;
};

// Everything one caller wants in the log at once: all of it goes into one group, or nothing.
struct Request {
  std::vector<log::PartitionBatch> batches;
  std::vector<BatchShape> shapes;  // one per batch
  std::vector<MovedBatch> moved;
  std::vector<GroupOffsets> offsets;
  std::optional<ProducerIdentity> producer;  // must still be the newest of its transactional id
  // Looks at the catalog and puts the entries that change it, or refuses. Such a request is a group
  // of its own, so that it sees everything before it.
  UniqueFunction<Status(const Catalog&, EntryList&)> decide;
  bool starts_segment = false;  // ends the segment that is being written; carries nothing else
  bool uses_reserve = false;    // may go on when the disk is full: it helps to make space
  std::size_t size = 0;         // in the payload of its group, about
  std::optional<MemoryBudget::Share> memory;
  log::AppendDone done;
};

struct State {
  explicit State(std::size_t tail_cache_bytes) : tail(tail_cache_bytes) {}

  Catalog catalog;
  log::GroupCoordinator groups;
  std::map<log::GroupCoordinator::MemberId, Ref<Reader>> members;
  TailCache tail;
  std::optional<Error> failure;   // I3 of EmbeddedLog: the first one, for good
  std::optional<Error> no_space;  // why appends are refused for now
  bool closed = false;
};

struct Shared {
  Shared(Options settings, os::FileSystem& file_system, const os::Clock& real_clock,
         os::Random& source, telemetry::Registry& registry)
      : options(std::move(settings)),
        files(file_system),
        clock(real_clock),
        random(source),
        metrics(registry),
        queue_memory(options.queue_bytes_max),
        queue(options.queue_length_max),
        state(options.tail_cache_bytes) {}

  const Options options;
  os::FileSystem& files;
  const os::Clock& clock;
  os::Random& random;  // the writer's
  Metrics metrics;
  MemoryBudget queue_memory;
  Mailbox<Request> queue;
  Signal keeper_wake;
  Guarded<State> state;
};

// Raises the readers of all members of a group: their next poll() may have news.
void raise_members(State& state, std::string_view group_id);

// What the log needs to know of each batch. kInvalid, naming the partition, if one is not sound.
[[nodiscard]] Result<std::vector<BatchShape>> check_batches(
    const std::vector<log::PartitionBatch>& batches);

// The room a request takes in its group.
[[nodiscard]] std::size_t size_of(const Request& request);

}  // namespace penstock::wal
