#include "os/thread.h"

#include <csignal>
#include <ctime>
#include <utility>

#include <pthread.h>
#include <sched.h>

#include "core/check.h"

namespace penstock::os {

Thread::Thread(const std::string& name, std::function<void(const StopToken&)> loop) {
  // A thread inherits the mask it is started under, so there is no moment in which it could catch a
  // signal.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  PENSTOCK_CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  thread_ = std::thread([this, body = std::move(loop)] { body(StopToken(stop_)); });
  PENSTOCK_CHECK(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  constexpr std::size_t kNameSizeMax = 15;
  pthread_setname_np(thread_.native_handle(), name.substr(0, kNameSizeMax).c_str());
}

Thread::~Thread() {
  request_stop();
  join();
}

void Thread::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::chrono::nanoseconds thread_cpu_time() {
  timespec used{};
  PENSTOCK_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) == 0);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::size_t cpu_count() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
    return 1;
  }
  return static_cast<std::size_t>(CPU_COUNT(&allowed));
}

}  // namespace penstock::os
