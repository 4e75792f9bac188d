// Pipeline is `penstock up`: every room of the product, built in order and run in this process.
//
//   log -> gateway -> engine -> archive -> sinks -> console -> HTTP server   (start; stop: reverse)
//
// Nothing is decided here: each room gets its Options from the configuration, its threads, and
// references to what it needs.
//
// Threads   start(), failure() and stop() from main's thread; it makes all the others.
// Errors    start()  one sentence that says what could not be started and why
//           stop()   what did not end in time, or could not be written any more
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "core/result.h"
#include "os/clock.h"
#include "telemetry/logger.h"
#include "wal/options.h"

namespace penstock::app {

class Pipeline {
 public:
  // `on_damage`: what to do if the log holds damaged bytes.
  [[nodiscard]] static Result<std::unique_ptr<Pipeline>> start(const config::PipelineConfig& config,
                                                               wal::OnDamage on_damage,
                                                               const os::Clock& clock,
                                                               telemetry::Logger& logger);
  // Without stop() this is what a crash does: nothing acknowledged is lost.
  ~Pipeline();

  [[nodiscard]] std::uint16_t port() const;

  // Why the process cannot go on, once a thread has failed.
  [[nodiscard]] std::optional<Error> failure() const;

  // Refuses new requests, finishes and commits what is in flight, archives it, closes the log.
  [[nodiscard]] Status stop(std::chrono::milliseconds time_max);

 private:
  class Impl;
  explicit Pipeline(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::app
