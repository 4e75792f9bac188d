#include "gateway/append_route.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace penstock::gateway {

using log::AppendDone;
using log::AppendResult;
using log::PartitionBatch;

AppendRoute::AppendRoute(log::Log& log, const os::Clock& clock, const Options& options)
    : log_(log), clock_(clock), options_(options), state_(options.breaker) {}

std::uint64_t AppendRoute::bytes_of(const std::vector<PartitionBatch>& batches) {
  std::uint64_t bytes = 0;
  for (const PartitionBatch& batch : batches) {
    bytes += batch.batch.bytes.size();
  }
  return bytes;
}

Status AppendRoute::append(std::vector<PartitionBatch> batches, AppendDone done) {
  const std::uint64_t bytes = bytes_of(batches);
  const Result<Way> way = state_.with([&](State& state) {
    auto chosen = choose(state, bytes);
    if (chosen && chosen->mode == Mode::kHold) {
      state.held_bytes += bytes;
      state.held.push_back({std::move(batches), std::move(done), bytes});
    }
    return chosen;
  });
  if (!way) {
    return way.error();
  }
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.Move): moved from only if it is held
  return way->mode == Mode::kHold ? Status() : go(*way, bytes, std::move(batches), std::move(done));
}

Result<AppendRoute::Way> AppendRoute::choose(State& state, std::uint64_t bytes) {
  if (state.mode == Mode::kDirect) {
    const os::TimePoint now = clock_.now();
    if (const auto permission = state.breaker.try_acquire(now)) {
      const std::uint64_t call = state.next_call++;
      state.direct.emplace(call, DirectCall{*permission, now});
      return Way{Mode::kDirect, call, nullptr};
    }
    state.mode = Mode::kSpill;
  }
  if (state.mode == Mode::kSpill) {
    PENSTOCK_TRY(begin_spill(state, bytes));
    return Way{Mode::kSpill, 0, state.spill};
  }
  if (state.held_bytes + bytes > options_.held_bytes_max) {
    return Error(ErrorCode::kBusy, "the log has just come back: try again");
  }
  return Way{Mode::kHold, 0, nullptr};
}

Status AppendRoute::go(const Way& way, std::uint64_t bytes, std::vector<PartitionBatch> batches,
                       AppendDone done) {
  return way.mode == Mode::kDirect
             ? append_direct(way.call, std::move(batches), std::move(done))
             : append_to_spill(*way.spill, bytes, std::move(batches), std::move(done));
}

// --- to the log -------------------------------------------------------------------------------

Status AppendRoute::append_direct(std::uint64_t call, std::vector<PartitionBatch> batches,
                                  AppendDone done) {
  Status taken =
      log_.append(std::move(batches), [self = Ref<AppendRoute>(this), call,
                                       answer = std::move(done)](Result<AppendResult> r) mutable {
        self->end_direct(call, r.has_value());
        answer(std::move(r));
      });
  if (!taken) {
    end_direct(call, false);
  }
  return taken;
}

void AppendRoute::end_direct(std::uint64_t call, bool succeeded) {
  (succeeded ? counts_.direct_succeeded : counts_.direct_failed).add(1);
  state_.with([&](State& state) {
    const auto found = state.direct.find(call);
    PENSTOCK_CHECK(found != state.direct.end());
    const DirectCall& ended = found->second;
    if (!ended.timed_out) {
      const os::TimePoint now = clock_.now();
      state.breaker.finish(
          ended.permission,
          succeeded ? CircuitBreaker::Outcome::kSuccess : CircuitBreaker::Outcome::kError,
          now - ended.begun, now);
    }
    state.direct.erase(found);
  });
}

void AppendRoute::check_direct() {
  state_.with([&](State& state) {
    const os::TimePoint now = clock_.now();
    for (auto& [number, call] : state.direct) {
      if (now - call.begun <= options_.timeout_duration) {
        break;  // the later ones have begun later
      }
      if (!std::exchange(call.timed_out, true)) {
        counts_.timed_out.add(1);
        state.breaker.finish(call.permission, CircuitBreaker::Outcome::kError, now - call.begun,
                             now);
      }
    }
  });
}

std::size_t AppendRoute::direct_count() const {
  return state_.with([](const State& state) { return state.direct.size(); });
}

// --- into the spill ---------------------------------------------------------------------------

Status AppendRoute::begin_spill(State& state, std::uint64_t bytes) {
  PENSTOCK_CHECK(state.spill != nullptr);
  const os::TimePoint now = clock_.now();
  if (state.waiting_bytes + bytes > options_.spill_bytes_max) {
    counts_.refused.add(1);
    return Error(ErrorCode::kBusy,
                 "the log cannot be reached, and the spill has reached spill.size_max");
  }
  if (oldest_age(state, now) > options_.spill_age_max) {
    counts_.refused.add(1);
    return Error(ErrorCode::kBusy,
                 "the log cannot be reached, and the spill has reached spill.age_max");
  }
  if (state.waiting.empty() || now - state.waiting.back().from >= std::chrono::seconds(1)) {
    state.waiting.push_back({now});
  }
  state.waiting.back().bytes += bytes;
  state.waiting_bytes += bytes;
  ++state.spill_calls;
  ++state.spill_unanswered;
  return {};
}

Status AppendRoute::append_to_spill(log::Log& spill, std::uint64_t bytes,
                                    std::vector<PartitionBatch> batches, AppendDone done) {
  std::vector<TopicPartition> places;
  places.reserve(batches.size());
  for (const PartitionBatch& batch : batches) {
    places.push_back(batch.to);
  }
  Status taken = to_spill_topics(spill, batches);
  if (taken) {
    taken = spill.append(std::move(batches),
                         [self = Ref<AppendRoute>(this), bytes, to = std::move(places),
                          answer = std::move(done)](Result<AppendResult> r) mutable {
                           self->end_spill(bytes, r.has_value());
                           for (std::size_t i = 0; r && i < to.size(); ++i) {
                             r->batches[i].to = to[i];
                           }
                           answer(std::move(r));
                         });
  }
  if (!taken) {
    end_spill(bytes, false);
  }
  state_.with([](State& state) { --state.spill_calls; });
  return taken;
}

Status AppendRoute::to_spill_topics(log::Log& spill, std::vector<PartitionBatch>& batches) {
  for (PartitionBatch& batch : batches) {
    PENSTOCK_TRY_ASSIGN(batch.to.topic, spill_topic(spill, batch.to.topic));
  }
  return {};
}

Result<TopicId> AppendRoute::spill_topic(log::Log& spill, TopicId id) {
  std::optional<TopicId> known;
  std::optional<log::TopicInfo> info;
  state_.with([&](const State& state) {
    if (const auto found = state.spill_topics.find(id); found != state.spill_topics.end()) {
      known = found->second;
    } else if (const auto topic = state.topics.find(id); topic != state.topics.end()) {
      info = topic->second;
    }
  });
  if (known.has_value()) {
    return *known;
  }
  if (!info.has_value()) {
    return Error(ErrorCode::kNotFound, "there is no topic " + to_string(id));
  }
  log::TopicConfig config;
  config.name = info->config.name;
  config.partition_count = info->config.partition_count;
  PENSTOCK_TRY_ASSIGN(const log::TopicInfo made, spill.ensure_topic(config));
  state_.with([&](State& state) {
    if (state.spill == &spill) {
      state.spill_topics[id] = made.id;
    }
  });
  return made.id;
}

void AppendRoute::end_spill(std::uint64_t bytes, bool succeeded) {
  if (succeeded) {
    counts_.spilled.add(1);
    counts_.spilled_bytes.add(bytes);
  }
  state_.with([&](State& state) {
    PENSTOCK_CHECK(state.spill_unanswered > 0);
    --state.spill_unanswered;
    if (!succeeded) {
      take_waiting(state, bytes);
    }
  });
}

void AppendRoute::shipped(std::uint64_t bytes) {
  state_.with([&](State& state) { take_waiting(state, bytes); });
}

void AppendRoute::take_waiting(State& state, std::uint64_t bytes) {
  state.waiting_bytes -= std::min(bytes, state.waiting_bytes);
  while (bytes > 0 && !state.waiting.empty()) {
    SpilledSecond& oldest = state.waiting.front();
    const std::uint64_t taken = std::min(bytes, oldest.bytes);
    oldest.bytes -= taken;
    bytes -= taken;
    if (oldest.bytes == 0) {
      state.waiting.pop_front();
    }
  }
}

std::chrono::nanoseconds AppendRoute::oldest_age(const State& state, os::TimePoint now) {
  return state.waiting.empty() ? std::chrono::nanoseconds(0) : now - state.waiting.front().from;
}

bool AppendRoute::is_spill_idle() const {
  return state_.with(
      [](const State& state) { return state.spill_calls == 0 && state.spill_unanswered == 0; });
}

Status AppendRoute::use_spill(log::Log* spill) {
  std::vector<TopicId> topics;
  state_.with([&](State& state) {
    PENSTOCK_CHECK(state.spill_calls == 0 && state.spill_unanswered == 0);
    state.spill = spill;
    state.spill_topics.clear();
    state.waiting.clear();
    state.waiting_bytes = 0;
    for (const auto& [id, topic] : state.topics) {
      topics.push_back(id);
    }
  });
  for (const TopicId id : topics) {
    PENSTOCK_TRY(spill_topic(*spill, id));
  }
  return {};
}

void AppendRoute::add_topic(const log::TopicInfo& topic) {
  state_.with([&](State& state) { state.topics[topic.id] = topic; });
}

// --- there and back ---------------------------------------------------------------------------

void AppendRoute::hold() {
  state_.with([](State& state) {
    PENSTOCK_CHECK(state.mode == Mode::kSpill);
    state.mode = Mode::kHold;
  });
}

void AppendRoute::resume(Mode to) {
  PENSTOCK_CHECK(to != Mode::kHold);
  for (;;) {
    std::deque<Held> held;
    const bool done = state_.with([&](State& state) {
      PENSTOCK_CHECK(state.mode == Mode::kHold);
      std::swap(held, state.held);
      state.held_bytes = 0;
      if (held.empty()) {
        state.mode = to;
      }
      return held.empty();
    });
    if (done) {
      return;
    }
    for (Held& append : held) {
      append_held(std::move(append), to);
    }
  }
}

// The caller was told that it is taken, so what refuses it now is its answer.
void AppendRoute::append_held(Held held, Mode to) {
  auto shared_done = make_ref<SharedDone>(std::move(held.done));
  AppendDone done = [shared_done](Result<AppendResult> r) { shared_done->done(std::move(r)); };
  const Result<Way> way = state_.with([&](State& state) -> Result<Way> {
    if (to == Mode::kSpill) {
      PENSTOCK_TRY(begin_spill(state, held.bytes));
      return Way{Mode::kSpill, 0, state.spill};
    }
    // Without permission the breaker has opened meanwhile: this one goes through all the same, as
    // it was made before, and what becomes of it is not counted.
    const os::TimePoint now = clock_.now();
    const auto permission = state.breaker.try_acquire(now);
    const std::uint64_t call = state.next_call++;
    state.direct.emplace(call, DirectCall{permission.value_or(CircuitBreaker::Permission()), now,
                                          !permission.has_value()});
    return Way{Mode::kDirect, call, nullptr};
  });
  Status taken =
      way ? go(*way, held.bytes, std::move(held.batches), std::move(done)) : Status(way.error());
  if (!taken) {
    shared_done->done(std::move(taken).error());
  }
}

// --- the breaker ------------------------------------------------------------------------------

std::optional<CircuitBreaker::Permission> AppendRoute::try_acquire() {
  return state_.with([&](State& state) { return state.breaker.try_acquire(clock_.now()); });
}

void AppendRoute::finish(CircuitBreaker::Permission permission, CircuitBreaker::Outcome outcome,
                         CircuitBreaker::Duration took) {
  state_.with([&](State& state) { state.breaker.finish(permission, outcome, took, clock_.now()); });
}

AppendRoute::View AppendRoute::view() const {
  return state_.with([&](const State& state) {
    View view;
    view.mode = state.mode;
    view.breaker = state.breaker.state();
    view.failure_rate = state.breaker.failure_rate();
    view.slow_call_rate = state.breaker.slow_call_rate();
    view.waiting_bytes = state.waiting_bytes;
    view.oldest_age = oldest_age(state, clock_.now());
    return view;
  });
}

}  // namespace penstock::gateway
