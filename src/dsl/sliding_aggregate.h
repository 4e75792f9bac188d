// SlidingAggregateNode aggregates by sliding windows: one window per set of records that lie within
// the time difference of each other (KIP-450).
//
// The windows are defined by the records: each record at t has one that ends with it, [t - d, t],
// and one that begins right after it, [t + 1, t + 1 + d], if that holds any record. A new record
// changes the windows it falls into and makes up to three: its own two and the right one of the
// record before it. Both ends are included. A record earlier than d after the epoch has, instead of
// a left window that would begin before 0, the combined window [0, d].
// The order of updates is that of Kafka Streams' KStreamSlidingWindowAggregate.
//
// Threads   one.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "dsl/aggregate.h"

namespace penstock::dsl {

template <typename K, typename V, typename Fold>
class SlidingAggregateNode final : public WindowAggregateBase<K, V, SlidingWindows, Fold> {
 public:
  using Base = WindowAggregateBase<K, V, SlidingWindows, Fold>;
  using Aggregate = typename Base::Aggregate;
  using Stored = typename Base::Stored;

  SlidingAggregateNode(TaskRuntime& runtime, const SlidingWindows& windows,
                       const WindowAggregateOptions& options, Fold fold)
      : Base(runtime, windows, options, std::move(fold)) {}

  void receive(const Record<K, V>& record) override {
    if (record.key == nullptr || record.value == nullptr) {
      this->runtime_.drop();
      return;
    }
    const std::int64_t difference = this->windows_.time_difference().count();
    close_time_ = this->advance(record.timestamp);
    if (record.timestamp + difference < close_time_) {
      this->runtime_.drop_late();
      return;
    }
    if (record.timestamp.value() < difference) {
      process_early(record);
      return;
    }
    update_windows(record);
    if (this->is_emit_due()) {
      emit(record);
    }
    this->expire();
  }

 private:
  // What was learned of the windows around a record.
  struct Neighbours {
    std::set<Timestamp> starts;
    Stored left;   // a window that ends before the record
    Stored right;  // the latest window that the record falls into
    bool has_left = false;
    bool has_right = false;
    std::optional<Timestamp> previous;  // the record before
  };

  void emit(const Record<K, V>& record) {
    const std::int64_t difference = this->windows_.time_difference().count();
    const Timestamp emitted = this->store_.times().emitted;
    const Timestamp from(
        emitted.value() < 0 ? 0 : std::max<std::int64_t>(0, emitted.value() - difference));
    this->emit_closed(record, close_time_, from, close_time_ + (-difference - 1));
  }

  // Updates the windows that the record falls into, from the latest to the earliest, then makes the
  // new ones.
  void update_windows(const Record<K, V>& record) {
    const std::int64_t difference = this->windows_.time_difference().count();
    const Timestamp at = record.timestamp;
    Neighbours around;
    for (const auto& entry : this->store_.fetch_backward(
             *record.key, Timestamp(std::max<std::int64_t>(0, at.value() - 2 * difference)),
             at + 1)) {
      const Timestamp end = entry.start + difference;
      around.starts.insert(entry.start);
      if (entry.start == at + 1) {
        around.has_right = true;
      } else if (end > at) {
        if (!around.right.has_value()) {
          around.right = entry.stored;
        }
        update(record, entry.start, entry.stored);
      } else if (end == at) {
        around.has_left = true;
        update(record, entry.start, entry.stored);
        if (entry.stored.timestamp >= at) {
          return;  // a record of this time was here before: all windows exist
        }
        around.previous = entry.stored.timestamp;
      } else {
        around.left = entry.stored;
        around.previous = entry.stored.timestamp;
        break;
      }
    }
    create_windows(record, around);
  }

  void create_windows(const Record<K, V>& record, const Neighbours& around) {
    const std::int64_t difference = this->windows_.time_difference().count();
    const Timestamp at = record.timestamp;
    if (around.previous.has_value()) {
      const Timestamp start = *around.previous + 1;
      if (!around.starts.contains(start) && start + difference >= at) {
        update(record, start, initial(at));
      }
    }
    if (!around.has_left) {
      const bool holds_previous =
          around.previous.has_value() && at + -difference <= *around.previous;
      update(record, at + -difference,
             holds_previous ? Stored({around.left->value, at}) : initial(at));
    }
    if (!around.has_right) {
      create_right_window(record, around.right);
    }
  }

  // Records so early that their left window would begin before 0.
  void process_early(const Record<K, V>& record) {
    const Timestamp at = record.timestamp;
    std::optional<typename WindowStore<K, Aggregate>::Entry> combined;
    Neighbours around;
    for (const auto& entry : this->store_.fetch(*record.key, Timestamp(0), at + 1)) {
      around.starts.insert(entry.start);
      if (entry.start.value() == 0) {
        combined = entry;
        if (entry.stored.timestamp < at) {
          around.previous = entry.stored.timestamp;
        }
      } else if (entry.start <= at) {
        around.right = entry.stored;
        update(record, entry.start, entry.stored);
      } else {
        around.has_right = true;
      }
    }
    if (!around.right.has_value() && combined.has_value() && combined->stored.timestamp > at) {
      around.right = combined->stored;
    }
    if (!around.has_right) {
      create_right_window(record, around.right);
    }
    if (around.previous.has_value() && !around.starts.contains(*around.previous + 1)) {
      update(record, *around.previous + 1, initial(at));
    }
    update(record, Timestamp(0), combined.has_value() ? Stored(combined->stored) : initial(at));
  }

  // Right after the record: with what the latest window around it holds beyond the record.
  void create_right_window(const Record<K, V>& record, const Stored& right) {
    if (!right.has_value() || right->timestamp <= record.timestamp) {
      return;
    }
    const Timestamp start = record.timestamp + 1;
    this->update_window(record, this->windows_.window_at(start), nullptr, &right->value,
                        right->timestamp);
  }

  [[nodiscard]] Stored initial(Timestamp at) {
    std::optional<Aggregate> value = this->fold_.initial();
    return value.has_value() ? Stored({*std::move(value), at}) : std::nullopt;
  }

  void update(const Record<K, V>& record, Timestamp start, const Stored& stored) {
    const Window window = this->windows_.window_at(start);
    if (window.end < close_time_) {
      this->runtime_.drop_late();
      return;
    }
    const std::optional<Aggregate> old =
        stored.has_value() ? std::optional(stored->value) : std::nullopt;
    const std::optional<Aggregate> now = this->fold_.add(*record.key, record.value, old);
    const Timestamp timestamp =
        stored.has_value() ? std::max(record.timestamp, stored->timestamp) : record.timestamp;
    this->update_window(record, window, to_pointer(old), to_pointer(now), timestamp);
  }

  Timestamp close_time_;
};

}  // namespace penstock::dsl
