// LogThreads runs an embedded log: one thread writes, the other does the slow work.
//
// Threads   `on_failure` runs on the writer's, once; then the log takes nothing any more.
// Lifetime  everything given to the constructor outlives it; the destructor joins both.
#pragma once

#include <functional>
#include <string>

#include "core/result.h"
#include "os/clock.h"
#include "os/thread.h"
#include "telemetry/logger.h"
#include "wal/embedded_log.h"

namespace penstock::app {

class LogThreads {
 public:
  // `name` begins the names of the threads, `component` the lines that the slow work logs.
  LogThreads(wal::EmbeddedLog& log, const std::string& name, std::string component,
             const os::Clock& clock, telemetry::Logger& logger,
             std::function<void(const Error&)> on_failure);

 private:
  os::Thread writer_;
  os::Thread keeper_;
};

}  // namespace penstock::app
