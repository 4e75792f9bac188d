// CommitPacer decides how long a stream thread processes before it commits.
//
// A result is visible when its transaction is committed: at worst after a whole interval and the
// commit itself. Long intervals cost latency, short ones throughput, since nothing is processed
// during a commit. Without a target the interval is fixed. With one, it is what the target leaves
// beside a commit, as commits take lately:
//
//   interval = target - commit, but at least as long as a commit takes (half of the time is for
//              processing, whatever the target says) and at least kIntervalMin
//
// `commit` is the longest of the last commits, forgotten by a sixteenth with each shorter one.
//
// Threads   that of the stream thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace penstock::engine {

class CommitPacer {
 public:
  using Duration = std::chrono::nanoseconds;

  static constexpr std::chrono::milliseconds kIntervalMin{1};

  CommitPacer(std::chrono::milliseconds fixed, std::optional<std::chrono::milliseconds> target)
      : fixed_(fixed), target_(target) {}

  // A commit took so long.
  void took(Duration duration) {
    constexpr int kForgotten = 16;
    commit_ = std::max(duration, commit_ - commit_ / kForgotten);
  }

  [[nodiscard]] Duration interval() const {
    if (!target_.has_value()) {
      return fixed_;
    }
    return std::max<Duration>({*target_ - commit_, commit_, kIntervalMin});
  }

 private:
  const Duration fixed_;
  const std::optional<Duration> target_;
  Duration commit_{0};
};

}  // namespace penstock::engine
