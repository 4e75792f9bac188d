// LagAge says for how long the oldest undelivered record has been waiting, at least, from looks at
// how far the log and the destination are.
//
// Threads   one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "os/clock.h"

namespace penstock::sinks {

class LagAge {
 public:
  // The log ended at `end` and everything before `delivered` was delivered: sums over partitions.
  void look(os::TimePoint now, std::int64_t end, std::int64_t delivered) {
    while (!looks_.empty() && looks_.front().end <= delivered) {
      looks_.pop_front();
    }
    if (end > delivered && (looks_.empty() || end > looks_.back().end)) {
      if (looks_.size() == kLooksMax) {
        looks_.pop_back();  // what is there says more: it is older
      }
      looks_.push_back({now, end});
    }
  }

  [[nodiscard]] os::TimePoint::duration age(os::TimePoint now) const {
    return looks_.empty() ? os::TimePoint::duration(0) : now - looks_.front().at;
  }

 private:
  static constexpr std::size_t kLooksMax = 1'000;

  struct Look {
    os::TimePoint at;
    std::int64_t end;
  };

  std::deque<Look> looks_;
};

}  // namespace penstock::sinks
