// SlowWork is what event loops must not wait for: questions to the log, which may be on the other
// side of a network. They leave a job here and are told when it is done.
//
// Invariants
//   I1  A job that was taken runs once, inside run_once().
//
// Threads   submit() from any; run_once() and wait() from one.
// Lifetime  what jobs use outlives it. What still waits when it is destroyed is never run.
// Errors    kBusy  too many wait
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/mailbox.h"
#include "core/result.h"
#include "core/unique_function.h"

namespace penstock::gateway {

class SlowWork {
 public:
  using Job = UniqueFunction<void()>;

  [[nodiscard]] Status submit(Job job) {
    return jobs_.try_send(std::move(job))
               ? Status()
               : Status(Error(ErrorCode::kBusy, "too many requests wait for the log: try again"));
  }

  // False if there was nothing to do.
  bool run_once() {
    std::vector<Job> arrived;
    jobs_.receive(arrived);
    for (Job& job : arrived) {
      job();
    }
    return !arrived.empty();
  }

  void wait(std::chrono::microseconds timeout) { jobs_.wait(timeout); }

 private:
  static constexpr std::size_t kWaitingMax = 1024;

  Mailbox<Job> jobs_{kWaitingMax};
};

}  // namespace penstock::gateway
