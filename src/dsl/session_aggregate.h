// SessionAggregateNode aggregates by sessions: records of a key that are never further apart than
// the inactivity gap. A record between two sessions merges them.
//
// Semantics of Kafka Streams' KStreamSessionWindowAggregate: merged sessions are removed (their
// keys get null) before the new one is put out; a result has the session's end as its timestamp.
//
// Threads   one.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "dsl/aggregate.h"

namespace penstock::dsl {

template <typename K, typename V, typename Fold>
class SessionAggregateNode final
    : public Node,
      public Receiver<K, V>,
      public Publisher<SessionWindowed<K>, Change<typename Fold::Aggregate>> {
 public:
  using Aggregate = typename Fold::Aggregate;

  SessionAggregateNode(TaskRuntime& runtime, const SessionWindows& windows,
                       const WindowAggregateOptions& options, Fold fold)
      : runtime_(runtime),
        windows_(windows),
        store_(runtime.store<store::SessionBytes>(options.store)),
        fold_(std::move(fold)),
        options_(options),
        timer_(options.emit_interval) {
    if (options.caches) {
      cache_.emplace(runtime, options.store, options.sends_old_values);
    }
  }

  void receive(const Record<K, V>& record) override {
    if (record.key == nullptr || (record.value == nullptr && !Fold::kTakesNull)) {
      runtime_.drop();
      return;
    }
    const Timestamp close_time = time_.advance(record.timestamp, store_.times()) +
                                 -(windows_.grace() + windows_.inactivity_gap()).count();
    add(record, close_time);
    if (options_.emit == EmitStrategy::kOnWindowClose && timer_.is_due(runtime_.wall_now_ms())) {
      emit_closed(record, close_time);
    }
    expire();
  }

  void restored() override { time_.restored(store_.times()); }

  void before_commit() override {
    if (cache_.has_value()) {
      flush();
    }
  }

  void committed() override { time_.committed(); }

  void aborted() override { time_.aborted(); }

 private:
  void add(const Record<K, V>& record, Timestamp close_time) {
    const std::int64_t gap = windows_.inactivity_gap().count();
    const Window alone{record.timestamp, record.timestamp};
    Window merged = alone;
    std::optional<Aggregate> aggregate = fold_.initial();
    const auto sessions =
        store_.find_sessions(*record.key, record.timestamp + -gap, record.timestamp + gap);
    for (const auto& session : sessions) {
      aggregate = fold_.merge(*record.key, std::move(aggregate), session.value);
      merged.start = std::min(merged.start, session.window.start);
      merged.end = std::max(merged.end, session.window.end);
    }
    if (merged.end < close_time) {
      runtime_.drop_late();
      return;
    }
    if (merged != alone) {
      for (const auto& session : sessions) {
        update_session(record, session.window, &session.value, nullptr);
      }
    }
    aggregate = fold_.add(*record.key, record.value, std::move(aggregate));
    update_session(record, merged, nullptr, to_pointer(aggregate));
  }

  // Stores what a session holds now, and hands the change on: at once, at the next commit, or not
  // before the session closes.
  void update_session(const Record<K, V>& record, Window window, const Aggregate* old,
                      const Aggregate* now) {
    const SessionWindowed<K> key{*record.key, window};
    if (cache_.has_value()) {
      std::optional<Aggregate> before;
      if (cache_->wants_old(key)) {
        before = store_.fetch(key.key, window);
      }
      runtime_.count_kept(store_.put(key.key, window, now, record.timestamp));
      cache_->put(key, now, to_pointer(before), window.end, record.headers);
      if (cache_->is_full()) {
        flush();
      }
      return;
    }
    runtime_.count_kept(store_.put(key.key, window, now, record.timestamp));
    if (options_.emit == EmitStrategy::kOnWindowUpdate) {
      const Change<Aggregate> change{now, options_.sends_old_values ? old : nullptr};
      this->publish({&key, &change, window.end, nullptr});
    }
  }

  void flush() {
    cache_->flush([this](const Record<SessionWindowed<K>, Change<Aggregate>>& record) {
      this->publish(record);
    });
  }

  void emit_closed(const Record<K, V>& record, Timestamp close_time) {
    store::StepTimes& times = store_.times();
    if (times.emitted.value() >= 0 && times.emitted >= close_time) {
      return;
    }
    const Timestamp from(std::max<std::int64_t>(0, times.emitted.value()));
    const Timestamp to = close_time + -1;
    if (to.value() < 0 || to < from) {
      return;
    }
    for (const auto& [key, session] : store_.find_ended(from, to)) {
      const SessionWindowed<K> windowed{key, session.window};
      const Change<Aggregate> change{&session.value, nullptr};
      this->publish({&windowed, &change, session.window.end, record.headers});
    }
    times.emitted = close_time;
  }

  void expire() {
    const bool waits = options_.emit == EmitStrategy::kOnWindowClose;
    store_.expire(waits ? store_.times().emitted
                        : Timestamp(std::numeric_limits<std::int64_t>::max()));
  }

  TaskRuntime& runtime_;
  const SessionWindows windows_;
  SessionStore<K, Aggregate> store_;
  Fold fold_;
  const WindowAggregateOptions options_;
  std::optional<ChangeCache<SessionWindowed<K>, Aggregate>> cache_;
  StepTime time_;
  EmitTimer timer_;
};

}  // namespace penstock::dsl
