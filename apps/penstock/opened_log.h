// OpenedLog is the log of a command that works on it directly: the embedded one, which no other
// process may have open meanwhile, or Kafka.
//
// Threads   main's; the embedded log has two of its own.
// Lifetime  `files`, `clock`, `metrics` and `logger` outlive it. Closed when destroyed.
// Errors    kBusy  a running penstock has the embedded log; others as the log's own
#pragma once

#include <memory>

#include "config/config.h"
#include "core/result.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "penstock/log_threads.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "wal/embedded_log.h"

namespace penstock::app {

class OpenedLog {
 public:
  [[nodiscard]] static Result<std::unique_ptr<OpenedLog>> open(const config::PipelineConfig& config,
                                                               os::FileSystem& files,
                                                               const os::Clock& clock,
                                                               telemetry::Registry& metrics,
                                                               telemetry::Logger& logger);
  ~OpenedLog();
  OpenedLog(const OpenedLog&) = delete;
  OpenedLog& operator=(const OpenedLog&) = delete;

  [[nodiscard]] log::Log& log() { return *log_; }

 private:
  OpenedLog() = default;

  os::SeededRandom random_{os::random_seed()};
  std::unique_ptr<wal::EmbeddedLog> embedded_;  // this one,
  std::unique_ptr<log::Log> kafka_;             // or this one, is
  log::Log* log_ = nullptr;
  std::unique_ptr<LogThreads> threads_;
};

}  // namespace penstock::app
