// From the configuration to each room's Options: names on the left, names on the right, no
// decisions.
//
// Errors    kInvalid  a JSON Pointer that cannot be read, or a secret that is not there, with the
//           setting's place
#pragma once

#include <vector>

#include "config/config.h"
#include "core/circuit_breaker.h"
#include "core/result.h"
#include "engine/streams.h"
#include "gateway/gateway.h"
#include "gateway/spilling_log.h"
#include "kafka/options.h"
#include "net/http_server.h"
#include "os/file_system.h"
#include "sinks/archive/archive_sink.h"
#include "sinks/postgres/postgres_destination.h"
#include "sinks/postgres/table_reader.h"
#include "sinks/runtime/sink_runner.h"
#include "sinks/sqlite/sqlite_destination.h"
#include "wal/options.h"

namespace penstock::app {

[[nodiscard]] wal::Options wal_options(const config::PipelineConfig& config);
// Of each generation; the directory is the spill's.
[[nodiscard]] wal::Options spill_options(const config::PipelineConfig& config);
[[nodiscard]] gateway::SpillingLog::Options spilling_options(const config::PipelineConfig& config);
// Looks up secrets in the environment and in files.
[[nodiscard]] Result<kafka::Options> kafka_options(const config::PipelineConfig& config,
                                                   os::FileSystem& files);
[[nodiscard]] Result<net::HttpServer::Options> http_options(const config::PipelineConfig& config);
[[nodiscard]] Result<gateway::GatewayOptions> gateway_options(const config::PipelineConfig& config);
[[nodiscard]] Result<std::vector<engine::Job>> jobs(const config::PipelineConfig& config);
[[nodiscard]] engine::Streams::Options streams_options(const config::PipelineConfig& config);
// `log` must outlive what is made of them: it knows the topics that came into being by themselves.
[[nodiscard]] sinks::ArchiveSink::Options archive_options(const config::PipelineConfig& config,
                                                          const log::Log& log);
[[nodiscard]] CircuitBreaker::Options breaker_options(
    const config::CircuitBreakerSettings& settings);
[[nodiscard]] sinks::SinkRunner::Options sink_options(const config::PipelineConfig& config,
                                                      const config::PostgresSettings& settings);
[[nodiscard]] sinks::SinkRunner::Options sink_options(const config::PipelineConfig& config,
                                                      const config::SqliteSettings& settings);
[[nodiscard]] sinks::SinkRunner::Options sink_options(const config::PipelineConfig& config,
                                                      const config::RedisSettings& settings);
// kInvalid: the password is not where the configuration says.
[[nodiscard]] Result<sinks::PostgresDestination::Options> postgres_options(
    const config::PostgresSettings& settings, os::FileSystem& files);
// Of the sinks whose tables may be read.
[[nodiscard]] Result<std::vector<sinks::TableReader::Options>> table_options(
    const config::PipelineConfig& config, os::FileSystem& files);
[[nodiscard]] sinks::SqliteDestination::Options sqlite_options(
    const config::PipelineConfig& config, const config::SqliteSettings& settings);

}  // namespace penstock::app
