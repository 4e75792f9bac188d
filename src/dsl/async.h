// The asynchronous step: each record is a call to another system, and many are under way at a time.
//
//   payments.map_values_async<Score>(
//       [&client](const std::string& card, const Payment& payment, AsyncReply<Score> reply) {
//         client.ask(card, payment, [reply](Result<Score> score) mutable { reply.set(score); });
//       },
//       {.in_flight_max = 64, .timeout = 500ms, .breaker = CircuitBreaker::Options()},
//       {.name = "score"})
//
// The function begins the call and returns at once; the reply is set later, from any thread. (For a
// client that waits, os/call_pool.h has threads.) A record goes on when its answer is there: those
// of one key in their order, others as they are answered, or all in their order
// (AsyncOptions::order). Calls that fail are made again; for good, they are errors of processing,
// and the topology's handlers decide (errors.h).
//
// Before a commit all calls are waited for, so their results are committed with the records they
// came from; a transaction that is taken back forgets them, and the calls are made again: the other
// system sees a call at least once, the log each result exactly once.
//
// Threads   AsyncReply from any; everything else from that of the task.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/guarded.h"
#include "core/ref_counted.h"
#include "dsl/call_schedule.h"
#include "dsl/graph.h"
#include "dsl/owned_source.h"
#include "dsl/serde.h"

namespace penstock::dsl {

// Where answers wait for the task's thread.
template <typename VR>
struct AsyncInbox final : RefCounted {
  struct Answer {
    CallSchedule::CallId id;
    std::uint32_t attempt;
    Result<VR> result;
  };

  Guarded<std::vector<Answer>> answers;
  std::function<void()> wake;
};

// Takes the answer of one call. One that comes too late, or a second one, does nothing.
template <typename VR>
class AsyncReply {
 public:
  AsyncReply(Ref<AsyncInbox<VR>> inbox, CallSchedule::Due call)
      : inbox_(std::move(inbox)), call_(call) {}

  void set(Result<VR> result) {
    inbox_->answers.with([&](auto& answers) {
      answers.push_back({call_.id, call_.attempt, std::move(result)});
    });
    inbox_->wake();
  }

 private:
  Ref<AsyncInbox<VR>> inbox_;
  CallSchedule::Due call_;
};

template <typename K, typename V, typename VR, typename Call>
class AsyncNode final : public Node,
                        public AsyncPart,
                        public Receiver<K, V>,
                        public Publisher<K, VR> {
 public:
  AsyncNode(TaskRuntime& runtime, std::string step, const AsyncOptions& options, Call call)
      : runtime_(runtime),
        step_(std::move(step)),
        options_(options),
        call_(std::move(call)),
        schedule_(options),
        inbox_(make_ref<AsyncInbox<VR>>()) {
    inbox_->wake = runtime.context().waker();
    runtime.add_async(*this);
  }

  void receive(const Record<K, V>& record) override {
    if (record.key == nullptr) {
      return runtime_.drop();
    }
    Bytes key;
    Serde<K>::encode(*record.key, key);
    Entry entry{*record.key,
                record.value == nullptr ? std::nullopt : std::optional(*record.value),
                record.timestamp,
                record.headers == nullptr ? std::nullopt : std::optional(*record.headers),
                std::make_unique<OwnedSource>(runtime_.source()),
                std::nullopt};
    const auto id = schedule_.add(std::string(as_text(ByteView(key))), runtime_.context().now());
    entries_.emplace(id, std::move(entry));
  }

  // Some wait for others of their key.
  [[nodiscard]] std::size_t room() const override {
    const std::size_t entries_max = 2 * options_.in_flight_max;
    return entries_max - std::min(entries_max, entries_.size());
  }

  [[nodiscard]] bool advance() override {
    bool worked = false;
    while (!runtime_.has_failed() && take_turn()) {
      worked = true;
    }
    return worked;
  }

  [[nodiscard]] bool may_commit() const override { return entries_.empty(); }

  [[nodiscard]] std::optional<topology::TimePoint> next_advance() const override {
    return schedule_.next_time();
  }

  void aborted() override {
    schedule_.clear();
    entries_.clear();
  }

 private:
  using CallId = CallSchedule::CallId;

  struct Entry {
    K key;
    std::optional<V> value;
    Timestamp timestamp;
    std::optional<Headers> headers;
    std::unique_ptr<OwnedSource> source;
    std::optional<Result<std::optional<VR>>> outcome;
  };

  using Entries = std::map<CallId, Entry>;  // in the order in which they came

  [[nodiscard]] bool take_turn() {
    const auto now = runtime_.context().now();
    const auto answers =
        inbox_->answers.with([](auto& waiting) { return std::exchange(waiting, {}); });
    for (const auto& answer : answers) {
      take(answer, now);
    }
    const std::vector<CallSchedule::Expired> expired = schedule_.expire(now);
    for (const CallSchedule::Expired& call : expired) {
      if (call.for_good) {
        settle(call.id, Error(ErrorCode::kRetry, "there was no answer in time"));
      }
    }
    const std::vector<CallSchedule::Due> due = schedule_.due(now);
    for (const CallSchedule::Due& call : due) {
      begin(call, now);
    }
    return !answers.empty() || !expired.empty() || !due.empty();
  }

  void take(const typename AsyncInbox<VR>::Answer& answer, topology::TimePoint now) {
    const Status status = answer.result ? Status() : Status(answer.result.error());
    switch (schedule_.finish(answer.id, answer.attempt, status, now)) {
      case CallSchedule::Outcome::kDone:
        return settle(answer.id, std::optional<VR>(*answer.result));
      case CallSchedule::Outcome::kFailed:
        return settle(answer.id, answer.result.error());
      case CallSchedule::Outcome::kAgain:
      case CallSchedule::Outcome::kStale:
        return;
    }
  }

  void begin(const CallSchedule::Due& call, topology::TimePoint now) {
    const Entry& entry = entries_.at(call.id);
    if (entry.value.has_value()) {
      call_(entry.key, *entry.value, AsyncReply<VR>(inbox_, call));
      return;
    }
    // Null stays null, in its turn.
    static_cast<void>(schedule_.finish(call.id, call.attempt, Status(), now));
    settle(call.id, std::optional<VR>());
  }

  void settle(CallId id, Result<std::optional<VR>> outcome) {
    const auto entry = entries_.find(id);
    PENSTOCK_CHECK(entry != entries_.end());
    entry->second.outcome = std::move(outcome);
    if (options_.order == AsyncOptions::Order::kByKey) {
      return hand_on(entry);
    }
    while (!entries_.empty() && entries_.begin()->second.outcome.has_value()) {
      hand_on(entries_.begin());
    }
  }

  void hand_on(typename Entries::iterator at) {
    const Entry entry = std::move(at->second);
    entries_.erase(at);
    runtime_.begin_record(entry.source->view());
    const Result<std::optional<VR>>& outcome = *entry.outcome;
    if (outcome) {
      this->publish({&entry.key, to_pointer(*outcome), entry.timestamp, to_pointer(entry.headers)});
    } else {
      runtime_.reject(ErrorKind::kProcessing, step_, outcome.error());
    }
    runtime_.begin_punctuation();  // nothing is being processed any more
  }

  TaskRuntime& runtime_;
  const std::string step_;
  const AsyncOptions options_;
  Call call_;
  CallSchedule schedule_;
  Entries entries_;
  Ref<AsyncInbox<VR>> inbox_;
};

// The step behind another one.
template <typename K, typename V, typename VR, typename Call>
[[nodiscard]] StepId add_async(Graph& graph, StepId parent, Call call, const AsyncOptions& options,
                               const Named& named) {
  static_assert(std::is_invocable_v<Call&, const K&, const V&, AsyncReply<VR>>,
                "the function takes key, value and an AsyncReply of the result's type");
  const std::string name = graph.name_step("KSTREAM-MAPVALUESASYNC-", named.name);
  const StepId step = graph.add_step({Step::Kind::kProcessor, name, {parent}, {}, {}});
  graph.add_plan(step, [parent, name, options, call = std::move(call)](TaskRuntime& runtime) {
    auto node = std::make_unique<AsyncNode<K, V, VR, Call>>(runtime, name, options, call);
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
  return step;
}

}  // namespace penstock::dsl
