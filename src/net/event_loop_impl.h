// What stands behind EventLoop: Boost.Asio's io_context, a list of timers and the armed hooks.
//
// For net/ only: includes Asio.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "net/event_loop.h"

namespace penstock::net {

class EventLoop::Impl {
 public:
  explicit Impl(const os::Clock& clock) : clock_(clock), work_(io.get_executor()) {}

  std::size_t run_once(std::chrono::microseconds wait_max);

  os::TimePoint now();

  struct Timer {
    TimerId id;
    os::TimePoint when;
    Task task;
  };

  // A handful at most, so a list that is searched from end to end is the fastest.
  std::vector<Timer> timers;
  std::uint64_t next_timer_id = 1;
  std::vector<TurnEndHook*> hooks;

  // Concurrency hint 1: handlers run on one thread; posting from others is still allowed.
  boost::asio::io_context io{1};

 private:
  [[nodiscard]] std::chrono::microseconds wait_time(std::chrono::microseconds wait_max) const;
  void run_due_timers();
  void run_hooks();

  const os::Clock& clock_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::optional<os::TimePoint> now_;
};

}  // namespace penstock::net
