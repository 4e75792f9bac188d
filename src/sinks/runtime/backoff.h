// Backoff is how long to wait before the next attempt: doubling, up to a limit, with jitter, so
// that those who failed together do not come back together.
//
// Threads   one.
// Lifetime  `random` outlives it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "os/random.h"

namespace penstock::sinks {

class Backoff {
 public:
  struct Options {
    std::chrono::milliseconds wait_min{100};
    std::chrono::milliseconds wait_max{10'000};
  };

  Backoff(os::Random& random, const Options& options)
      : random_(random), options_(options), wait_(options.wait_min) {}

  // Between half of the wait and the whole of it; the next one is twice as long.
  [[nodiscard]] std::chrono::milliseconds next() {
    const auto half = static_cast<std::uint64_t>(wait_.count()) / 2;
    const std::chrono::milliseconds chosen(half + random_.below(half + 1));
    wait_ = std::min(2 * wait_, options_.wait_max);
    return chosen;
  }

  void reset() { wait_ = options_.wait_min; }

 private:
  os::Random& random_;
  const Options options_;
  std::chrono::milliseconds wait_;
};

}  // namespace penstock::sinks
