#include "os/call_pool.h"

#include <chrono>
#include <string>
#include <utility>

namespace penstock::os {

namespace {

constexpr std::chrono::milliseconds kPatience{100};

}  // namespace

CallPool::CallPool(std::size_t thread_count, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (std::size_t number = 0; number < thread_count; ++number) {
    threads_.push_back(std::make_unique<Thread>("call-" + std::to_string(number),
                                                [this](const StopToken& stop) { work(stop); }));
  }
}

CallPool::~CallPool() {
  for (const auto& thread : threads_) {
    thread->request_stop();
  }
  arrived_.notify_all();
  threads_.clear();
}

Status CallPool::run(UniqueFunction<void()> call) {
  {
    const MutexLock lock(mutex_);
    if (waiting_.size() >= waiting_max_) {
      return Error(ErrorCode::kBusy, "too many calls wait for a thread");
    }
    waiting_.push_back(std::move(call));
  }
  arrived_.notify_one();
  return {};
}

void CallPool::work(const StopToken& stop) {
  while (!stop.requested()) {
    if (UniqueFunction<void()> call = next()) {
      call();
    }
  }
}

UniqueFunction<void()> CallPool::next() {
  const MutexLock lock(mutex_);
  if (waiting_.empty()) {
    arrived_.wait_for(mutex_, kPatience);
  }
  if (waiting_.empty()) {
    return {};
  }
  UniqueFunction<void()> call = std::move(waiting_.front());
  waiting_.pop_front();
  return call;
}

}  // namespace penstock::os
