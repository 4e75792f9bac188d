// CallPool runs functions that wait (calls to another system by a client that blocks) on threads of
// its own, so that who asks for them does not wait.
//
// Threads   run() from any.
// Lifetime  the destructor waits for what runs, and drops what has not begun.
// Errors    kBusy  run(): as many as `waiting_max` wait already; nothing was taken
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "core/mutex.h"
#include "core/result.h"
#include "core/unique_function.h"
#include "os/thread.h"

namespace penstock::os {

class CallPool {
 public:
  CallPool(std::size_t thread_count, std::size_t waiting_max);
  ~CallPool();

  CallPool(const CallPool&) = delete;
  CallPool& operator=(const CallPool&) = delete;

  [[nodiscard]] Status run(UniqueFunction<void()> call);

 private:
  void work(const StopToken& stop);
  // Empty: there was none for a while.
  [[nodiscard]] UniqueFunction<void()> next();

  const std::size_t waiting_max_;
  Mutex mutex_;
  CondVar arrived_;
  std::deque<UniqueFunction<void()>> waiting_ PENSTOCK_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace penstock::os
