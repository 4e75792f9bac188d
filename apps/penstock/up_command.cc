// penstock up: runs the pipeline until it is told to stop, or cannot go on.
#include <chrono>
#include <iostream>
#include <optional>
#include <string>

#include "os/clock.h"
#include "os/signals.h"
#include "penstock/commands.h"
#include "penstock/configuration.h"
#include "penstock/exit_code.h"
#include "penstock/pipeline.h"
#include "telemetry/logger.h"

namespace penstock::app {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kStopTimeMax = 9s;  // promised: ends within 10 s

telemetry::Logger::Options logger_options(const config::LoggingSettings& settings) {
  telemetry::Logger::Options options;
  for (const auto level : {telemetry::LogLevel::kDebug, telemetry::LogLevel::kInfo,
                           telemetry::LogLevel::kWarn, telemetry::LogLevel::kError}) {
    if (telemetry::to_string(level) == settings.level) {
      options.level = level;
    }
  }
  options.format =
      settings.format == "json" ? telemetry::LogFormat::kJson : telemetry::LogFormat::kText;
  return options;
}

Status run(const config::PipelineConfig& config, const UpFlags& flags,
           os::TerminationSignals& signals, const os::Clock& clock, telemetry::Logger& logger) {
  const auto on_damage =
      flags.config.accept_data_loss ? wal::OnDamage::kAcceptLoss : wal::OnDamage::kRefuse;
  PENSTOCK_TRY_ASSIGN(const auto listen, config::parse_listen(config.http.listen));
  std::optional<std::string> signal;
  const auto interrupted = [&] {
    signal = signals.wait(0ms);
    return signal.has_value();
  };
  PENSTOCK_TRY_ASSIGN(const auto pipeline,
                      Pipeline::start(config, flags.roles, on_damage, clock, logger, interrupted));
  std::cerr << "penstock: listening on http://" << listen.host << ":" << pipeline->port()
            << ", data in " << config.log.data_dir << "\n";
  while (!signal && !pipeline->failure()) {
    signal = signals.wait(200ms);
  }
  if (const auto failure = pipeline->failure()) {
    return *failure;
  }
  logger.info("penstock", "stopping: a second signal ends it at once", {{"signal", *signal}});
  signals.restore_default();
  PENSTOCK_TRY(pipeline->stop(kStopTimeMax));
  logger.info("penstock", "stopped: everything acknowledged is stored");
  return {};
}

}  // namespace

int run_up(const UpFlags& flags) {
  os::TerminationSignals signals;
  const auto config = load_configuration(flags.config);
  if (!config) {
    return exit_code_of(Status(config.error()));
  }
  if (flags.roles != Roles() && !config->is_on_kafka()) {
    return exit_code_of(Status(Error(
        ErrorCode::kInvalid, "`penstock " + flags.name +
                                 "` needs log.backend = \"kafka\": the embedded log belongs to one "
                                 "process, in which `penstock up` runs everything")));
  }
  const os::RealClock clock;
  telemetry::Logger logger(clock, logger_options(config->logging));
  return exit_code_of(run(*config, flags, signals, clock, logger));
}

}  // namespace penstock::app
