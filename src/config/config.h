// PipelineConfig is everything an operator can set, parsed, checked and with all defaults filled
// in.
//
// It comes from one TOML file (penstock.toml), then from environment variables
// (PENSTOCK_HTTP_LISTEN is [http] listen), then from command line flags; the later wins. Every
// setting, its default and its help text stand in one table (settings.h), from which the reference
// in docs/operations.md and the output of `penstock config show` are made, so they cannot drift.
//
// Mistakes are collected, not stopped at: the Error's message has one sentence per line and
// mistake, each naming place, setting, what is wrong, and the nearest known name.
//
// Only rooms of floor 5 and apps/ see this; rooms below take their own Options.
//
// Threads   plain values and functions; any.
// Errors    kInvalid   one or more mistakes, one per line
//           kNotFound  the file does not exist
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/units.h"

namespace penstock::os {
class FileSystem;
}

namespace penstock::config {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

// [log]
struct LogSettings {
  std::string backend = "embedded";
  std::string data_dir = "data";
  std::uint64_t segment_size = 256 * kMiB;
  std::string compression = "lz4";
  std::uint64_t tail_size = 128 * kMiB;
  std::uint64_t queue_size_max = 64 * kMiB;
  std::optional<milliseconds> retention_time = 7 * 24h;
  std::optional<std::uint64_t> retention_size;

  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

// [kafka], where log.backend is "kafka"
struct KafkaSettings {
  std::optional<std::string> bootstrap_servers;
  std::string prefix;
  std::uint64_t replication_factor = 3;
  std::uint64_t min_insync_replicas = 2;
  std::string client_id = "penstock";
  std::optional<std::string> rack;
  std::map<std::string, std::string> properties;  // secrets as references, see secrets.h

  friend bool operator==(const KafkaSettings&, const KafkaSettings&) = default;
};

// [spill], where log.backend is "kafka"
struct SpillSettings {
  bool enabled = true;
  std::uint64_t size_max = 16 * kGiB;
  milliseconds age_max = 24h;

  friend bool operator==(const SpillSettings&, const SpillSettings&) = default;
};

// [circuit_breaker]: names and defaults are resilience4j's
struct CircuitBreakerSettings {
  std::uint64_t failure_rate_threshold = 50;
  std::uint64_t slow_call_rate_threshold = 100;
  milliseconds slow_call_duration_threshold = 60s;
  milliseconds timeout_duration = 1s;
  std::uint64_t sliding_window_size = 100;
  std::uint64_t minimum_number_of_calls = 100;
  milliseconds wait_duration_in_open_state = 60s;
  std::uint64_t permitted_number_of_calls_in_half_open_state = 10;

  friend bool operator==(const CircuitBreakerSettings&, const CircuitBreakerSettings&) = default;
};

// [http]
struct HttpSettings {
  std::string listen = "127.0.0.1:8080";
  std::uint64_t threads = 0;
  std::uint64_t body_size_max = 16 * kMiB;
  std::uint64_t head_size_max = 32 * kKiB;
  std::uint64_t header_count_max = 100;
  std::uint64_t connections_max = 10'000;
  std::uint64_t pipelined_max = 16;
  std::uint64_t memory_max = 256 * kMiB;
  milliseconds head_timeout = 10s;
  milliseconds body_timeout = 10s;
  milliseconds idle_timeout = 75s;
  milliseconds write_timeout = 30s;

  friend bool operator==(const HttpSettings&, const HttpSettings&) = default;
};

// [ingest]
struct IngestSettings {
  bool auto_create_topics = false;
  std::uint64_t auto_create_max = 1'000;
  std::uint64_t event_size_max = 1 * kMiB;
  std::uint64_t depth_max = 128;
  std::optional<milliseconds> timestamp_after_max = 1h;
  std::uint64_t batch_size_max = 1 * kMiB;
  milliseconds batch_time_max = 1ms;
  std::uint64_t memory_max = 128 * kMiB;
  milliseconds dedup_time = 10min;
  std::uint64_t dedup_count = 1'000'000;
  milliseconds idempotency_time = 24h;
  std::uint64_t idempotency_count = 100'000;
  std::optional<milliseconds> dead_letter_retention = 30 * 24h;
  std::uint64_t dead_letter_replays_max = 3;

  friend bool operator==(const IngestSettings&, const IngestSettings&) = default;
};

// [engine]
struct EngineSettings {
  std::uint64_t threads = 0;
  milliseconds commit_interval = 20ms;
  std::string processing_guarantee = "exactly_once";
  std::uint64_t state_memory_max = 512 * kMiB;

  friend bool operator==(const EngineSettings&, const EngineSettings&) = default;
};

// [archive]
struct ArchiveSettings {
  bool enabled = true;
  std::string directory;  // empty: `archive` in the data directory, see archive_directory()
  std::uint64_t file_rows_max = 1'000'000;
  std::uint64_t file_size_max = 128 * kMiB;
  milliseconds roll_interval = 10min;
  std::uint64_t memory_max = 256 * kMiB;
  // Of S3, if `bucket` is given.
  std::optional<std::string> bucket;
  bool also_local = false;
  std::optional<std::string> endpoint;
  std::optional<std::string> region;
  std::string prefix;
  std::string addressing = "auto";
  std::optional<std::string> access_key_id;      // references, see secrets.h
  std::optional<std::string> secret_access_key;  // likewise
  std::optional<std::string> session_token;      // likewise
  std::optional<std::string> ca_file;
  std::uint64_t part_size = 8 * kMiB;
  milliseconds connect_timeout = 5s;
  milliseconds request_timeout = 60s;

  friend bool operator==(const ArchiveSettings&, const ArchiveSettings&) = default;
};

// [logging]
struct LoggingSettings {
  std::string level = "info";
  std::string format = "text";

  friend bool operator==(const LoggingSettings&, const LoggingSettings&) = default;
};

// [[topic]]
struct TopicSettings {
  std::string name;
  std::uint64_t partitions = 4;
  std::optional<std::string> key;
  bool key_required = true;  // without a key pointer it means nothing
  std::optional<std::string> timestamp;
  std::optional<std::string> id;
  milliseconds dedup_time{0};     // from [ingest], see PipelineConfig::topic_defaults()
  std::uint64_t dedup_count = 0;  // likewise
  bool archive = true;
  std::optional<milliseconds> retention_time;   // from [log]
  std::optional<std::uint64_t> retention_size;  // likewise

  friend bool operator==(const TopicSettings&, const TopicSettings&) = default;
};

// [[aggregate]]: a store of windows and the output topic of its updates, both called `name`
struct AggregateSettings {
  std::string name;
  std::string topic;
  std::vector<std::string> group_by;  // empty: the topic's key
  milliseconds window{0};
  milliseconds grace = 24h;
  std::optional<milliseconds> retention;
  bool count = false;
  std::vector<std::string> sum;
  std::vector<std::string> min;
  std::vector<std::string> max;
  std::vector<std::string> avg;
  milliseconds emit_interval = 1s;

  friend bool operator==(const AggregateSettings&, const AggregateSettings&) = default;
};

// [[table]]: a store of the latest event of each key
struct TableSettings {
  std::string name;
  std::string topic;
  std::vector<std::string> group_by;  // empty: the topic's key

  friend bool operator==(const TableSettings&, const TableSettings&) = default;
};

// [[postgres]]: a sink, which brings a topic's events into a table
struct PostgresSettings {
  std::string name;
  std::string topic;
  std::string connection;
  std::optional<std::string> replica;    // likewise
  std::optional<std::string> read_from;  // "primary" or "replica"; not set: nobody may ask
  std::optional<std::string> password;   // a reference, see secrets.h
  std::string table;
  std::string mode = "append";
  std::vector<std::string> columns;  // see column.h
  std::vector<std::string> key;
  std::optional<std::string> metadata_table;
  std::uint64_t batch_rows_max = 5'000;
  std::uint64_t batch_size_max = 4 * kMiB;
  milliseconds batch_time_max = 100ms;
  milliseconds retry_wait_min = 100ms;
  milliseconds retry_wait_max = 10s;
  milliseconds connect_timeout = 5s;
  milliseconds request_timeout = 30s;

  friend bool operator==(const PostgresSettings&, const PostgresSettings&) = default;
};

// [[sqlite]]: a sink, which brings a topic's events into a table of a file
struct SqliteSettings {
  std::string name;
  std::string topic;
  std::optional<std::string> file;  // not set: in the data directory, see sqlite_file()
  std::string table;
  std::string mode = "append";
  std::vector<std::string> columns;  // see column.h
  std::vector<std::string> key;
  std::optional<std::string> metadata_table;
  std::string synchronous = "full";
  std::uint64_t batch_rows_max = 5'000;
  std::uint64_t batch_size_max = 4 * kMiB;
  milliseconds batch_time_max = 100ms;
  milliseconds retry_wait_min = 100ms;
  milliseconds retry_wait_max = 10s;
  milliseconds lock_timeout = 5s;

  friend bool operator==(const SqliteSettings&, const SqliteSettings&) = default;
};

// [[redis]]: a sink, which brings a topic's events into keys of Redis
struct RedisSettings {
  std::string name;
  std::string topic;
  std::vector<std::string> servers;
  std::string deployment = "single";
  std::optional<std::string> master;
  std::optional<std::string> user;
  std::optional<std::string> password;  // a reference, see secrets.h
  std::optional<std::string> sentinel_user;
  std::optional<std::string> sentinel_password;  // likewise
  std::uint64_t database = 0;
  std::uint64_t protocol = 3;
  bool tls = false;
  std::optional<std::string> tls_ca_file;
  std::optional<std::string> tls_certificate_file;
  std::optional<std::string> tls_key_file;
  std::string mode = "latest";
  std::string key;                  // see key_template.h
  std::vector<std::string> fields;  // likewise
  std::optional<std::string> field;
  std::optional<std::string> increment;
  std::optional<std::string> member;
  std::optional<std::string> score;
  std::string score_update = "set";
  std::optional<milliseconds> ttl;
  std::uint64_t batch_rows_max = 1'000;
  std::uint64_t batch_size_max = 1 * kMiB;
  milliseconds batch_time_max = 20ms;
  milliseconds retry_wait_min = 100ms;
  milliseconds retry_wait_max = 10s;
  milliseconds connect_timeout = 5s;
  milliseconds request_timeout = 30s;

  friend bool operator==(const RedisSettings&, const RedisSettings&) = default;
};

struct PipelineConfig {
  LogSettings log;
  KafkaSettings kafka;
  SpillSettings spill;
  CircuitBreakerSettings circuit_breaker;
  HttpSettings http;
  IngestSettings ingest;
  EngineSettings engine;
  ArchiveSettings archive;
  LoggingSettings logging;
  std::vector<TopicSettings> topics;
  std::vector<AggregateSettings> aggregates;
  std::vector<TableSettings> tables;
  std::vector<PostgresSettings> postgres;
  std::vector<SqliteSettings> sqlite;
  std::vector<RedisSettings> redis;

  // A topic of which nothing is set: what [[topic]] begins with, and what auto-creation makes.
  [[nodiscard]] TopicSettings topic_defaults() const;

  // What the largest request can make of itself: its events as records with headers and keys.
  [[nodiscard]] std::uint64_t append_size_max() const { return 2 * http.body_size_max; }

  [[nodiscard]] bool is_on_kafka() const { return log.backend == "kafka"; }

  // `archive.directory`, or its place in the data directory.
  [[nodiscard]] std::string archive_directory() const;
  // Where files wait until they are in the bucket.
  [[nodiscard]] std::string archive_spool_directory() const;

  // `file` of a SQLite sink, or its place in the data directory.
  [[nodiscard]] std::string sqlite_file(const SqliteSettings& sink) const;

  [[nodiscard]] bool archives_to_s3() const {
    return archive.enabled && archive.bucket.has_value();
  }

  [[nodiscard]] bool archives_locally() const {
    return archive.enabled && (!archive.bucket.has_value() || archive.also_local);
  }

  friend bool operator==(const PipelineConfig&, const PipelineConfig&) = default;
};

// A value from outside of the file: an environment variable or a flag.
struct Override {
  std::string setting;  // "http.listen"
  std::string value;    // as one would write it in the file, without quotes
  std::string source;   // for messages: "--listen", "environment variable PENSTOCK_HTTP_LISTEN"
};

// The overrides among `environment` ("NAME=value" each). Variables of PENSTOCK_ that neither belong
// to a section nor come close to a setting's name are not ours and are left alone.
[[nodiscard]] std::vector<Override> environment_overrides(std::span<const std::string> environment);

// `file_name` is for messages. Later overrides win.
[[nodiscard]] Result<PipelineConfig> parse_config(std::string_view toml, std::string_view file_name,
                                                  std::span<const Override> overrides = {});
[[nodiscard]] Result<PipelineConfig> load_config(os::FileSystem& files, const std::string& path,
                                                 std::span<const Override> overrides = {});

// The whole configuration as TOML that parses to the same, every default written out.
[[nodiscard]] std::string describe(const PipelineConfig& config);

// The reference of all settings as Markdown tables, for docs/operations.md.
[[nodiscard]] std::string settings_markdown();

// "127.0.0.1:8080" or "[::1]:8080"; "localhost" stands for 127.0.0.1.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
};

[[nodiscard]] Result<ListenAddress> parse_listen(std::string_view text);

}  // namespace penstock::config
