#include "penstock/log_threads.h"

#include <chrono>
#include <utility>

namespace penstock::app {
namespace {

constexpr std::chrono::milliseconds kIdleWait{50};

}  // namespace

LogThreads::LogThreads(wal::EmbeddedLog& log, const std::string& name, std::string component,
                       const os::Clock& clock, telemetry::Logger& logger,
                       std::function<void(const Error&)> on_failure)
    : writer_(name,
              [&log, &clock, failed = std::move(on_failure)](const os::StopToken& stop) {
                while (!stop.requested()) {
                  log.wait(kIdleWait);
                  if (const auto answered = log.run_once(clock.now()); !answered) {
                    failed(answered.error());
                    return;
                  }
                }
              }),
      keeper_(name + "-keeper",
              [&log, &clock, &logger, from = std::move(component)](const os::StopToken& stop) {
                while (!stop.requested()) {
                  log.wait_for_maintenance(kIdleWait);
                  if (const Status kept = log.maintain_once(clock.now()); !kept) {
                    logger.warn(from, kept.error().message());
                  }
                }
              }) {}

}  // namespace penstock::app
