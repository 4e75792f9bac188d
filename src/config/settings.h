// The one table of all settings: key, place in PipelineConfig, what it may be, and its help text.
//
// Reading, describe() and the reference in docs/operations.md all walk these tables, so a setting
// added here is read, checked, shown and documented. Defaults are the initialisers in config.h.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "config/config.h"
#include "core/units.h"

namespace penstock::config {

enum class Kind {
  kText,
  kSwitch,
  kCount,
  kSize,
  kDuration,
  kPointers,    // a list of JSON Pointers
  kProperties,  // a table of texts by keys that others define
  kTexts,       // a list of texts, each of which its rule fits
};

enum class Need { kOptional, kRequired };

// What a text must look like: `expected` completes "must be ...".
struct TextRule {
  bool (*fits)(std::string_view);
  std::string_view expected;
};

struct Range {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::int64_t>::max();
};

// The member a setting is stored in. An absent size or duration is "unlimited", an absent text is
// not set.
template <typename S>
using Member = std::variant<std::string S::*, std::optional<std::string> S::*, bool S::*,
                            std::uint64_t S::*, std::optional<std::uint64_t> S::*,
                            milliseconds S::*, std::optional<milliseconds> S::*,
                            std::vector<std::string> S::*, std::map<std::string, std::string> S::*>;

template <typename S>
struct Setting {
  std::string_view key;
  Kind kind;
  Member<S> member;
  std::string_view help;
  Range range{};  // of durations in milliseconds
  TextRule rule{nullptr, ""};
  Need need = Need::kOptional;
};

[[nodiscard]] bool is_any_text(std::string_view text);
[[nodiscard]] bool is_backend(std::string_view text);
[[nodiscard]] bool is_compression(std::string_view text);
[[nodiscard]] bool is_guarantee(std::string_view text);
[[nodiscard]] bool is_log_level(std::string_view text);
[[nodiscard]] bool is_log_format(std::string_view text);
[[nodiscard]] bool is_listen_address(std::string_view text);
[[nodiscard]] bool is_json_pointer(std::string_view text);
[[nodiscard]] bool is_name(std::string_view text);
[[nodiscard]] bool is_table_name(std::string_view text);
[[nodiscard]] bool is_sink_mode(std::string_view text);
[[nodiscard]] bool is_read_from(std::string_view text);
[[nodiscard]] bool is_synchronous(std::string_view text);
[[nodiscard]] bool is_column(std::string_view text);
[[nodiscard]] bool is_column_name(std::string_view text);
[[nodiscard]] bool is_server_address(std::string_view text);
[[nodiscard]] bool is_deployment(std::string_view text);
[[nodiscard]] bool is_redis_mode(std::string_view text);
[[nodiscard]] bool is_key_template(std::string_view text);
[[nodiscard]] bool is_hash_field(std::string_view text);
[[nodiscard]] bool is_score_update(std::string_view text);
[[nodiscard]] bool is_bucket(std::string_view text);
[[nodiscard]] bool is_http_url(std::string_view text);
[[nodiscard]] bool is_key_prefix(std::string_view text);
[[nodiscard]] bool is_addressing(std::string_view text);

inline constexpr TextRule kAnyText{is_any_text, "a text that is not empty"};
inline constexpr TextRule kPath{is_any_text, "a path"};
inline constexpr TextRule kCompression{is_compression, "\"lz4\" or \"none\""};
inline constexpr TextRule kBackend{is_backend, "\"embedded\" or \"kafka\""};
inline constexpr TextRule kGuarantee{is_guarantee, "\"exactly_once\" or \"at_least_once\""};
inline constexpr TextRule kLevel{is_log_level, "\"debug\", \"info\", \"warn\" or \"error\""};
inline constexpr TextRule kFormat{is_log_format, "\"text\" or \"json\""};
inline constexpr TextRule kListen{is_listen_address,
                                  "an address and a port, such as \"127.0.0.1:8080\""};
inline constexpr TextRule kPointer{is_json_pointer,
                                   "a JSON Pointer, which begins with \"/\", such as \"/user/id\""};
inline constexpr TextRule kName{is_name,
                                "a name of 1 to 200 letters, digits, \".\", \"_\" or \"-\""};

inline constexpr TextRule kBucket{is_bucket,
                                  "a bucket's name of 3 to 63 lower-case letters, digits, \".\" "
                                  "or \"-\""};
inline constexpr TextRule kHttpUrl{is_http_url,
                                   "a URL without a path, such as \"https://s3.example.net:9000\""};
inline constexpr TextRule kKeyPrefix{is_key_prefix,
                                     "empty, or a path that ends in \"/\" and does not begin with "
                                     "it, such as \"penstock/\""};
inline constexpr TextRule kAddressing{is_addressing, "\"auto\", \"path\" or \"host\""};
inline constexpr TextRule kTable{is_table_name,
                                 "a table's name in lower case, such as \"events\" or "
                                 "\"app.events\""};
inline constexpr TextRule kMode{is_sink_mode, "\"append\" or \"upsert\""};
inline constexpr TextRule kReadFrom{is_read_from, "\"primary\" or \"replica\""};
inline constexpr TextRule kSynchronous{is_synchronous, "\"full\" or \"normal\""};
inline constexpr TextRule kColumns{
    is_column,
    "a list of columns, such as [\"/user/id:user_id:bigint:not null\"]; types are text, bigint, "
    "double precision, boolean, timestamptz, jsonb and numeric"};
inline constexpr TextRule kColumnNames{is_column_name,
                                       "a list of columns' names, such as [\"user_id\"]"};
inline constexpr TextRule kServers{is_server_address,
                                   "a list of addresses, such as [\"redis.example.net:6379\"]"};
inline constexpr TextRule kDeployment{is_deployment, "\"single\", \"sentinel\" or \"cluster\""};
inline constexpr TextRule kRedisMode{is_redis_mode,
                                     "\"latest\", \"counter\", \"sorted_set\" or \"session\""};
inline constexpr TextRule kKeyTemplate{
    is_key_template,
    "a text with values of the event in it, such as \"user:%{/user/id}\"; others are %{key} and "
    "%{partition}"};
inline constexpr TextRule kHashFields{
    is_hash_field, "a list of fields, such as [\"/user/name:name\"], of different names"};
inline constexpr TextRule kScoreUpdate{is_score_update, "\"set\", \"add\", \"max\" or \"min\""};

inline constexpr std::uint64_t kDay = 86'400'000;  // ms
// Ten years: longer spans than that are mistakes, and sums of them stay far from overflow.
inline constexpr std::uint64_t kSpanMax = 3650 * kDay;
inline constexpr Range kAnySpan{0, kSpanMax};
inline constexpr Range kSomeSpan{1, kSpanMax};
inline constexpr Range kTimeout{100, 3'600'000};
inline constexpr Range kDedupSpan{1'000, 7 * kDay};

inline constexpr std::array kLogSettings{
    Setting<LogSettings>{
        "backend",
        Kind::kText,
        &LogSettings::backend,
        "Where the log lives: \"embedded\", in the data directory, or \"kafka\": see "
        "[kafka].",
        {},
        kBackend},
    Setting<LogSettings>{"data_dir",
                         Kind::kText,
                         &LogSettings::data_dir,
                         "Data directory; relative to where penstock is started.",
                         {},
                         kPath},
    Setting<LogSettings>{"segment_size",
                         Kind::kSize,
                         &LogSettings::segment_size,
                         "Size of one log file, allocated at once; a whole number of 4 KiB. "
                         "Retention frees whole files.",
                         {kMiB, 2 * kGiB}},
    Setting<LogSettings>{"compression",
                         Kind::kText,
                         &LogSettings::compression,
                         "How batches of events and updates are compressed where that makes them "
                         "smaller: \"lz4\" or \"none\". May be changed at any time.",
                         {},
                         kCompression},
    Setting<LogSettings>{"tail_size",
                         Kind::kSize,
                         &LogSettings::tail_size,
                         "Newest part of the log kept in memory for readers that keep up.",
                         {kMiB, 64 * kGiB}},
    Setting<LogSettings>{
        "queue_size_max",
        Kind::kSize,
        &LogSettings::queue_size_max,
        "Bytes that may wait for the disk; requests beyond half of it are answered with 429.",
        {kMiB, 64 * kGiB}},
    Setting<LogSettings>{"retention_time", Kind::kDuration, &LogSettings::retention_time,
                         "Records older than this may go; \"unlimited\" keeps them. A topic may "
                         "have its own.",
                         kSomeSpan},
    Setting<LogSettings>{"retention_size",
                         Kind::kSize,
                         &LogSettings::retention_size,
                         "Bytes kept per partition; \"unlimited\" keeps all. A topic may have its "
                         "own.",
                         {kMiB, std::numeric_limits<std::int64_t>::max()}},
};

inline constexpr std::array kKafkaSettings{
    Setting<KafkaSettings>{"bootstrap_servers",
                           Kind::kText,
                           &KafkaSettings::bootstrap_servers,
                           "Brokers to begin with, as host:port with commas between.",
                           {},
                           kAnyText},
    Setting<KafkaSettings>{"prefix",
                           Kind::kText,
                           &KafkaSettings::prefix,
                           "In front of every topic, group and transactional id, such as "
                           "\"penstock.\"; topics without it are not seen.",
                           {},
                           TextRule{[](std::string_view) { return true; }, "a text"}},
    Setting<KafkaSettings>{"replication_factor",
                           Kind::kCount,
                           &KafkaSettings::replication_factor,
                           "Replicas of the topics that are made.",
                           {1, 32'767}},
    Setting<KafkaSettings>{"min_insync_replicas",
                           Kind::kCount,
                           &KafkaSettings::min_insync_replicas,
                           "Replicas that must have an event before it is answered.",
                           {1, 32'767}},
    Setting<KafkaSettings>{
        "client_id",
        Kind::kText,
        &KafkaSettings::client_id,
        "How this process calls itself in the brokers' logs, metrics and quotas.",
        {},
        kAnyText},
    Setting<KafkaSettings>{"rack",
                           Kind::kText,
                           &KafkaSettings::rack,
                           "Zone of this process: reads come from a replica there.",
                           {},
                           kAnyText},
    Setting<KafkaSettings>{"properties", Kind::kProperties, &KafkaSettings::properties,
                           "Further settings of librdkafka by its own keys, as [kafka.properties]: "
                           "security.protocol, sasl.*, ssl.*. A secret must be \"${env:NAME}\" or "
                           "\"${file:PATH}\"."},
};

inline constexpr std::array kSpillSettings{
    Setting<SpillSettings>{
        "enabled", Kind::kSwitch, &SpillSettings::enabled,
        "While Kafka is slow or away, keep events in the data directory and ship "
        "them later."},
    Setting<SpillSettings>{"size_max",
                           Kind::kSize,
                           &SpillSettings::size_max,
                           "Bytes that may wait there; beyond it requests are answered with 429.",
                           {kMiB, 1024 * kGiB}},
    Setting<SpillSettings>{"age_max", Kind::kDuration, &SpillSettings::age_max,
                           "When the oldest event there is older, further ones are answered with "
                           "429.",
                           kSomeSpan},
};

inline constexpr std::array kCircuitBreakerSettings{
    Setting<CircuitBreakerSettings>{"failure_rate_threshold",
                                    Kind::kCount,
                                    &CircuitBreakerSettings::failure_rate_threshold,
                                    "Percent of failed calls at which the breaker opens.",
                                    {1, 100}},
    Setting<CircuitBreakerSettings>{"slow_call_rate_threshold",
                                    Kind::kCount,
                                    &CircuitBreakerSettings::slow_call_rate_threshold,
                                    "Percent of slow calls at which the breaker opens.",
                                    {1, 100}},
    Setting<CircuitBreakerSettings>{"slow_call_duration_threshold", Kind::kDuration,
                                    &CircuitBreakerSettings::slow_call_duration_threshold,
                                    "A call that takes longer is slow.", kSomeSpan},
    Setting<CircuitBreakerSettings>{
        "timeout_duration", Kind::kDuration, &CircuitBreakerSettings::timeout_duration,
        "A call without an answer for so long counts as failed.", kSomeSpan},
    Setting<CircuitBreakerSettings>{"sliding_window_size",
                                    Kind::kCount,
                                    &CircuitBreakerSettings::sliding_window_size,
                                    "Calls whose outcome is remembered, the newest.",
                                    {1, 1'000'000}},
    Setting<CircuitBreakerSettings>{"minimum_number_of_calls",
                                    Kind::kCount,
                                    &CircuitBreakerSettings::minimum_number_of_calls,
                                    "With fewer than this the breaker stays closed.",
                                    {1, 1'000'000}},
    Setting<CircuitBreakerSettings>{"wait_duration_in_open_state", Kind::kDuration,
                                    &CircuitBreakerSettings::wait_duration_in_open_state,
                                    "After so long an open breaker lets some calls through.",
                                    kSomeSpan},
    Setting<CircuitBreakerSettings>{
        "permitted_number_of_calls_in_half_open_state",
        Kind::kCount,
        &CircuitBreakerSettings::permitted_number_of_calls_in_half_open_state,
        "How many, before it closes or opens again.",
        {1, 1'000}},
};

inline constexpr std::array kHttpSettings{
    Setting<HttpSettings>{"listen",
                          Kind::kText,
                          &HttpSettings::listen,
                          "Address and port; \"0.0.0.0:8080\" for all interfaces, port 0 for any "
                          "free one.",
                          {},
                          kListen},
    Setting<HttpSettings>{"threads",
                          Kind::kCount,
                          &HttpSettings::threads,
                          "Event loops that take requests; 0: one per core.",
                          {0, 256}},
    Setting<HttpSettings>{"body_size_max",
                          Kind::kSize,
                          &HttpSettings::body_size_max,
                          "Largest request body, as sent and after decompression; larger ones are "
                          "answered with 413.",
                          {kKiB, kGiB}},
    Setting<HttpSettings>{"head_size_max",
                          Kind::kSize,
                          &HttpSettings::head_size_max,
                          "Request line and headers together; more is answered with 431.",
                          {kKiB, kMiB}},
    Setting<HttpSettings>{"header_count_max",
                          Kind::kCount,
                          &HttpSettings::header_count_max,
                          "Headers of one request; more are answered with 431.",
                          {8, 10'000}},
    Setting<HttpSettings>{"connections_max",
                          Kind::kCount,
                          &HttpSettings::connections_max,
                          "Open connections; more are closed at once.",
                          {1, 1'000'000}},
    Setting<HttpSettings>{"pipelined_max",
                          Kind::kCount,
                          &HttpSettings::pipelined_max,
                          "Unanswered requests of one connection.",
                          {1, 1'024}},
    Setting<HttpSettings>{"memory_max",
                          Kind::kSize,
                          &HttpSettings::memory_max,
                          "Bytes of all requests in flight together; beyond it requests are "
                          "answered with 429.",
                          {kMiB, 1024 * kGiB}},
    Setting<HttpSettings>{"head_timeout", Kind::kDuration, &HttpSettings::head_timeout,
                          "Time a client has for the head of a request.", kTimeout},
    Setting<HttpSettings>{"body_timeout", Kind::kDuration, &HttpSettings::body_timeout,
                          "Time a client has for each next 4 KiB of a body.", kTimeout},
    Setting<HttpSettings>{"idle_timeout", Kind::kDuration, &HttpSettings::idle_timeout,
                          "Time a connection may be silent between requests.", kTimeout},
    Setting<HttpSettings>{
        "write_timeout", Kind::kDuration, &HttpSettings::write_timeout,
        "In each such time a client must take 256 KiB of its answers, or all that is left.",
        kTimeout},
};

inline constexpr std::array kIngestSettings{
    Setting<IngestSettings>{"auto_create_topics", Kind::kSwitch,
                            &IngestSettings::auto_create_topics,
                            "Make a topic with default settings when events come for an unknown "
                            "one, instead of answering 404."},
    Setting<IngestSettings>{"auto_create_max",
                            Kind::kCount,
                            &IngestSettings::auto_create_max,
                            "At most this many topics are made so.",
                            {1, 100'000}},
    Setting<IngestSettings>{"event_size_max",
                            Kind::kSize,
                            &IngestSettings::event_size_max,
                            "A larger event becomes a dead letter (too_large).",
                            {64, 64 * kMiB}},
    Setting<IngestSettings>{"depth_max",
                            Kind::kCount,
                            &IngestSettings::depth_max,
                            "An event nested deeper becomes a dead letter (too_deep).",
                            {1, 1'024}},
    Setting<IngestSettings>{"timestamp_after_max", Kind::kDuration,
                            &IngestSettings::timestamp_after_max,
                            "An event time further ahead of the clock is replaced by the time of "
                            "arrival, and counted; \"unlimited\": every time is believed.",
                            kSomeSpan},
    Setting<IngestSettings>{"batch_size_max",
                            Kind::kSize,
                            &IngestSettings::batch_size_max,
                            "Requests are collected into one append up to this size ...",
                            {4 * kKiB, 16 * kMiB}},
    Setting<IngestSettings>{"batch_time_max",
                            Kind::kDuration,
                            &IngestSettings::batch_time_max,
                            "... or for this long, whichever comes first. 0ms: do not wait.",
                            {0, 1'000}},
    Setting<IngestSettings>{"memory_max",
                            Kind::kSize,
                            &IngestSettings::memory_max,
                            "Bytes of events that wait to become durable; beyond it requests are "
                            "answered with 429.",
                            {kMiB, 64 * kGiB}},
    Setting<IngestSettings>{"dedup_time", Kind::kDuration, &IngestSettings::dedup_time,
                            "An event id seen within this time is a duplicate. A topic may have "
                            "its own.",
                            kDedupSpan},
    Setting<IngestSettings>{"dedup_count",
                            Kind::kCount,
                            &IngestSettings::dedup_count,
                            "At most this many ids are remembered per topic, the newest. A topic "
                            "may have its own.",
                            {1, 100'000'000}},
    Setting<IngestSettings>{"idempotency_time", Kind::kDuration, &IngestSettings::idempotency_time,
                            "A request whose Idempotency-Key was seen within this time is answered "
                            "as before.",
                            kDedupSpan},
    Setting<IngestSettings>{"idempotency_count",
                            Kind::kCount,
                            &IngestSettings::idempotency_count,
                            "At most this many Idempotency-Keys are remembered, the newest.",
                            {1, 100'000'000}},
    Setting<IngestSettings>{"dead_letter_retention", Kind::kDuration,
                            &IngestSettings::dead_letter_retention,
                            "How long dead letters are kept; \"unlimited\" keeps them.", kSomeSpan},
    Setting<IngestSettings>{"dead_letter_replays_max",
                            Kind::kCount,
                            &IngestSettings::dead_letter_replays_max,
                            "A dead letter that was replayed so often without success is in "
                            "quarantine: it is replayed again only on purpose.",
                            {1, 1'000'000}},
};

inline constexpr std::array kEngineSettings{
    Setting<EngineSettings>{
        "threads",
        Kind::kCount,
        &EngineSettings::threads,
        "Stream threads of each job, at most one per partition; 0: two per core, since each waits "
        "for the disk at times.",
        {0, 256}},
    Setting<EngineSettings>{"commit_interval",
                            Kind::kDuration,
                            &EngineSettings::commit_interval,
                            "Results become visible and durable at least this often.",
                            {1, 10'000}},
    Setting<EngineSettings>{"processing_guarantee",
                            Kind::kText,
                            &EngineSettings::processing_guarantee,
                            "\"exactly_once\", or \"at_least_once\": after a crash some events may "
                            "count again.",
                            {},
                            kGuarantee},
    Setting<EngineSettings>{"state_memory_max",
                            Kind::kSize,
                            &EngineSettings::state_memory_max,
                            "Memory of all stores together; beyond it the oldest closed windows "
                            "are forgotten and counted.",
                            {kMiB, 1024 * kGiB}},
};

inline constexpr std::array kArchiveSettings{
    Setting<ArchiveSettings>{"enabled", Kind::kSwitch, &ArchiveSettings::enabled,
                             "Write topics to Parquet files. A topic can be left out by archive = "
                             "false."},
    Setting<ArchiveSettings>{"directory",
                             Kind::kText,
                             &ArchiveSettings::directory,
                             "Where; empty: `archive` in the data directory.",
                             {},
                             TextRule{[](std::string_view) { return true; }, "a path"}},
    Setting<ArchiveSettings>{"file_rows_max",
                             Kind::kCount,
                             &ArchiveSettings::file_rows_max,
                             "A file is finished at this many rows ...",
                             {1, 100'000'000}},
    Setting<ArchiveSettings>{"file_size_max",
                             Kind::kSize,
                             &ArchiveSettings::file_size_max,
                             "... or at about this size before compression ...",
                             {64 * kKiB, 16 * kGiB}},
    Setting<ArchiveSettings>{"roll_interval",
                             Kind::kDuration,
                             &ArchiveSettings::roll_interval,
                             "... or when its first row is this old, whichever comes first.",
                             {100, kDay}},
    Setting<ArchiveSettings>{"memory_max",
                             Kind::kSize,
                             &ArchiveSettings::memory_max,
                             "Memory of all files being written.",
                             {16 * kMiB, 1024 * kGiB}},
    Setting<ArchiveSettings>{"bucket",
                             Kind::kText,
                             &ArchiveSettings::bucket,
                             "Of an S3 server: files go there instead of into the directory.",
                             {},
                             kBucket},
    Setting<ArchiveSettings>{"also_local", Kind::kSwitch, &ArchiveSettings::also_local,
                             "With a bucket: write to the directory as well."},
    Setting<ArchiveSettings>{"endpoint",
                             Kind::kText,
                             &ArchiveSettings::endpoint,
                             "The S3 server, as \"https://host:port\"; without it, AWS's of the "
                             "region.",
                             {},
                             kHttpUrl},
    Setting<ArchiveSettings>{"region",
                             Kind::kText,
                             &ArchiveSettings::region,
                             "Of the bucket; without it AWS_REGION, AWS_DEFAULT_REGION, or "
                             "\"us-east-1\".",
                             {},
                             kAnyText},
    Setting<ArchiveSettings>{"prefix",
                             Kind::kText,
                             &ArchiveSettings::prefix,
                             "In front of every key of the bucket, such as \"penstock/\". Two logs "
                             "must not share one.",
                             {},
                             kKeyPrefix},
    Setting<ArchiveSettings>{
        "addressing",
        Kind::kText,
        &ArchiveSettings::addressing,
        "Where the bucket's name goes: \"path\", \"host\", or \"auto\": in the "
        "path if there is an endpoint.",
        {},
        kAddressing},
    Setting<ArchiveSettings>{"access_key_id",
                             Kind::kText,
                             &ArchiveSettings::access_key_id,
                             "A text, \"${env:NAME}\" or \"${file:PATH}\". Without it: the "
                             "variables of AWS, ~/.aws/credentials, the role of the container or "
                             "of the machine.",
                             {},
                             kAnyText},
    Setting<ArchiveSettings>{"secret_access_key",
                             Kind::kText,
                             &ArchiveSettings::secret_access_key,
                             "\"${env:NAME}\" or \"${file:PATH}\".",
                             {},
                             kAnyText},
    Setting<ArchiveSettings>{"session_token",
                             Kind::kText,
                             &ArchiveSettings::session_token,
                             "\"${env:NAME}\" or \"${file:PATH}\", if the key has one.",
                             {},
                             kAnyText},
    Setting<ArchiveSettings>{"ca_file",
                             Kind::kText,
                             &ArchiveSettings::ca_file,
                             "Certificates (PEM) that the server's is checked by; without it, the "
                             "system's.",
                             {},
                             kPath},
    Setting<ArchiveSettings>{"part_size",
                             Kind::kSize,
                             &ArchiveSettings::part_size,
                             "A larger file is sent in parts of this size; also the memory that "
                             "sending takes.",
                             {5 * kMiB, 512 * kMiB}},
    Setting<ArchiveSettings>{"connect_timeout", Kind::kDuration, &ArchiveSettings::connect_timeout,
                             "Time for a connection to the S3 server to be made.", kTimeout},
    Setting<ArchiveSettings>{"request_timeout", Kind::kDuration, &ArchiveSettings::request_timeout,
                             "Time for each of its answers.", kTimeout},
};

inline constexpr std::array kLoggingSettings{
    Setting<LoggingSettings>{"level",
                             Kind::kText,
                             &LoggingSettings::level,
                             "Least important lines that are written: \"debug\", \"info\", "
                             "\"warn\" or \"error\".",
                             {},
                             kLevel},
    Setting<LoggingSettings>{"format",
                             Kind::kText,
                             &LoggingSettings::format,
                             "\"text\" or \"json\", one line each, to stderr.",
                             {},
                             kFormat},
};

inline constexpr std::array kTopicSettings{
    Setting<TopicSettings>{"name",
                           Kind::kText,
                           &TopicSettings::name,
                           "Name of the topic.",
                           {},
                           kName,
                           Need::kRequired},
    Setting<TopicSettings>{"partitions",
                           Kind::kCount,
                           &TopicSettings::partitions,
                           "Parallel, each in order; cannot be changed later.",
                           {1, 1'000}},
    Setting<TopicSettings>{"key",
                           Kind::kText,
                           &TopicSettings::key,
                           "JSON Pointer to the key: events of one key stay in order. Without it "
                           "they are spread evenly.",
                           {},
                           kPointer},
    Setting<TopicSettings>{"key_required", Kind::kSwitch, &TopicSettings::key_required,
                           "An event without the key becomes a dead letter (missing_key); with "
                           "false it is taken without a key."},
    Setting<TopicSettings>{"timestamp",
                           Kind::kText,
                           &TopicSettings::timestamp,
                           "JSON Pointer to the event time: RFC 3339 text (no zone: UTC) or epoch "
                           "milliseconds. Absent, unreadable or too far ahead "
                           "(`ingest.timestamp_after_max`): time of arrival, counted.",
                           {},
                           kPointer},
    Setting<TopicSettings>{"id",
                           Kind::kText,
                           &TopicSettings::id,
                           "JSON Pointer to an id: an event whose id was seen before is a "
                           "duplicate.",
                           {},
                           kPointer},
    Setting<TopicSettings>{"dedup_time", Kind::kDuration, &TopicSettings::dedup_time,
                           "As in [ingest], for this topic.", kDedupSpan},
    Setting<TopicSettings>{"dedup_count",
                           Kind::kCount,
                           &TopicSettings::dedup_count,
                           "As in [ingest], for this topic.",
                           {1, 100'000'000}},
    Setting<TopicSettings>{"archive", Kind::kSwitch, &TopicSettings::archive,
                           "Write this topic to the archive, with its dead letters and the outputs "
                           "of its jobs."},
    Setting<TopicSettings>{"retention_time", Kind::kDuration, &TopicSettings::retention_time,
                           "As in [log], for this topic.", kSomeSpan},
    Setting<TopicSettings>{"retention_size",
                           Kind::kSize,
                           &TopicSettings::retention_size,
                           "As in [log], for this topic.",
                           {kMiB, std::numeric_limits<std::int64_t>::max()}},
};

inline constexpr std::array kAggregateSettings{
    Setting<AggregateSettings>{"name",
                               Kind::kText,
                               &AggregateSettings::name,
                               "Name of the store and of the output topic.",
                               {},
                               kName,
                               Need::kRequired},
    Setting<AggregateSettings>{"topic",
                               Kind::kText,
                               &AggregateSettings::topic,
                               "What is aggregated.",
                               {},
                               kAnyText,
                               Need::kRequired},
    Setting<AggregateSettings>{"group_by", Kind::kPointers, &AggregateSettings::group_by,
                               "JSON Pointers to the parts of the group's key; without it the "
                               "topic's key."},
    Setting<AggregateSettings>{"window",
                               Kind::kDuration,
                               &AggregateSettings::window,
                               "Length of the tumbling windows of event time.",
                               kSomeSpan,
                               {},
                               Need::kRequired},
    Setting<AggregateSettings>{"grace", Kind::kDuration, &AggregateSettings::grace,
                               "How long after its end a window still takes events; later ones "
                               "are late: counted, not aggregated.",
                               kAnySpan},
    Setting<AggregateSettings>{"retention", Kind::kDuration, &AggregateSettings::retention,
                               "How long closed windows can be queried; \"unlimited\": as long as "
                               "memory allows.",
                               kSomeSpan},
    Setting<AggregateSettings>{"count", Kind::kSwitch, &AggregateSettings::count,
                               "Count the events."},
    Setting<AggregateSettings>{"sum", Kind::kPointers, &AggregateSettings::sum,
                               "JSON Pointers to numbers to add up."},
    Setting<AggregateSettings>{"min", Kind::kPointers, &AggregateSettings::min,
                               "JSON Pointers to numbers to take the smallest of."},
    Setting<AggregateSettings>{"max", Kind::kPointers, &AggregateSettings::max,
                               "JSON Pointers to numbers to take the largest of."},
    Setting<AggregateSettings>{"avg", Kind::kPointers, &AggregateSettings::avg,
                               "JSON Pointers to numbers to average."},
    Setting<AggregateSettings>{"emit_interval",
                               Kind::kDuration,
                               &AggregateSettings::emit_interval,
                               "A changed window goes to the output topic at most this often, and "
                               "when it closes.",
                               {0, kDay}},
};

inline constexpr std::array kTableSettings{
    Setting<TableSettings>{"name",
                           Kind::kText,
                           &TableSettings::name,
                           "Name of the store.",
                           {},
                           kName,
                           Need::kRequired},
    Setting<TableSettings>{"topic",
                           Kind::kText,
                           &TableSettings::topic,
                           "Whose latest events are kept.",
                           {},
                           kAnyText,
                           Need::kRequired},
    Setting<TableSettings>{"group_by", Kind::kPointers, &TableSettings::group_by,
                           "JSON Pointers to the parts of the key; without it the topic's key."},
};

// Two lists of settings of one section, one behind the other.
template <typename S, std::size_t A, std::size_t B>
[[nodiscard]] constexpr std::array<Setting<S>, A + B> joined(const std::array<Setting<S>, A>& a,
                                                             const std::array<Setting<S>, B>& b) {
  return [&]<std::size_t... I, std::size_t... J>(std::index_sequence<I...>,
                                                 std::index_sequence<J...>) {
    return std::array<Setting<S>, A + B>{a[I]..., b[J]...};
  }
  (std::make_index_sequence<A>(), std::make_index_sequence<B>());
}

// What all sinks into tables have.
template <typename S>
inline constexpr std::array kSinkSource{
    Setting<S>{"name",
               Kind::kText,
               &S::name,
               "Name of the sink: its offsets are stored under it. Another name "
               "begins from the start of the topic.",
               {},
               kName,
               Need::kRequired},
    Setting<S>{
        "topic", Kind::kText, &S::topic, "What is delivered.", {}, kAnyText, Need::kRequired},
};

template <typename S>
inline constexpr std::array kSinkTable{
    Setting<S>{"table",
               Kind::kText,
               &S::table,
               "Where the events go; made if it is not there.",
               {},
               kTable,
               Need::kRequired},
    Setting<S>{"mode",
               Kind::kText,
               &S::mode,
               "\"append\": a row for each event. \"upsert\": a row for each key, "
               "with the values of its last event.",
               {},
               kMode},
    Setting<S>{"columns",
               Kind::kTexts,
               &S::columns,
               "What of the events goes where: \"pointer:column:type\", or with "
               "\":not null\" at the end. Types: text, bigint, double precision, "
               "boolean, timestamptz, jsonb, numeric. An empty pointer is the whole "
               "event.",
               {},
               kColumns,
               Need::kRequired},
    Setting<S>{"key",
               Kind::kTexts,
               &S::key,
               "Columns that tell rows apart, for \"upsert\"; the table has a unique "
               "index of them.",
               {},
               kColumnNames},
    Setting<S>{"metadata_table",
               Kind::kText,
               &S::metadata_table,
               "Table for topic, partition, offset, key, time and source of each "
               "event delivered; made if it is not there.",
               {},
               kTable},
    Setting<S>{"batch_rows_max",
               Kind::kCount,
               &S::batch_rows_max,
               "A transaction is begun at this many events ...",
               {1, 1'000'000}},
    Setting<S>{"batch_size_max",
               Kind::kSize,
               &S::batch_size_max,
               "... or at about this size ...",
               {4 * kKiB, kGiB}},
    Setting<S>{"batch_time_max",
               Kind::kDuration,
               &S::batch_time_max,
               "... or when the first of them has waited so long, whichever comes "
               "first.",
               {0, 3'600'000}},
    Setting<S>{"retry_wait_min", Kind::kDuration, &S::retry_wait_min,
               "After a failure the next attempt waits about so long; doubled with "
               "each ...",
               kSomeSpan},
    Setting<S>{"retry_wait_max", Kind::kDuration, &S::retry_wait_max,
               "... up to this. See [circuit_breaker] as well.", kSomeSpan},
};

inline constexpr std::array kPostgresServer{
    Setting<PostgresSettings>{"connection",
                              Kind::kText,
                              &PostgresSettings::connection,
                              "Where the server is, in the words of libpq: host, port, dbname, "
                              "user, sslmode, sslrootcert, target_session_attrs.",
                              {},
                              kAnyText,
                              Need::kRequired},
    Setting<PostgresSettings>{"replica",
                              Kind::kText,
                              &PostgresSettings::replica,
                              "Where a read replica is, in the same words; for queries alone.",
                              {},
                              kAnyText},
    Setting<PostgresSettings>{
        "read_from",
        Kind::kText,
        &PostgresSettings::read_from,
        "\"primary\" or \"replica\": GET /v1/tables/<name> answers with rows "
        "of the table, read from there unless the request says otherwise. Not "
        "set: nobody may ask.",
        {},
        kReadFrom},
    Setting<PostgresSettings>{"password",
                              Kind::kText,
                              &PostgresSettings::password,
                              "\"${env:NAME}\" or \"${file:PATH}\"; without it libpq looks into "
                              "its password file.",
                              {},
                              kAnyText},
};

inline constexpr std::array kPostgresTimeouts{
    Setting<PostgresSettings>{"connect_timeout", Kind::kDuration,
                              &PostgresSettings::connect_timeout,
                              "Time for a connection to be made.", kTimeout},
    Setting<PostgresSettings>{"request_timeout", Kind::kDuration,
                              &PostgresSettings::request_timeout,
                              "Time for each statement; also how long a process that has been "
                              "stopped may hold locks.",
                              kTimeout},
};

inline constexpr auto kPostgresSettings = joined(
    joined(joined(kSinkSource<PostgresSettings>, kPostgresServer), kSinkTable<PostgresSettings>),
    kPostgresTimeouts);

inline constexpr std::array kSqliteFile{
    Setting<SqliteSettings>{
        "file",
        Kind::kText,
        &SqliteSettings::file,
        "Database file, on a disk of this machine; made if it is not there. Not "
        "set: <name>.sqlite in the data directory.",
        {},
        kPath},
};

inline constexpr std::array kSqliteDurability{
    Setting<SqliteSettings>{
        "synchronous",
        Kind::kText,
        &SqliteSettings::synchronous,
        "\"full\": each transaction is on the disk before the next. \"normal\": "
        "faster; a power failure may take the newest, which are delivered again "
        "if the log still has them.",
        {},
        kSynchronous},
    Setting<SqliteSettings>{"lock_timeout", Kind::kDuration, &SqliteSettings::lock_timeout,
                            "How long to wait while another process writes to the file, before it "
                            "counts as a failure.",
                            kTimeout},
};

inline constexpr auto kSqliteSettings =
    joined(joined(joined(kSinkSource<SqliteSettings>, kSqliteFile), kSinkTable<SqliteSettings>),
           kSqliteDurability);

inline constexpr std::array kRedisSettings{
    Setting<RedisSettings>{"name",
                           Kind::kText,
                           &RedisSettings::name,
                           "Name of the sink: in metrics, logs, dead letters and the keys of its "
                           "positions. Another name begins from the start.",
                           {},
                           kName,
                           Need::kRequired},
    Setting<RedisSettings>{"topic",
                           Kind::kText,
                           &RedisSettings::topic,
                           "Topic whose events go into Redis; may be the output topic of an "
                           "[[aggregate]].",
                           {},
                           kName,
                           Need::kRequired},
    Setting<RedisSettings>{"servers",
                           Kind::kTexts,
                           &RedisSettings::servers,
                           "Addresses: the server, the Sentinels, or some nodes of the Cluster.",
                           {},
                           kServers,
                           Need::kRequired},
    Setting<RedisSettings>{"deployment",
                           Kind::kText,
                           &RedisSettings::deployment,
                           "What is at these addresses: \"single\", \"sentinel\" or \"cluster\".",
                           {},
                           kDeployment},
    Setting<RedisSettings>{"master",
                           Kind::kText,
                           &RedisSettings::master,
                           "Name of the master that the Sentinels watch.",
                           {},
                           kAnyText},
    Setting<RedisSettings>{"user",
                           Kind::kText,
                           &RedisSettings::user,
                           "User of the servers' access control list; not set: \"default\".",
                           {},
                           kAnyText},
    Setting<RedisSettings>{"password",
                           Kind::kText,
                           &RedisSettings::password,
                           "\"${env:NAME}\" or \"${file:PATH}\".",
                           {},
                           kAnyText},
    Setting<RedisSettings>{"sentinel_user",
                           Kind::kText,
                           &RedisSettings::sentinel_user,
                           "The same for the Sentinels.",
                           {},
                           kAnyText},
    Setting<RedisSettings>{"sentinel_password",
                           Kind::kText,
                           &RedisSettings::sentinel_password,
                           "\"${env:NAME}\" or \"${file:PATH}\".",
                           {},
                           kAnyText},
    Setting<RedisSettings>{"database",
                           Kind::kCount,
                           &RedisSettings::database,
                           "Number of the database; a Cluster has only 0.",
                           {0, 65'535}},
    Setting<RedisSettings>{"protocol",
                           Kind::kCount,
                           &RedisSettings::protocol,
                           "Version of the protocol: 3, or 2 for what stands between and knows no "
                           "other.",
                           {2, 3}},
    Setting<RedisSettings>{
        "tls", Kind::kSwitch, &RedisSettings::tls,
        "Speak TLS. The server's certificate must be trusted and made out to the "
        "host as it is written in `servers`."},
    Setting<RedisSettings>{"tls_ca_file",
                           Kind::kText,
                           &RedisSettings::tls_ca_file,
                           "Certificates that are trusted, PEM; not set: the system's.",
                           {},
                           kPath},
    Setting<RedisSettings>{"tls_certificate_file",
                           Kind::kText,
                           &RedisSettings::tls_certificate_file,
                           "Own certificate, PEM, if the server asks for one ...",
                           {},
                           kPath},
    Setting<RedisSettings>{
        "tls_key_file", Kind::kText, &RedisSettings::tls_key_file, "... and its key.", {}, kPath},
    Setting<RedisSettings>{"mode",
                           Kind::kText,
                           &RedisSettings::mode,
                           "What becomes of the events of a key: \"latest\", \"counter\", "
                           "\"sorted_set\" or \"session\".",
                           {},
                           kRedisMode},
    Setting<RedisSettings>{
        "key",
        Kind::kText,
        &RedisSettings::key,
        "The key, such as \"user:%{/user/id}\". In a Cluster it begins with a hash "
        "tag, such as \"{app:%{partition}}:%{/user/id}\".",
        {},
        kKeyTemplate,
        Need::kRequired},
    Setting<RedisSettings>{"fields",
                           Kind::kTexts,
                           &RedisSettings::fields,
                           "Of latest and session: fields of the hash, as \"pointer:name\". Latest "
                           "without fields keeps the whole event as a string.",
                           {},
                           kHashFields},
    Setting<RedisSettings>{"field",
                           Kind::kText,
                           &RedisSettings::field,
                           "Of counter: the field that is counted in, such as \"%{/kind}\", if the "
                           "key is a hash.",
                           {},
                           kKeyTemplate},
    Setting<RedisSettings>{"increment",
                           Kind::kText,
                           &RedisSettings::increment,
                           "Of counter: where the event has the number to add; not set: 1.",
                           {},
                           kPointer},
    Setting<RedisSettings>{"member",
                           Kind::kText,
                           &RedisSettings::member,
                           "Of sorted_set: the member, such as \"%{/user/id}\".",
                           {},
                           kKeyTemplate},
    Setting<RedisSettings>{"score",
                           Kind::kText,
                           &RedisSettings::score,
                           "Of sorted_set: where the event has the score.",
                           {},
                           kPointer},
    Setting<RedisSettings>{"score_update",
                           Kind::kText,
                           &RedisSettings::score_update,
                           "Of sorted_set: \"set\" the member's score, \"add\" to it, or keep the "
                           "\"max\" or \"min\".",
                           {},
                           kScoreUpdate},
    Setting<RedisSettings>{"ttl", Kind::kDuration, &RedisSettings::ttl,
                           "Keys go when the time of their newest event is so long ago; a session "
                           "must have one.",
                           kSomeSpan},
    Setting<RedisSettings>{
        "batch_rows_max",
        Kind::kCount,
        &RedisSettings::batch_rows_max,
        "A script is run for this many events, while the server does nothing else "
        "...",
        {1, 100'000}},
    Setting<RedisSettings>{"batch_size_max",
                           Kind::kSize,
                           &RedisSettings::batch_size_max,
                           "... or at about this size ...",
                           {4 * kKiB, 256 * kMiB}},
    Setting<RedisSettings>{"batch_time_max",
                           Kind::kDuration,
                           &RedisSettings::batch_time_max,
                           "... or when the first of them has waited so long, whichever comes "
                           "first.",
                           {0, 3'600'000}},
    Setting<RedisSettings>{"retry_wait_min", Kind::kDuration, &RedisSettings::retry_wait_min,
                           "After a failure the next attempt waits about so long; doubled with "
                           "each ...",
                           kSomeSpan},
    Setting<RedisSettings>{"retry_wait_max", Kind::kDuration, &RedisSettings::retry_wait_max,
                           "... up to this. See [circuit_breaker] as well.", kSomeSpan},
    Setting<RedisSettings>{"connect_timeout", Kind::kDuration, &RedisSettings::connect_timeout,
                           "Time for a connection to be made.", kTimeout},
    Setting<RedisSettings>{"request_timeout", Kind::kDuration, &RedisSettings::request_timeout,
                           "Time for each answer.", kTimeout},
};

// A section of the file: its name, where it is stored (one value, or a list), its settings.
template <typename S, typename Stored, std::size_t N>
struct SectionTable {
  std::string_view name;
  Stored PipelineConfig::*member;
  const std::array<Setting<S>, N>& settings;
};

template <typename S, std::size_t N>
constexpr SectionTable<S, S, N> single(std::string_view name, S PipelineConfig::*member,
                                       const std::array<Setting<S>, N>& settings) {
  return {name, member, settings};
}

template <typename S, std::size_t N>
constexpr SectionTable<S, std::vector<S>, N> repeated(std::string_view name,
                                                      std::vector<S> PipelineConfig::*member,
                                                      const std::array<Setting<S>, N>& settings) {
  return {name, member, settings};
}

inline constexpr std::tuple kSingleSections{
    single("log", &PipelineConfig::log, kLogSettings),
    single("kafka", &PipelineConfig::kafka, kKafkaSettings),
    single("spill", &PipelineConfig::spill, kSpillSettings),
    single("circuit_breaker", &PipelineConfig::circuit_breaker, kCircuitBreakerSettings),
    single("http", &PipelineConfig::http, kHttpSettings),
    single("ingest", &PipelineConfig::ingest, kIngestSettings),
    single("engine", &PipelineConfig::engine, kEngineSettings),
    single("archive", &PipelineConfig::archive, kArchiveSettings),
    single("logging", &PipelineConfig::logging, kLoggingSettings),
};

inline constexpr std::tuple kRepeatedSections{
    repeated("topic", &PipelineConfig::topics, kTopicSettings),
    repeated("aggregate", &PipelineConfig::aggregates, kAggregateSettings),
    repeated("table", &PipelineConfig::tables, kTableSettings),
    repeated("postgres", &PipelineConfig::postgres, kPostgresSettings),
    repeated("sqlite", &PipelineConfig::sqlite, kSqliteSettings),
    repeated("redis", &PipelineConfig::redis, kRedisSettings),
};

// Calls `visit` with each table of a tuple.
template <typename Tables, typename Visit>
constexpr void for_each_section(const Tables& tables, Visit&& visit) {
  std::apply([&](const auto&... table) { (visit(table), ...); }, tables);
}

}  // namespace penstock::config
