// Signal wakes one sleeping thread: any thread raises it, its owner waits for it.
//
// For owners that find their work by looking (a consumer polls a log) and only need to know when to
// look again. A signal raised before wait() begins is not lost; several raised before it are one.
//
// Threads   raise() from any thread, wait() from the owner.
#pragma once

#include <chrono>

#include "core/mutex.h"
#include "core/ref_counted.h"

namespace penstock {

class Signal final : public RefCounted {
 public:
  void raise() {
    {
      const MutexLock lock(mutex_);
      raised_ = true;
    }
    raised_changed_.notify_one();
  }

  // Returns once raised, or when time is up; lowers it.
  void wait(std::chrono::microseconds timeout) {
    const MutexLock lock(mutex_);
    if (!raised_) {
      raised_changed_.wait_for(mutex_, timeout);
    }
    raised_ = false;
  }

 private:
  Mutex mutex_;
  CondVar raised_changed_;
  bool raised_ PENSTOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace penstock
