#include "penstock/pipeline_options.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "config/column.h"
#include "config/secrets.h"
#include "core/check.h"
#include "jobs/aggregate_job.h"
#include "jobs/table_job.h"
#include "os/file_system.h"
#include "os/thread.h"
#include "penstock/configuration.h"
#include "record/dead_letter.h"
#include "schema/json_pointer.h"

namespace penstock::app {
namespace {

using Kind = store::AggregateColumn::Kind;

Result<std::optional<JsonPointer>> pointer(const std::optional<std::string>& text,
                                           const std::string& place) {
  if (!text) {
    return std::optional<JsonPointer>();
  }
  auto parsed = JsonPointer::parse(*text);
  if (!parsed) {
    return parsed.error().with(place);
  }
  return std::optional<JsonPointer>(*std::move(parsed));
}

Result<gateway::TopicOptions> topic_options(const config::TopicSettings& settings) {
  const std::string place = "topic \"" + settings.name + "\"";
  gateway::TopicOptions options;
  options.log.name = settings.name;
  options.log.partition_count = static_cast<std::int32_t>(settings.partitions);
  options.log.retention_time = settings.retention_time;
  options.log.retention_bytes = settings.retention_size;
  options.key_required = settings.key_required;
  PENSTOCK_TRY_ASSIGN(options.key, pointer(settings.key, place + ", key"));
  PENSTOCK_TRY_ASSIGN(options.timestamp, pointer(settings.timestamp, place + ", timestamp"));
  PENSTOCK_TRY_ASSIGN(options.id, pointer(settings.id, place + ", id"));
  options.dedup.count_max = settings.dedup_count;
  options.dedup.time_max = std::chrono::duration_cast<std::chrono::seconds>(settings.dedup_time);
  return options;
}

void add_columns(std::vector<store::AggregateColumn>& columns, Kind kind,
                 const std::vector<std::string>& pointers) {
  for (const std::string& field : pointers) {
    columns.push_back({kind, field});
  }
}

Compression compression_of(const config::PipelineConfig& config) {
  return config.log.compression == "lz4" ? Compression::kLz4 : Compression::kNone;
}

const config::TopicSettings& topic_of(const config::PipelineConfig& config,
                                      const std::string& name) {
  const auto found = std::find_if(config.topics.begin(), config.topics.end(),
                                  [&](const auto& topic) { return topic.name == name; });
  PENSTOCK_CHECK(found != config.topics.end());  // config has checked it
  return *found;
}

// A stream thread may put at least so much into a commit.
constexpr std::size_t kCommitBytesMin = 512 * kKiB;

// What `group_by` means when it is left out: the topic's key.
std::vector<std::string> group_of(const std::vector<std::string>& group_by,
                                  const config::TopicSettings& topic) {
  return group_by.empty() && topic.key ? std::vector{*topic.key} : group_by;
}

jobs::GroupedTopic grouped_topic(const config::TopicSettings& topic) {
  return {topic.name, topic.key, static_cast<std::int32_t>(topic.partitions)};
}

jobs::AggregateOptions aggregate_options(const config::PipelineConfig& config,
                                         const config::AggregateSettings& settings) {
  const config::TopicSettings& topic = topic_of(config, settings.topic);
  jobs::AggregateOptions options;
  options.name = settings.name;
  options.topic = grouped_topic(topic);
  options.group_by = group_of(settings.group_by, topic);
  options.window = settings.window;
  options.grace = settings.grace;
  options.retention = settings.retention;
  if (settings.count) {
    options.columns.push_back({Kind::kCount, ""});
  }
  add_columns(options.columns, Kind::kSum, settings.sum);
  add_columns(options.columns, Kind::kMin, settings.min);
  add_columns(options.columns, Kind::kMax, settings.max);
  add_columns(options.columns, Kind::kAvg, settings.avg);
  options.emit_interval = settings.emit_interval;
  options.output_retention = config.log.retention_time;
  return options;
}

}  // namespace

wal::Options wal_options(const config::PipelineConfig& config) {
  wal::Options options;
  options.directory = os::join_path(config.log.data_dir, "log");
  options.segment_bytes = config.log.segment_size;
  // A quarter of a file and the queue have room for the largest request: config has checked that.
  options.append_bytes_max = std::max<std::size_t>(
      config.append_size_max(),
      std::min({options.append_bytes_max, options.segment_bytes / 4, config.log.queue_size_max}));
  options.group_bytes_max =
      std::min<std::size_t>(options.group_bytes_max, options.segment_bytes / 4);
  options.reserve_bytes = std::min(options.reserve_bytes, options.segment_bytes / 8);
  options.queue_bytes_max = config.log.queue_size_max;
  options.tail_cache_bytes = config.log.tail_size;
  return options;
}

CircuitBreaker::Options breaker_options(const config::CircuitBreakerSettings& settings) {
  return {
      .failure_rate_threshold = static_cast<double>(settings.failure_rate_threshold),
      .slow_call_rate_threshold = static_cast<double>(settings.slow_call_rate_threshold),
      .slow_call_duration_threshold = settings.slow_call_duration_threshold,
      .sliding_window_size = settings.sliding_window_size,
      .minimum_number_of_calls = settings.minimum_number_of_calls,
      .wait_duration_in_open_state = settings.wait_duration_in_open_state,
      .permitted_number_of_calls_in_half_open_state =
          settings.permitted_number_of_calls_in_half_open_state,
  };
}

wal::Options spill_options(const config::PipelineConfig& config) {
  wal::Options options = wal_options(config);
  options.directory = os::join_path(config.log.data_dir, "spill");
  return options;
}

gateway::SpillingLog::Options spilling_options(const config::PipelineConfig& config) {
  gateway::SpillingLog::Options options;
  options.route.timeout_duration = config.circuit_breaker.timeout_duration;
  options.route.spill_bytes_max = config.spill.size_max;
  options.route.spill_age_max = config.spill.age_max;
  options.route.held_bytes_max = config.ingest.memory_max;
  options.route.breaker = breaker_options(config.circuit_breaker);
  return options;
}

Result<kafka::Options> kafka_options(const config::PipelineConfig& config, os::FileSystem& files) {
  const config::KafkaSettings& settings = config.kafka;
  kafka::Options options;
  options.bootstrap_servers = settings.bootstrap_servers.value_or("");
  options.prefix = settings.prefix;
  options.replication_factor = static_cast<std::int16_t>(settings.replication_factor);
  options.min_insync_replicas = static_cast<std::int32_t>(settings.min_insync_replicas);
  options.client_id = settings.client_id;
  options.rack = settings.rack.value_or("");
  const std::vector<std::string> variables = environment();
  for (const auto& [key, value] : settings.properties) {
    auto resolved = config::resolve_reference(value, files, variables);
    if (!resolved) {
      return resolved.error().with("kafka.properties, " + key);
    }
    options.client_settings[key] = *std::move(resolved);
  }
  options.append_queue_bytes_max = config.log.queue_size_max;
  options.message_bytes_max =
      std::max<std::size_t>(options.message_bytes_max, 2 * config.ingest.event_size_max);
  if (config.spill.enabled) {
    // With the spill nothing is gained by giving an append up: whether it is in the log would not
    // be known, and its ids could not be taken again for sure.
    options.delivery_timeout = config.spill.age_max;
  }
  return options;
}

Result<net::HttpServer::Options> http_options(const config::PipelineConfig& config) {
  PENSTOCK_TRY_ASSIGN(const config::ListenAddress listen, config::parse_listen(config.http.listen));
  net::HttpServer::Options options;
  options.host = listen.host;
  options.port = listen.port;
  options.loop_count = config.http.threads == 0 ? os::cpu_count() : config.http.threads;
  options.limits.body_bytes_max = config.http.body_size_max;
  options.limits.head_bytes_max = config.http.head_size_max;
  options.limits.header_count_max = config.http.header_count_max;
  options.limits.connections_max = config.http.connections_max;
  options.limits.pipelined_max = config.http.pipelined_max;
  options.limits.memory_bytes_max = config.http.memory_max;
  options.limits.head_timeout = config.http.head_timeout;
  options.limits.body_timeout = config.http.body_timeout;
  options.limits.idle_timeout = config.http.idle_timeout;
  options.limits.write_timeout = config.http.write_timeout;
  return options;
}

Result<gateway::GatewayOptions> gateway_options(const config::PipelineConfig& config) {
  gateway::GatewayOptions options;
  for (const config::TopicSettings& topic : config.topics) {
    PENSTOCK_TRY_ASSIGN(gateway::TopicOptions one, topic_options(topic));
    options.topics.push_back(std::move(one));
  }
  if (config.ingest.auto_create_topics) {
    PENSTOCK_TRY_ASSIGN(options.auto_create, topic_options(config.topic_defaults()));
  }
  options.auto_created_max = config.ingest.auto_create_max;
  for (const config::AggregateSettings& job : config.aggregates) {
    options.outputs.push_back(job.name);
  }
  options.dead_letter_retention = config.ingest.dead_letter_retention;
  options.replays_max = static_cast<std::uint32_t>(config.ingest.dead_letter_replays_max);
  options.event_bytes_max = config.ingest.event_size_max;
  options.depth_max = static_cast<std::uint32_t>(config.ingest.depth_max);
  options.timestamp_after_max = config.ingest.timestamp_after_max;
  options.log_append_bytes_max = wal_options(config).append_bytes_max;
  options.append_bytes_max =
      std::min<std::size_t>(config.ingest.batch_size_max, options.log_append_bytes_max / 4);
  options.compression = compression_of(config);
  options.linger = config.ingest.batch_time_max;
  options.memory_bytes_max = config.ingest.memory_max;
  options.idempotency.count_max = config.ingest.idempotency_count;
  options.idempotency.time_max =
      std::chrono::duration_cast<std::chrono::seconds>(config.ingest.idempotency_time);
  return options;
}

Result<std::vector<engine::Job>> jobs(const config::PipelineConfig& config) {
  std::vector<engine::Job> jobs;
  for (const config::AggregateSettings& settings : config.aggregates) {
    PENSTOCK_TRY_ASSIGN(topology::Topology topology,
                        jobs::make_aggregate_topology(aggregate_options(config, settings)));
    jobs.push_back({settings.name, std::move(topology)});
  }
  for (const config::TableSettings& settings : config.tables) {
    const config::TopicSettings& topic = topic_of(config, settings.topic);
    PENSTOCK_TRY_ASSIGN(topology::Topology topology,
                        jobs::make_table_topology({settings.name, grouped_topic(topic),
                                                   group_of(settings.group_by, topic)}));
    jobs.push_back({settings.name, std::move(topology)});
  }
  return jobs;
}

engine::Streams::Options streams_options(const config::PipelineConfig& config) {
  const wal::Options log = wal_options(config);
  engine::Streams::Options options;
  options.threads_per_job = static_cast<std::int32_t>(
      config.engine.threads != 0 ? config.engine.threads : 2 * os::cpu_count());
  options.thread.commit_interval = config.engine.commit_interval;
  options.thread.exactly_once = config.engine.processing_guarantee == "exactly_once";
  options.thread.compression = compression_of(config);
  // All of them may commit at once, and half of the log's queue is for what comes in.
  const std::size_t thread_count =
      std::max<std::size_t>(1, config.aggregates.size() + config.tables.size()) *
      static_cast<std::size_t>(options.threads_per_job);
  options.thread.commit_bytes_max =
      std::min({options.thread.commit_bytes_max, log.append_bytes_max / 4,
                std::max<std::size_t>(kCommitBytesMin, log.queue_bytes_max / 2 / thread_count)});
  options.state_bytes_max = config.engine.state_memory_max;
  return options;
}

std::function<bool(const log::TopicInfo&)> archived_topics(const config::PipelineConfig& config,
                                                           const log::Log& log) {
  std::map<std::string, bool> wanted;
  for (const config::TopicSettings& topic : config.topics) {
    wanted[topic.name] = topic.archive;
    wanted[dead_letter_topic(topic.name)] = topic.archive;
  }
  for (const config::AggregateSettings& job : config.aggregates) {
    wanted[job.name] = topic_of(config, job.topic).archive;
    wanted[dead_letter_topic(job.name)] = topic_of(config, job.topic).archive;
  }
  return [wanted = std::move(wanted), auto_create = config.ingest.auto_create_topics,
          &log](const log::TopicInfo& topic) {
    const std::string& name = topic.config.name;
    if (const auto found = wanted.find(name); found != wanted.end()) {
      return found->second;
    }
    // Those that were made for events have dead letters; what is the engine's own has none.
    return auto_create && (is_dead_letter_topic(name) || log.topic(dead_letter_topic(name)));
  };
}

sinks::ArchiveSink::Options archive_options(const config::PipelineConfig& config,
                                            const log::Log& log) {
  sinks::ArchiveSink::Options options;
  options.takes = archived_topics(config, log);
  options.file_rows_max = config.archive.file_rows_max;
  options.file_size_max = config.archive.file_size_max;
  options.roll_interval = config.archive.roll_interval;
  options.memory_max = config.archive.memory_max;
  options.breaker = breaker_options(config.circuit_breaker);
  return options;
}

namespace {

// What all sinks have.
template <typename Settings>
sinks::SinkRunner::Options runner_options(const config::PipelineConfig& config,
                                          const Settings& settings) {
  sinks::SinkRunner::Options options;
  options.name = settings.name;
  options.topic = settings.topic;
  options.batch_rows_max = settings.batch_rows_max;
  options.batch_size_max = settings.batch_size_max;
  options.batch_time_max = settings.batch_time_max;
  options.backoff = {settings.retry_wait_min, settings.retry_wait_max};
  options.breaker = breaker_options(config.circuit_breaker);
  options.dead_letter_retention = config.ingest.dead_letter_retention;
  return options;
}

template <typename Settings>
sinks::SinkTable sink_table(const Settings& settings) {
  sinks::SinkTable table;
  table.name = settings.table;
  table.mode = settings.mode == "upsert" ? sinks::WriteMode::kUpsert : sinks::WriteMode::kAppend;
  table.key = settings.key;
  for (const std::string& text : settings.columns) {
    const auto column = config::parse_column(text);
    PENSTOCK_CHECK(column.has_value());  // config has looked
    table.columns.push_back(*column);
  }
  return table;
}

}  // namespace

sinks::SinkRunner::Options sink_options(const config::PipelineConfig& config,
                                        const config::PostgresSettings& settings) {
  return runner_options(config, settings);
}

sinks::SinkRunner::Options sink_options(const config::PipelineConfig& config,
                                        const config::SqliteSettings& settings) {
  return runner_options(config, settings);
}

sinks::SinkRunner::Options sink_options(const config::PipelineConfig& config,
                                        const config::RedisSettings& settings) {
  return runner_options(config, settings);
}

Result<sinks::PostgresDestination::Options> postgres_options(
    const config::PostgresSettings& settings, os::FileSystem& files) {
  sinks::PostgresDestination::Options options;
  options.sink = settings.name;
  options.topic = settings.topic;
  options.connection.connection = settings.connection;
  if (settings.password.has_value()) {
    auto password = config::resolve_reference(*settings.password, files, environment());
    if (!password) {
      return password.error().with("postgres \"" + settings.name + "\": password");
    }
    options.connection.password = *std::move(password);
  }
  options.connection.application_name = "penstock sink " + settings.name;
  options.connection.connect_timeout = settings.connect_timeout;
  options.connection.request_timeout = settings.request_timeout;
  options.table = sink_table(settings);
  options.metadata_table = settings.metadata_table;
  return options;
}

Result<std::vector<sinks::TableReader::Options>> table_options(const config::PipelineConfig& config,
                                                               os::FileSystem& files) {
  std::vector<sinks::TableReader::Options> tables;
  for (const config::PostgresSettings& settings : config.postgres) {
    if (!settings.read_from) {
      continue;
    }
    PENSTOCK_TRY_ASSIGN(sinks::PostgresDestination::Options sink,
                        postgres_options(settings, files));
    sink.connection.application_name = "penstock queries " + settings.name;
    sinks::TableReader::Options table;
    table.sink = settings.name;
    table.topic = settings.topic;
    table.table = std::move(sink.table);
    table.primary = sink.connection;
    if (settings.replica) {
      table.replica = std::move(sink.connection);
      table.replica->connection = *settings.replica;
    }
    table.read_from =
        *settings.read_from == "replica" ? sinks::ReadFrom::kReplica : sinks::ReadFrom::kPrimary;
    tables.push_back(std::move(table));
  }
  return tables;
}

sinks::SqliteDestination::Options sqlite_options(const config::PipelineConfig& config,
                                                 const config::SqliteSettings& settings) {
  sinks::SqliteDestination::Options options;
  options.sink = settings.name;
  options.topic = settings.topic;
  options.connection.file = config.sqlite_file(settings);
  options.connection.synchronous = settings.synchronous == "full"
                                       ? sinks::SqliteConnection::Synchronous::kFull
                                       : sinks::SqliteConnection::Synchronous::kNormal;
  options.connection.lock_timeout = settings.lock_timeout;
  options.table = sink_table(settings);
  options.metadata_table = settings.metadata_table;
  return options;
}

}  // namespace penstock::app
