#include "penstock/opened_log.h"

#include <utility>

#include "kafka/kafka_log.h"
#include "penstock/pipeline_options.h"

namespace penstock::app {

Result<std::unique_ptr<OpenedLog>> OpenedLog::open(const config::PipelineConfig& config,
                                                   os::FileSystem& files, const os::Clock& clock,
                                                   telemetry::Registry& metrics,
                                                   telemetry::Logger& logger) {
  std::unique_ptr<OpenedLog> opened(new OpenedLog());
  if (config.is_on_kafka()) {
    PENSTOCK_TRY_ASSIGN(const kafka::Options options, kafka_options(config, files));
    PENSTOCK_TRY_ASSIGN(opened->kafka_, kafka::open(options, clock, metrics, logger));
    opened->log_ = opened->kafka_.get();
    return opened;
  }
  PENSTOCK_TRY_ASSIGN(opened->embedded_, wal::EmbeddedLog::open(wal_options(config), files, clock,
                                                                opened->random_, metrics));
  opened->log_ = opened->embedded_.get();
  opened->threads_ = std::make_unique<LogThreads>(
      *opened->embedded_, "wal", "log", clock, logger,
      [&logger](const Error& error) { logger.error("log", error.message()); });
  return opened;
}

OpenedLog::~OpenedLog() {
  threads_.reset();
  if (embedded_ != nullptr) {
    // What was committed is durable; the rest is found at the next start.
    static_cast<void>(embedded_->close());
  }
}

}  // namespace penstock::app
