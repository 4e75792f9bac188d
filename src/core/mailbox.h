// Mailbox is the bounded queue through which threads meet: any number of senders, one receiver.
//
// A full mailbox refuses (try_send), so that back-pressure is an answer and not a growing heap.
// The receiver takes everything that is there in one step, which keeps the lock off the path of
// single messages. It can sleep in wait(), or be woken by a hook where it sleeps elsewhere (in
// an event loop).
//
// Invariants
//   I1  Never holds more than `capacity` messages.
//   I2  Messages of one sender are received in the order sent.
//   I3  After close() nothing is accepted; what was accepted can still be received.
//
// Threads   try_send, close, wake from any thread; receive and wait from the one receiver.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "core/mutex.h"
#include "core/unique_function.h"

namespace penstock {

template <typename T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t capacity) : capacity_(capacity) {}

  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Runs after each accepted message that found the mailbox empty, on the sender's thread and
  // outside the lock. Set it before the first send.
  void set_wake_hook(UniqueFunction<void()> hook) { wake_hook_ = std::move(hook); }

  // False if full or closed: `message` is then untouched.
  [[nodiscard]] bool try_send(T&& message) {
    bool was_empty = false;
    {
      const MutexLock lock(mutex_);
      if (closed_ || messages_.size() >= capacity_) {
        return false;
      }
      was_empty = messages_.empty();
      messages_.push_back(std::move(message));
    }
    if (was_empty) {
      arrived_.notify_one();
      if (wake_hook_) {
        wake_hook_();
      }
    }
    return true;
  }

  // Moves up to `count_max` messages to the end of `into`; returns how many.
  std::size_t receive(std::vector<T>& into, std::size_t count_max = static_cast<std::size_t>(-1)) {
    const MutexLock lock(mutex_);
    std::size_t count = 0;
    while (count < count_max && !messages_.empty()) {
      into.push_back(std::move(messages_.front()));
      messages_.pop_front();
      ++count;
    }
    return count;
  }

  // Returns once there is a message, the mailbox is closed, wake() was called or time is up.
  void wait(std::chrono::microseconds timeout) {
    const MutexLock lock(mutex_);
    if (messages_.empty() && !closed_ && !woken_) {
      arrived_.wait_for(mutex_, timeout);
    }
    woken_ = false;
  }

  // Ends a wait() without a message; one that has not begun yet, too.
  void wake() {
    {
      const MutexLock lock(mutex_);
      woken_ = true;
    }
    arrived_.notify_one();
  }

  void close() {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    arrived_.notify_all();
  }

  [[nodiscard]] bool closed() const {
    const MutexLock lock(mutex_);
    return closed_;
  }

  [[nodiscard]] std::size_t size() const {
    const MutexLock lock(mutex_);
    return messages_.size();
  }

  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  const std::size_t capacity_;
  UniqueFunction<void()> wake_hook_;
  mutable Mutex mutex_;
  CondVar arrived_;
  std::deque<T> messages_ PENSTOCK_GUARDED_BY(mutex_);
  bool closed_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool woken_ PENSTOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace penstock
