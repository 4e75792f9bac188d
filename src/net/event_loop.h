// EventLoop runs one thread's sockets, timers and messages from other threads.
//
// A turn waits until something is ready, runs it, then the due timers, then the armed turn-end
// hooks. Hooks are where work of many events is finished once: a batch is closed, responses of one
// connection go out in one write. The thread is `while (!stop) loop.run_once(wait_max)`, in apps/.
//
// Behind it stands Boost.Asio; only net/ sees that.
//
// Threads   post() and wake() from any thread; everything else from the loop's thread.
// Lifetime  hooks outlive the loop or are never armed again; tasks that are still queued when the
//           loop is destroyed are destroyed without being run.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "core/strong_id.h"
#include "core/unique_function.h"
#include "os/clock.h"

namespace penstock::net {

// Something to do once at the end of a turn, however often it was asked for in that turn.
class TurnEndHook {
 public:
  virtual ~TurnEndHook() = default;
  virtual void on_turn_end() = 0;

 private:
  friend class EventLoop;
  bool armed_ = false;
};

class EventLoop {
 public:
  using Task = UniqueFunction<void()>;
  using TimerId = StrongId<struct TimerIdTag, std::uint64_t>;

  explicit EventLoop(const os::Clock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs `task` in one of the next turns, in order of posting, and wakes the loop for it.
  void post(Task task);
  void wake();

  // Runs `task` once, in the first turn that begins at or after `when`.
  TimerId call_at(os::TimePoint when, Task task);
  void cancel(TimerId timer);

  // Hooks run in the order armed; one armed by a hook runs in the same turn.
  void arm(TurnEndHook& hook);

  // The time of this turn: read once, exact enough for deadlines.
  [[nodiscard]] os::TimePoint now();

  // One turn; waits at most `wait_max` for something to do. Returns how many handlers it ran.
  std::size_t run_once(std::chrono::microseconds wait_max);

  class Impl;

  [[nodiscard]] Impl& impl() { return *impl_; }  // for net/ only

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::net
