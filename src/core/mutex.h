// Mutex, MutexLock and CondVar: the standard ones with Clang's thread-safety annotations.
//
// Only rooms core, os and telemetry may use them (checked by tools/tidy.py); everyone else uses
// Mailbox, Guarded and Completion, which are built on them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "core/thread_annotations.h"

namespace penstock {

class PENSTOCK_CAPABILITY("mutex") Mutex {
 public:
  void lock() PENSTOCK_ACQUIRE() { mutex_.lock(); }

  void unlock() PENSTOCK_RELEASE() { mutex_.unlock(); }

  [[nodiscard]] bool try_lock() PENSTOCK_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class PENSTOCK_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) PENSTOCK_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }

  ~MutexLock() PENSTOCK_RELEASE() { mutex_.unlock(); }

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // `mutex` is held on entry and on return. May wake without a reason: check in a loop.
  void wait(Mutex& mutex) PENSTOCK_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  void wait_for(Mutex& mutex, std::chrono::microseconds timeout) PENSTOCK_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_for(lock, timeout);
    lock.release();
  }

  void notify_one() { condition_.notify_one(); }

  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace penstock
