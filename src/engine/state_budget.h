// StateBudget is the memory that all state stores of a process may take together.
//
// Each stream thread says after each commit how much its stores take. While all fit, nobody has to
// care. Above the limit those threads must make room that use more than an equal share, so one big
// job does not drive the windows of small ones out.
//
// Threads   any.
#pragma once

#include <cstdint>

#include "core/counter.h"
#include "topology/record_cache_budget.h"

namespace penstock::engine {

class StateBudget {
 public:
  // `share_count`: how many threads share it.
  StateBudget(std::uint64_t limit, std::uint64_t share_count,
              std::uint64_t record_cache_limit = topology::kRecordCacheBytesDefault)
      : limit_(limit), fair_share_(limit / share_count), record_cache_(record_cache_limit) {}

  // What caches of changes may take, beside the stores.
  [[nodiscard]] topology::RecordCacheBudget& record_cache() { return record_cache_; }

  // A thread's use changed from `before` to `now`.
  void update(std::uint64_t before, std::uint64_t now) {
    used_.add(now);
    used_.sub(before);
  }

  // Whether a thread that would use `own` now, after `before`, is over: all together exceed `part`
  // of the limit, and it exceeds that part of its share.
  [[nodiscard]] bool is_over(std::uint64_t before, std::uint64_t own, double part) const {
    const double total = static_cast<double>(used_.get() - before + own);
    return total > part * static_cast<double>(limit_) &&
           static_cast<double>(own) > part * static_cast<double>(fair_share_);
  }

  [[nodiscard]] std::uint64_t limit() const { return limit_; }

 private:
  const std::uint64_t limit_;
  const std::uint64_t fair_share_;
  Counter used_;
  topology::RecordCacheBudget record_cache_;
};

}  // namespace penstock::engine
