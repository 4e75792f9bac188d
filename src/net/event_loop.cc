#include "net/event_loop.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "net/event_loop_impl.h"

namespace penstock::net {

namespace {

// So that hooks and timers get their turn however busy the sockets are.
constexpr std::size_t kHandlersPerTurn = 128;

}  // namespace

std::size_t EventLoop::Impl::run_once(std::chrono::microseconds wait_max) {
  const std::chrono::microseconds wait = wait_time(wait_max);
  now_.reset();
  std::size_t count = wait.count() > 0 ? io.run_one_for(wait) : io.poll_one();
  while (count > 0 && count < kHandlersPerTurn && io.poll_one() > 0) {
    ++count;
  }
  run_due_timers();
  run_hooks();
  return count;
}

os::TimePoint EventLoop::Impl::now() {
  if (!now_.has_value()) {
    now_ = clock_.now();
  }
  return *now_;
}

std::chrono::microseconds EventLoop::Impl::wait_time(std::chrono::microseconds wait_max) const {
  if (!hooks.empty()) {
    return {};
  }
  if (timers.empty()) {
    return wait_max;
  }
  const auto first = std::min_element(
      timers.begin(), timers.end(), [](const Timer& a, const Timer& b) { return a.when < b.when; });
  const auto left = std::chrono::ceil<std::chrono::microseconds>(first->when - clock_.now());
  return std::clamp(left, std::chrono::microseconds(0), wait_max);
}

void EventLoop::Impl::run_due_timers() {
  if (timers.empty()) {
    return;
  }
  std::vector<Timer> due;
  for (std::size_t i = 0; i < timers.size();) {
    if (timers[i].when <= now()) {
      due.push_back(std::move(timers[i]));
      timers.erase(timers.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
  for (Timer& timer : due) {
    timer.task();
  }
}

void EventLoop::Impl::run_hooks() {
  for (std::size_t i = 0; i < hooks.size(); ++i) {  // hooks may arm more
    TurnEndHook& hook = *hooks[i];
    hook.armed_ = false;
    hook.on_turn_end();
  }
  hooks.clear();
}

EventLoop::EventLoop(const os::Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}

EventLoop::~EventLoop() = default;

void EventLoop::post(Task task) {
  boost::asio::post(impl_->io, [task = std::move(task)]() mutable { task(); });
}

void EventLoop::wake() {
  boost::asio::post(impl_->io, [] {});
}

EventLoop::TimerId EventLoop::call_at(os::TimePoint when, Task task) {
  const TimerId id{impl_->next_timer_id++};
  impl_->timers.push_back({id, when, std::move(task)});
  return id;
}

void EventLoop::cancel(TimerId timer) {
  std::erase_if(impl_->timers, [&](const Impl::Timer& t) { return t.id == timer; });
}

void EventLoop::arm(TurnEndHook& hook) {
  if (!hook.armed_) {
    hook.armed_ = true;
    impl_->hooks.push_back(&hook);
  }
}

os::TimePoint EventLoop::now() {
  return impl_->now();
}

std::size_t EventLoop::run_once(std::chrono::microseconds wait_max) {
  return impl_->run_once(wait_max);
}

}  // namespace penstock::net
