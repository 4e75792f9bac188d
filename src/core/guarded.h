// Guarded<T> is a value that can only be reached while its mutex is held.
//
//   Guarded<Index> index;
//   index.with([&](Index& i) { i.add(...); });
//
// For small state shared by a few threads where a mailbox would cost an answer. Keep the function
// short: no I/O, no call that may take another lock.
//
// Threads   with() and try_with() from any thread.
#pragma once

#include <utility>

#include "core/mutex.h"

namespace penstock {

template <typename T>
class Guarded {
 public:
  template <typename... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  template <typename F>
  decltype(auto) with(F&& function) {
    const MutexLock lock(mutex_);
    return std::forward<F>(function)(value_);
  }

  template <typename F>
  decltype(auto) with(F&& function) const {
    const MutexLock lock(mutex_);
    return std::forward<F>(function)(std::as_const(value_));
  }

  // As with(), unless someone else holds the mutex: then false, and nothing was called.
  template <typename F>
  [[nodiscard]] bool try_with(F&& function) {
    if (!mutex_.try_lock()) {
      return false;
    }
    std::forward<F>(function)(value_);
    mutex_.unlock();
    return true;
  }

 private:
  mutable Mutex mutex_;
  T value_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
