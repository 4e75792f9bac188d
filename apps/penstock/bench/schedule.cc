#include "penstock/bench/schedule.h"

namespace penstock::bench {

os::TimePoint Schedule::due_of(std::uint64_t request) const {
  return started_at_ + std::chrono::duration_cast<os::TimePoint::duration>(
                           options_.interval * static_cast<double>(request));
}

std::optional<Burst> Schedule::next(os::TimePoint now) const {
  Burst burst{.first = taken_, .requests = options_.burst_max, .due = now};
  if (!is_open_loop()) {
    return now < end() ? std::optional(burst) : std::nullopt;
  }
  // The last burst may be a smaller one.
  for (; burst.requests > 0; --burst.requests) {
    burst.due = due_of(burst.first + burst.requests - 1);
    if (burst.due < end()) {
      return burst;
    }
  }
  return std::nullopt;
}

os::TimePoint Schedule::counted_from(const Burst& burst, std::size_t index) const {
  return is_open_loop() ? due_of(burst.first + index) : burst.due;
}

}  // namespace penstock::bench
