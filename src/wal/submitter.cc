#include "wal/submitter.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "core/completion.h"
#include "core/units.h"

namespace penstock::wal {
namespace {

// How long a blocked caller leaves the writer's turn to others before it looks again.
constexpr std::chrono::microseconds kTurnWait{500};

// One part in so many of the queue is kept from plain appends.
constexpr std::size_t kKeptPart = 2;

}  // namespace

Status Submitter::check_door(const State& state, const Request& request) {
  if (state.failure) {
    return *state.failure;
  }
  if (state.closed) {
    return Error(ErrorCode::kFatal, "the log is closed");
  }
  if (state.no_space && !request.uses_reserve) {
    shared_.metrics.refused_no_space.add(1);
    return *state.no_space;
  }
  for (const log::PartitionBatch& batch : request.batches) {
    if (state.catalog.find(batch.to) == nullptr) {
      return Error(ErrorCode::kNotFound, "there is no " + describe(state.catalog, batch.to));
    }
  }
  return {};
}

// What a request takes of the queue: at least its part of the length.
std::size_t Submitter::queue_share(const Request& request) const {
  const Options& options = shared_.options;
  return std::max(request.size, (options.queue_bytes_max - 1) / options.queue_length_max + 1);
}

// Plain appends leave half of the queue to transactions and to what the log itself needs: who
// sends more than the disk takes is told so, and what was taken is processed nevertheless.
bool Submitter::has_room_for(const Request& request) const {
  const bool is_plain_append = !request.batches.empty() && !request.producer;
  const Options& options = shared_.options;
  const std::size_t limit = std::max(options.queue_bytes_max - options.queue_bytes_max / kKeptPart,
                                     options.append_bytes_max);
  return !is_plain_append || shared_.queue_memory.used() + queue_share(request) <= limit;
}

Status Submitter::submit(Request&& request) {
  PENSTOCK_TRY(shared_.state.with([&](const State& state) { return check_door(state, request); }));
  request.size = size_of(request);
  if (request.size > shared_.options.append_bytes_max) {
    return Error(ErrorCode::kInvalid, "the append is too large: " + format_bytes(request.size) +
                                          ", at most " +
                                          format_bytes(shared_.options.append_bytes_max) + " fit");
  }
  request.memory.emplace(shared_.queue_memory);
  if (!has_room_for(request) || !request.memory->grow_to(queue_share(request)) ||
      !shared_.queue.try_send(std::move(request))) {
    // NOLINTNEXTLINE(bugprone-use-after-move): a refusing mailbox leaves the message untouched
    request.memory.reset();
    shared_.metrics.refused_queue_full.add(1);
    return Error(ErrorCode::kBusy, "too many appends are waiting for the disk");
  }
  return {};
}

Status Submitter::submit_and_wait(Request request) {
  auto [answer, source] = make_completion<log::AppendResult>();
  request.done = [to = std::move(source)](Result<log::AppendResult> result) mutable {
    to.set(std::move(result));
  };
  PENSTOCK_TRY(submit(std::move(request)));
  while (!answer.ready()) {
    // A failure answers our request, too.
    const bool had_turn = writer_.try_with(
        [&](Writer& writer) { static_cast<void>(writer.run_once(shared_.clock.now())); });
    if (!had_turn) {
      static_cast<void>(answer.wait_for(kTurnWait));
    }
  }
  const auto result = answer.take();
  return result ? Status() : Status(result.error());
}

Status Submitter::flush() {
  Request nothing;
  nothing.uses_reserve = true;
  nothing.decide = [](const Catalog&, EntryList&) { return Status(); };
  return submit_and_wait(std::move(nothing));
}

}  // namespace penstock::wal
