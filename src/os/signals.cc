#include "os/signals.h"

#include <csignal>
#include <ctime>

#include "core/check.h"

namespace penstock::os {
namespace {

sigset_t termination_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

TerminationSignals::TerminationSignals() {
  const sigset_t signals = termination_signals();
  PENSTOCK_CHECK(pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
  std::signal(SIGPIPE, SIG_IGN);
}

std::optional<std::string> TerminationSignals::wait(std::chrono::milliseconds timeout) {
  const sigset_t signals = termination_signals();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(timeout);
  const timespec limit{static_cast<time_t>(seconds.count()),
                       std::chrono::nanoseconds(timeout - seconds).count()};
  const int signal = sigtimedwait(&signals, nullptr, &limit);
  if (signal < 0) {
    return std::nullopt;
  }
  return signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

void TerminationSignals::restore_default() {
  const sigset_t signals = termination_signals();
  PENSTOCK_CHECK(pthread_sigmask(SIG_UNBLOCK, &signals, nullptr) == 0);
}

}  // namespace penstock::os
