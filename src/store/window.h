// Tumbling windows: which window a moment lies in, and when a window takes no more records.
//
// Windows of one size begin at multiples of it, counted from the epoch, also before it. A window
// is closed for a partition as soon as that partition's stream time (the largest timestamp seen)
// has reached its end + grace; a record for a closed window is late.
// Source: Kafka Streams, TimeWindows and KStreamWindowAggregate (the semantics, not the code).
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

#include "record/types.h"

namespace penstock::store {

// Before any record: no window is closed.
inline constexpr Timestamp kNoStreamTime{std::numeric_limits<std::int64_t>::min()};

// Timestamps beyond this (146 million years) would overflow; such records are dropped and counted.
inline constexpr std::int64_t kTimestampAbsMax = std::int64_t{1} << 62;

[[nodiscard]] inline bool is_in_range(Timestamp timestamp) {
  return timestamp.value() <= kTimestampAbsMax && timestamp.value() >= -kTimestampAbsMax;
}

class TumblingWindows {
 public:
  // Both at most a million years; `size` at least 1 ms.
  TumblingWindows(std::chrono::milliseconds size, std::chrono::milliseconds grace)
      : size_(size.count()), grace_(grace.count()) {}

  [[nodiscard]] Timestamp start_of(Timestamp timestamp) const {
    const std::int64_t remainder = timestamp.value() % size_;
    return timestamp + (remainder < 0 ? -remainder - size_ : -remainder);
  }

  [[nodiscard]] Timestamp end_of(Timestamp start) const { return start + size_; }

  [[nodiscard]] bool is_closed(Timestamp start, Timestamp stream_time) const {
    return end_of(start) + grace_ <= stream_time;
  }

  [[nodiscard]] std::chrono::milliseconds size() const { return std::chrono::milliseconds(size_); }

  [[nodiscard]] std::chrono::milliseconds grace() const {
    return std::chrono::milliseconds(grace_);
  }

 private:
  std::int64_t size_;
  std::int64_t grace_;
};

}  // namespace penstock::store
