// Worker runs the console's slower jobs, reading events and writing large answers, one after the
// other on a thread of its own, so that the event loops never wait for a disk.
//
// The queue is bounded: what does not fit is refused at once, and the client is told to come back.
//
//   apps:   a thread: while (!stop) { worker.run_once(); worker.wait(50ms); }
//
// Threads   submit() and wake() from any thread; run_once() and wait() from the worker's.
// Lifetime  what the jobs use outlives the Worker; jobs still queued are destroyed with it.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "console/event_reader.h"
#include "core/mailbox.h"
#include "core/unique_function.h"

namespace penstock::console {

class Worker {
 public:
  using Job = UniqueFunction<void(EventReader&)>;

  struct Options {
    std::size_t queue_max = 64;
    EventReader::Options reader;
  };

  Worker(log::Log& log, const os::Clock& clock, Options options);

  // False if the queue is full: `job` is then untouched.
  [[nodiscard]] bool submit(Job&& job) { return jobs_.try_send(std::move(job)); }

  // Runs what is queued; returns how many jobs that were.
  std::size_t run_once();

  // Returns when there is a job, after wake(), or when time is up.
  void wait(std::chrono::microseconds timeout) { jobs_.wait(timeout); }

  void wake() { jobs_.wake(); }

 private:
  Mailbox<Job> jobs_;
  EventReader reader_;
  std::vector<Job> taken_;
};

}  // namespace penstock::console
