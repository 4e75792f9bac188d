// Completion<T> is an answer that one thread gives and another one polls or waits for.
//
// make_completion<T>() returns the two ends. The giver calls set() exactly once (checked; a giver
// destroyed without set() answers kFatal). The taker calls ready() in its own step function, so a
// simulator can drive both on one thread, or wait() where blocking is right (tests, start-up).
//
// Threads   each end belongs to one thread at a time; the two ends may be on different threads.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "core/mutex.h"
#include "core/result.h"

namespace penstock {

namespace internal {

template <typename T>
struct CompletionState {
  Mutex mutex;
  CondVar done;
  std::optional<Result<T>> result PENSTOCK_GUARDED_BY(mutex);
};

}  // namespace internal

template <typename T>
class CompletionSource {
 public:
  explicit CompletionSource(std::shared_ptr<internal::CompletionState<T>> state)
      : state_(std::move(state)) {}

  CompletionSource(CompletionSource&&) noexcept = default;
  CompletionSource& operator=(CompletionSource&&) noexcept = default;

  ~CompletionSource() {
    if (state_ != nullptr) {
      set(Error(ErrorCode::kFatal, "the operation was dropped before it was answered"));
    }
  }

  void set(Result<T> result) {
    PENSTOCK_CHECK(state_ != nullptr);
    {
      const MutexLock lock(state_->mutex);
      state_->result.emplace(std::move(result));
    }
    state_->done.notify_all();
    state_.reset();
  }

 private:
  std::shared_ptr<internal::CompletionState<T>> state_;
};

template <typename T>
class Completion {
 public:
  explicit Completion(std::shared_ptr<internal::CompletionState<T>> state)
      : state_(std::move(state)) {}

  [[nodiscard]] bool ready() const {
    const MutexLock lock(state_->mutex);
    return state_->result.has_value();
  }

  // Blocks until ready() or until time is up; true if ready.
  [[nodiscard]] bool wait_for(std::chrono::microseconds timeout) const {
    const MutexLock lock(state_->mutex);
    if (!state_->result.has_value()) {
      state_->done.wait_for(state_->mutex, timeout);
    }
    return state_->result.has_value();
  }

  // Blocks until ready and takes the answer. Once.
  [[nodiscard]] Result<T> wait() {
    const MutexLock lock(state_->mutex);
    while (!state_->result.has_value()) {
      state_->done.wait(state_->mutex);
    }
    return std::move(*state_->result);
  }

  // The answer; ready() must be true. Once.
  [[nodiscard]] Result<T> take() {
    PENSTOCK_CHECK(ready());
    return wait();
  }

 private:
  std::shared_ptr<internal::CompletionState<T>> state_;
};

template <typename T>
[[nodiscard]] std::pair<Completion<T>, CompletionSource<T>> make_completion() {
  auto state = std::make_shared<internal::CompletionState<T>>();
  return {Completion<T>(state), CompletionSource<T>(state)};
}

}  // namespace penstock
