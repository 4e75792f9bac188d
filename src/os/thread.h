// Thread runs one loop until it is asked to stop, and is joined by its destructor.
//
//   os::Thread wal("wal", [&](const os::StopToken& stop) { while (!stop.requested()) step(); });
//
// Threads   request_stop() and the destructor from the owner's thread.
// Lifetime  whatever the loop uses outlives the Thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>

#include "core/counter.h"

namespace penstock::os {

class StopToken {
 public:
  explicit StopToken(const Flag& flag) : flag_(flag) {}

  [[nodiscard]] bool requested() const { return flag_.raised(); }

 private:
  const Flag& flag_;
};

class Thread {
 public:
  // `name` is shown by ps and top (15 characters are kept). Signals are blocked in the thread.
  Thread(const std::string& name, std::function<void(const StopToken&)> loop);
  ~Thread();

  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // The loop sees it at its next turn; wake it where it sleeps.
  void request_stop() { stop_.raise(); }

  void join();

 private:
  Flag stop_;
  std::thread thread_;
};

// Processors that this process may use; at least 1.
[[nodiscard]] std::size_t cpu_count();

// Processor time that the calling thread has used, for measuring.
[[nodiscard]] std::chrono::nanoseconds thread_cpu_time();

}  // namespace penstock::os
