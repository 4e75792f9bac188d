// Pipeline is `penstock up`: every room of the product, built in order and run in this process.
//
//   log -> spill -> gateway -> engine -> archive -> sinks -> console -> HTTP server
//
// So the start; stop is the reverse. With Kafka as the log a process may have some of the roles
// only.
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
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "core/result.h"
#include "os/clock.h"
#include "telemetry/logger.h"
#include "wal/options.h"

namespace penstock::app {

// What this process does. Health, metrics and GET / are always there.
struct Roles {
  bool gateway = true;  // takes events
  bool streams = true;  // runs the jobs, answers queries of their stores
  bool sink = true;     // writes the archive
  bool console = true;  // lists and reads topics

  friend bool operator==(const Roles&, const Roles&) = default;
};

class Pipeline {
 public:
  // `on_damage`: what to do if the embedded log holds damaged bytes. `interrupted`: asked while
  // something may take long; true gives up.
  [[nodiscard]] static Result<std::unique_ptr<Pipeline>> start(
      const config::PipelineConfig& config, const Roles& roles, wal::OnDamage on_damage,
      const os::Clock& clock, telemetry::Logger& logger, std::function<bool()> interrupted);
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
