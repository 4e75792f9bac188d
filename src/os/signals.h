// TerminationSignals turns SIGTERM and SIGINT into something that a loop can ask for.
//
// The constructor blocks both in the calling thread; threads started afterwards inherit that, so
// make it first of all in main(). It also has SIGPIPE ignored: a peer that is gone is an error of
// the write, not the end of the process.
//
// Threads   wait() from the thread that made it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace penstock::os {

class TerminationSignals {
 public:
  TerminationSignals();

  // The name of the signal that came ("SIGTERM"), or nothing after `timeout`.
  [[nodiscard]] std::optional<std::string> wait(std::chrono::milliseconds timeout);

  // From now on either signal ends the process at once, as by default: for an operator who asks
  // twice.
  void restore_default();
};

}  // namespace penstock::os
