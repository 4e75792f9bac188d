// Aggregations of a grouped stream: by key, and by key and time window.
//
// Semantics of Kafka Streams' KStreamAggregate, KStreamReduce and KStreamWindowAggregate: records
// without key (or, without windows, value) are dropped; a result has the largest timestamp of its
// records; with windows a record for a closed one is dropped, where closed means that the end plus
// grace is not after the largest timestamp that this step has seen.
//
// Threads   one.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "dsl/folds.h"
#include "dsl/options.h"
#include "dsl/table_info.h"
#include "dsl/table_store.h"

namespace penstock::dsl {

template <typename K, typename V, typename Fold>
class AggregateNode final : public StoredTableNode<K, typename Fold::Aggregate>,
                            public Receiver<K, V> {
 public:
  using Aggregate = typename Fold::Aggregate;

  AggregateNode(TaskRuntime& runtime, const TableOptions& table, Fold fold)
      : StoredTableNode<K, Aggregate>(runtime, table), fold_(std::move(fold)) {}

  void receive(const Record<K, V>& record) override {
    if (record.key == nullptr || record.value == nullptr) {
      this->runtime_.drop();
      return;
    }
    const auto stored = this->stored(*record.key);
    const std::optional<Aggregate> old =
        stored.has_value() ? std::optional(stored->value) : fold_.initial();
    const Timestamp timestamp =
        stored.has_value() ? std::max(record.timestamp, stored->timestamp) : record.timestamp;
    const std::optional<Aggregate> now = fold_.add(*record.key, record.value, old);
    this->update(record, to_pointer(now), to_pointer(old), timestamp);
  }

 private:
  Fold fold_;
};

// When results are put out on close: at most every so often by the wall clock, as Kafka Streams
// does, since each time costs a look into the store.
class EmitTimer {
 public:
  explicit EmitTimer(Duration interval) : interval_(interval) {}

  [[nodiscard]] bool is_due(std::int64_t now_ms) {
    if (now_ms < next_ms_) {
      return false;
    }
    next_ms_ = now_ms + interval_.count();
    return true;
  }

 private:
  const Duration interval_;
  std::int64_t next_ms_ = 0;
};

// The largest timestamp that a step has seen. Each step has its own, also if several share a store
// (cogroup); after a restart it begins with what the store knows of them together.
class StepTime {
 public:
  void restored(const store::StepTimes& known) {
    observed_ = known.observed;
    committed_ = known.observed;
  }

  Timestamp advance(Timestamp timestamp, store::StepTimes& known) {
    observed_ = std::max(observed_, timestamp);
    known.observed = std::max(known.observed, observed_);
    return observed_;
  }

  void committed() { committed_ = observed_; }

  void aborted() { observed_ = committed_; }

 private:
  Timestamp observed_{-1};
  Timestamp committed_{-1};
};

struct WindowAggregateOptions {
  std::string store;
  EmitStrategy emit = EmitStrategy::kOnWindowUpdate;
  Duration emit_interval{1000};
  bool sends_old_values = false;
  bool caches = false;
};

// What aggregations by time windows and by sliding windows have in common.
template <typename K, typename V, typename Windows, typename Fold>
class WindowAggregateBase : public Node,
                            public Receiver<K, V>,
                            public Publisher<Windowed<K>, Change<typename Fold::Aggregate>> {
 public:
  using Aggregate = typename Fold::Aggregate;
  using Stored = std::optional<ValueAndTimestamp<Aggregate>>;

  void restored() override { time_.restored(store_.times()); }

  void before_commit() override {
    if (cache_.has_value()) {
      flush();
    }
  }

  void committed() override { time_.committed(); }

  void aborted() override { time_.aborted(); }

 protected:
  WindowAggregateBase(TaskRuntime& runtime, const Windows& windows,
                      const WindowAggregateOptions& options, Fold fold)
      : runtime_(runtime),
        windows_(windows),
        store_(runtime.store<store::WindowBytes>(options.store)),
        fold_(std::move(fold)),
        options_(options),
        timer_(options.emit_interval) {
    if (options.caches) {
      cache_.emplace(runtime, options.store, options.sends_old_values);
    }
  }

  // Moves the step's time on; returns the time up to which windows are closed.
  [[nodiscard]] Timestamp advance(Timestamp timestamp) {
    return time_.advance(timestamp, store_.times()) + -windows_.grace().count();
  }

  // Stores what a window holds now, and hands the change on: at once, at the next commit, or not
  // before the window closes.
  void update_window(const Record<K, V>& record, Window window, const Aggregate* old,
                     const Aggregate* now, Timestamp timestamp) {
    const Windowed<K> key{*record.key, window};
    if (cache_.has_value()) {
      Stored before;
      if (cache_->wants_old(key)) {
        before = store_.fetch(key.key, window.start);
      }
      runtime_.count_kept(store_.put(key.key, window.start, now, timestamp));
      cache_->put(key, now, value_of(before), now != nullptr ? timestamp : record.timestamp,
                  record.headers);
      if (cache_->is_full()) {
        flush();
      }
      return;
    }
    runtime_.count_kept(store_.put(key.key, window.start, now, timestamp));
    if (options_.emit == EmitStrategy::kOnWindowUpdate) {
      const Change<Aggregate> change{now, options_.sends_old_values ? old : nullptr};
      this->publish({&key, &change, timestamp, record.headers});
    }
  }

  // Puts out the windows that start in [from, to] if some are newly closed.
  void emit_closed(const Record<K, V>& record, Timestamp close_time, Timestamp from, Timestamp to) {
    store::StepTimes& times = store_.times();
    if (times.emitted.value() >= 0 && times.emitted >= close_time) {
      return;
    }
    if (to.value() < 0) {
      return;
    }
    for (const auto& [key, entry] : store_.fetch_all(from, to)) {
      const Windowed<K> windowed{key, windows_.window_at(entry.start)};
      const Change<Aggregate> change{&entry.stored.value, nullptr};
      this->publish({&windowed, &change, entry.stored.timestamp, record.headers});
    }
    times.emitted = close_time;
  }

  [[nodiscard]] bool is_emit_due() {
    return options_.emit == EmitStrategy::kOnWindowClose && timer_.is_due(runtime_.wall_now_ms());
  }

  // Takes windows out of the store that nobody needs: expired, and put out where that is due.
  void expire() {
    const bool waits = options_.emit == EmitStrategy::kOnWindowClose;
    store_.expire(waits ? store_.times().emitted + -windows_.size().count()
                        : Timestamp(std::numeric_limits<std::int64_t>::max()));
  }

  TaskRuntime& runtime_;
  const Windows windows_;
  WindowStore<K, Aggregate> store_;
  Fold fold_;
  const WindowAggregateOptions options_;

 private:
  void flush() {
    cache_->flush(
        [this](const Record<Windowed<K>, Change<Aggregate>>& record) { this->publish(record); });
  }

  std::optional<ChangeCache<Windowed<K>, Aggregate>> cache_;
  StepTime time_;
  EmitTimer timer_;
};

template <typename K, typename V, typename Windows, typename Fold>
class WindowAggregateNode final : public WindowAggregateBase<K, V, Windows, Fold> {
 public:
  using Base = WindowAggregateBase<K, V, Windows, Fold>;
  using Aggregate = typename Base::Aggregate;

  WindowAggregateNode(TaskRuntime& runtime, const Windows& windows,
                      const WindowAggregateOptions& options, Fold fold)
      : Base(runtime, windows, options, std::move(fold)) {}

  void receive(const Record<K, V>& record) override {
    if (record.key == nullptr || (record.value == nullptr && !Fold::kTakesNull)) {
      this->runtime_.drop();
      return;
    }
    const Timestamp close_time = this->advance(record.timestamp);
    this->windows_.windows_for(record.timestamp, [&](Window window) {
      if (window.end > close_time) {
        update(record, window);
      } else {
        this->runtime_.drop_late();
      }
    });
    if (this->is_emit_due()) {
      const std::int64_t size = this->windows_.size().count();
      const Timestamp emitted = this->store_.times().emitted;
      const Timestamp from(
          emitted.value() < 0 ? 0 : std::max<std::int64_t>(0, emitted.value() - size) + 1);
      this->emit_closed(record, close_time, from, close_time + -size);
    }
    this->expire();
  }

 private:
  void update(const Record<K, V>& record, Window window) {
    const auto stored = this->store_.fetch(*record.key, window.start);
    const std::optional<Aggregate> old =
        stored.has_value() ? std::optional(stored->value) : this->fold_.initial();
    const Timestamp timestamp =
        stored.has_value() ? std::max(record.timestamp, stored->timestamp) : record.timestamp;
    const std::optional<Aggregate> now = this->fold_.add(*record.key, record.value, old);
    this->update_window(record, window, to_pointer(old), to_pointer(now), timestamp);
  }
};

}  // namespace penstock::dsl
