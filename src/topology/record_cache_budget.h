// RecordCacheBudget is the memory that the record caches of a process may take together.
//
// A record cache holds changes of a table back until the next commit (dsl/record_cache.h). One that
// takes something while all together are over the limit hands on what it holds.
//
// Threads   any.
#pragma once

#include <cstdint>

#include "core/counter.h"
#include "core/units.h"

namespace penstock::topology {

inline constexpr std::uint64_t kRecordCacheBytesDefault = 10 * kMiB;

class RecordCacheBudget {
 public:
  explicit RecordCacheBudget(std::uint64_t limit) : limit_(limit) {}

  void take(std::uint64_t size) { used_.add(size); }

  void give_back(std::uint64_t size) { used_.sub(size); }

  [[nodiscard]] bool is_exceeded() const { return used_.get() > limit_; }

  [[nodiscard]] std::uint64_t used() const { return used_.get(); }

 private:
  const std::uint64_t limit_;
  Counter used_;
};

}  // namespace penstock::topology
