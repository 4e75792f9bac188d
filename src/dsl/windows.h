// How records are put into windows, and the keys that come of it.
//
//   TimeWindows::of_size_and_grace(1min, 10s)                   tumbling
//   TimeWindows::of_size_with_no_grace(5min).advance_by(1min)   hopping
//   SlidingWindows::of_time_difference_and_grace(10s, 1s)       one per combination of records
//   SessionWindows::of_inactivity_gap_and_grace(30min, 1min)    until nothing comes for a while
//   UnlimitedWindows::starting_at(...)                          one that never ends
//   JoinWindows::of_time_difference_and_grace(10s, 1s)          which records of two streams meet
//
// Semantics of Kafka Streams: a window is open until stream time passes its end plus grace; a
// record for a closed one is dropped and counted (KIP-328, KIP-633). Sizes are at least 1 ms.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/bytes.h"
#include "core/check.h"
#include "dsl/serde.h"
#include "record/types.h"

namespace penstock::dsl {

using Duration = std::chrono::milliseconds;

// Of time windows the end is not included; of sliding windows and sessions it is.
struct Window {
  Timestamp start;
  Timestamp end;

  friend auto operator<=>(const Window&, const Window&) = default;
};

// A key in a time or sliding window.
template <typename K>
struct Windowed {
  K key;
  Window window;

  friend auto operator<=>(const Windowed&, const Windowed&) = default;
};

// A key in a session.
template <typename K>
struct SessionWindowed {
  K key;
  Window window;

  friend auto operator<=>(const SessionWindowed&, const SessionWindowed&) = default;
};

class TimeWindows {
 public:
  [[nodiscard]] static TimeWindows of_size_and_grace(Duration size, Duration grace) {
    return {size, size, grace};
  }

  [[nodiscard]] static TimeWindows of_size_with_no_grace(Duration size) {
    return {size, size, Duration(0)};
  }

  // A new window begins every `advance`, at most the size.
  [[nodiscard]] TimeWindows advance_by(Duration advance) const { return {size_, advance, grace_}; }

  [[nodiscard]] Duration size() const { return size_; }

  [[nodiscard]] Duration advance() const { return advance_; }

  [[nodiscard]] Duration grace() const { return grace_; }

  // The least retention of a store for them.
  [[nodiscard]] Duration retention() const { return size_ + grace_; }

  // Calls `visit` with each window that holds the moment, by start.
  template <typename Visit>
  void windows_for(Timestamp at, Visit visit) const {
    const std::int64_t advance = advance_.count();
    const std::int64_t first = std::max<std::int64_t>(0, at.value() - size_.count() + advance);
    for (std::int64_t start = first / advance * advance; start <= at.value(); start += advance) {
      visit(Window{Timestamp(start), Timestamp(start + size_.count())});
    }
  }

  [[nodiscard]] Window window_at(Timestamp start) const { return {start, start + size_.count()}; }

 private:
  TimeWindows(Duration size, Duration advance, Duration grace)
      : size_(size), advance_(advance), grace_(grace) {
    PENSTOCK_CHECK(size.count() > 0 && advance.count() > 0 && advance <= size);
    PENSTOCK_CHECK(grace.count() >= 0);
  }

  Duration size_;
  Duration advance_;
  Duration grace_;
};

class UnlimitedWindows {
 public:
  [[nodiscard]] static UnlimitedWindows starting_at(Timestamp start) {
    return UnlimitedWindows(start);
  }

  [[nodiscard]] Duration size() const { return kForever; }

  [[nodiscard]] Duration grace() const { return Duration(0); }

  [[nodiscard]] Duration retention() const { return kForever; }

  template <typename Visit>
  void windows_for(Timestamp at, Visit visit) const {
    if (at >= start_) {
      visit(window_at(start_));
    }
  }

  [[nodiscard]] Window window_at(Timestamp start) const {
    return {start, Timestamp(std::numeric_limits<std::int64_t>::max())};
  }

 private:
  // Long enough, and far from overflow when added to a timestamp.
  static constexpr Duration kForever{std::int64_t{1} << 62};

  explicit UnlimitedWindows(Timestamp start) : start_(start) { PENSTOCK_CHECK(start.value() >= 0); }

  Timestamp start_;
};

class SlidingWindows {
 public:
  [[nodiscard]] static SlidingWindows of_time_difference_and_grace(Duration difference,
                                                                   Duration grace) {
    return {difference, grace};
  }

  [[nodiscard]] static SlidingWindows of_time_difference_with_no_grace(Duration difference) {
    return {difference, Duration(0)};
  }

  [[nodiscard]] Duration time_difference() const { return difference_; }

  [[nodiscard]] Duration size() const { return difference_; }

  [[nodiscard]] Duration grace() const { return grace_; }

  [[nodiscard]] Duration retention() const { return 2 * difference_ + grace_; }

  [[nodiscard]] Window window_at(Timestamp start) const {
    return {start, start + difference_.count()};
  }

 private:
  SlidingWindows(Duration difference, Duration grace) : difference_(difference), grace_(grace) {
    PENSTOCK_CHECK(difference.count() >= 0 && grace.count() >= 0);
  }

  Duration difference_;
  Duration grace_;
};

class SessionWindows {
 public:
  [[nodiscard]] static SessionWindows of_inactivity_gap_and_grace(Duration gap, Duration grace) {
    return {gap, grace};
  }

  [[nodiscard]] static SessionWindows of_inactivity_gap_with_no_grace(Duration gap) {
    return {gap, Duration(0)};
  }

  [[nodiscard]] Duration inactivity_gap() const { return gap_; }

  [[nodiscard]] Duration grace() const { return grace_; }

  [[nodiscard]] Duration retention() const { return gap_ + grace_; }

 private:
  SessionWindows(Duration gap, Duration grace) : gap_(gap), grace_(grace) {
    PENSTOCK_CHECK(gap.count() > 0 && grace.count() >= 0);
  }

  Duration gap_;
  Duration grace_;
};

// A record of the left stream meets those of the right one that are at most `before` older and at
// most `after` newer.
class JoinWindows {
 public:
  [[nodiscard]] static JoinWindows of_time_difference_and_grace(Duration difference,
                                                                Duration grace) {
    return {difference, difference, grace};
  }

  [[nodiscard]] static JoinWindows of_time_difference_with_no_grace(Duration difference) {
    return {difference, difference, Duration(0)};
  }

  // May be negative, as long as before + after is not.
  [[nodiscard]] JoinWindows before(Duration before) const { return {before, after_, grace_}; }

  [[nodiscard]] JoinWindows after(Duration after) const { return {before_, after, grace_}; }

  [[nodiscard]] Duration before() const { return before_; }

  [[nodiscard]] Duration after() const { return after_; }

  [[nodiscard]] Duration grace() const { return grace_; }

  [[nodiscard]] Duration size() const { return before_ + after_; }

  [[nodiscard]] Duration retention() const { return size() + grace_; }

 private:
  JoinWindows(Duration before, Duration after, Duration grace)
      : before_(before), after_(after), grace_(grace) {
    PENSTOCK_CHECK((before + after).count() >= 0 && grace.count() >= 0);
  }

  Duration before_;
  Duration after_;
  Duration grace_;
};

// As Kafka Streams' TimeWindowedSerializer: key | int64 start. The end is not written; read back,
// it is as late as can be.
template <Serializable K>
struct Serde<Windowed<K>> {
  static void encode(const Windowed<K>& windowed, Bytes& to) {
    Serde<K>::encode(windowed.key, to);
    internal::append_number(windowed.window.start.value(), to);
  }

  static std::optional<Windowed<K>> decode(ByteView bytes) {
    if (bytes.size() < sizeof(std::int64_t)) {
      return std::nullopt;
    }
    const ByteView start = bytes.last(sizeof(std::int64_t));
    std::optional<K> key = Serde<K>::decode(bytes.first(bytes.size() - start.size()));
    if (!key.has_value()) {
      return std::nullopt;
    }
    return Windowed<K>{*std::move(key),
                       {Timestamp(load_be<std::int64_t>(start.data())),
                        Timestamp(std::numeric_limits<std::int64_t>::max())}};
  }
};

// As Kafka Streams' SessionWindowedSerializer: key | int64 end | int64 start.
template <Serializable K>
struct Serde<SessionWindowed<K>> {
  static void encode(const SessionWindowed<K>& windowed, Bytes& to) {
    Serde<K>::encode(windowed.key, to);
    internal::append_number(windowed.window.end.value(), to);
    internal::append_number(windowed.window.start.value(), to);
  }

  static std::optional<SessionWindowed<K>> decode(ByteView bytes) {
    if (bytes.size() < 2 * sizeof(std::int64_t)) {
      return std::nullopt;
    }
    const ByteView times = bytes.last(2 * sizeof(std::int64_t));
    std::optional<K> key = Serde<K>::decode(bytes.first(bytes.size() - times.size()));
    if (!key.has_value()) {
      return std::nullopt;
    }
    return SessionWindowed<K>{
        *std::move(key),
        {Timestamp(load_be<std::int64_t>(times.data() + sizeof(std::int64_t))),
         Timestamp(load_be<std::int64_t>(times.data()))}};
  }
};

}  // namespace penstock::dsl
