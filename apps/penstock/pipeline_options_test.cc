// Every setting reaches the Options of its room: each is set to a value that no default has.
#include "penstock/pipeline_options.h"

#include <chrono>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "core/bytes.h"
#include "core/units.h"
#include "os/file_system.h"
#include "testing/sim_file_system.h"
#include "testing/sim_log.h"

namespace penstock::app {
namespace {

using namespace std::chrono_literals;

config::PipelineConfig parsed(std::string_view toml) {
  auto config = config::parse_config(toml, "test.toml");
  PENSTOCK_CHECK(config.has_value());
  return *std::move(config);
}

gateway::GatewayOptions gateway_of(std::string_view toml) {
  auto options = gateway_options(parsed(toml));
  PENSTOCK_CHECK(options.has_value());
  return *std::move(options);
}

TEST(PipelineOptions, CarryTheSettingsOfTheLog) {
  const wal::Options options = wal_options(parsed(R"(
[log]
data_dir = "/d"
segment_size = "512MiB"
tail_size = "3MiB"
queue_size_max = "77MiB"
)"));

  EXPECT_EQ(options.directory, "/d/log");
  EXPECT_EQ(options.segment_bytes, 512 * kMiB);
  EXPECT_EQ(options.tail_cache_bytes, 3 * kMiB);
  EXPECT_EQ(options.queue_bytes_max, 77 * kMiB);
}

TEST(PipelineOptions, GatewayAndEngineCompressAlike) {
  for (const auto& [toml, wanted] :
       {std::pair{"", Compression::kLz4},
        std::pair{"[log]\ncompression = \"lz4\"", Compression::kLz4},
        std::pair{"[log]\ncompression = \"none\"", Compression::kNone}}) {
    EXPECT_EQ(gateway_of(toml).compression, wanted) << toml;
    EXPECT_EQ(streams_options(parsed(toml)).thread.compression, wanted) << toml;
  }
}

// Sizes that config takes must be sizes that the log takes, and the gateway must know them.
TEST(PipelineOptions, AgreeOnTheLargestAppend) {
  struct Sizes {
    std::string_view toml;
    std::size_t append_bytes_max;
  };

  for (const Sizes& sizes : {
           Sizes{"", 32 * kMiB},
           Sizes{"[log]\nsegment_size = \"1MiB\"\n[http]\nbody_size_max = \"64KiB\"\n[ingest]\n"
                 "event_size_max = \"64KiB\"",
                 256 * kKiB},
           Sizes{"[log]\nqueue_size_max = \"2MiB\"\n[http]\nbody_size_max = \"1MiB\"", 2 * kMiB},
           Sizes{"[log]\nsegment_size = \"1GiB\"\nqueue_size_max = \"1GiB\"\n[http]\n"
                 "body_size_max = \"100MiB\"\n[ingest]\nmemory_max = \"1GiB\"",
                 200 * kMiB},
       }) {
    SCOPED_TRACE(sizes.toml);
    const wal::Options log = wal_options(parsed(sizes.toml));
    const gateway::GatewayOptions ingest = gateway_of(sizes.toml);

    EXPECT_EQ(log.append_bytes_max, sizes.append_bytes_max);
    EXPECT_EQ(ingest.log_append_bytes_max, sizes.append_bytes_max);
    EXPECT_TRUE(wal::check_options(log).has_value());
    EXPECT_LE(2 * ingest.append_bytes_max, ingest.log_append_bytes_max);
  }
}

TEST(PipelineOptions, CarryTheSettingsOfHttp) {
  const auto options = http_options(parsed(R"(
[http]
listen = "127.0.0.2:81"
threads = 3
body_size_max = "2MiB"
head_size_max = "3KiB"
header_count_max = 17
connections_max = 18
pipelined_max = 19
memory_max = "20MiB"
head_timeout = "21s"
body_timeout = "22s"
idle_timeout = "23s"
write_timeout = "24s"
)"));

  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->host, "127.0.0.2");
  EXPECT_EQ(options->port, 81);
  EXPECT_EQ(options->loop_count, 3U);
  EXPECT_EQ(options->limits.body_bytes_max, 2 * kMiB);
  EXPECT_EQ(options->limits.head_bytes_max, 3 * kKiB);
  EXPECT_EQ(options->limits.header_count_max, 17U);
  EXPECT_EQ(options->limits.connections_max, 18U);
  EXPECT_EQ(options->limits.pipelined_max, 19U);
  EXPECT_EQ(options->limits.memory_bytes_max, 20 * kMiB);
  EXPECT_EQ(options->limits.head_timeout, 21s);
  EXPECT_EQ(options->limits.body_timeout, 22s);
  EXPECT_EQ(options->limits.idle_timeout, 23s);
  EXPECT_EQ(options->limits.write_timeout, 24s);
}

TEST(PipelineOptions, CarryTheSettingsOfIngest) {
  const gateway::GatewayOptions options = gateway_of(R"(
[ingest]
auto_create_topics = true
auto_create_max = 11
event_size_max = "12KiB"
depth_max = 13
timestamp_after_max = "13m"
batch_size_max = "14KiB"
batch_time_max = "15ms"
memory_max = "56MiB"
dedup_time = "17s"
dedup_count = 18
idempotency_time = "19s"
idempotency_count = 20
dead_letter_retention = "21d"
)");

  ASSERT_TRUE(options.auto_create.has_value());
  EXPECT_EQ(options.auto_created_max, 11U);
  EXPECT_EQ(options.event_bytes_max, 12 * kKiB);
  EXPECT_EQ(options.depth_max, 13U);
  EXPECT_EQ(options.timestamp_after_max, 13min);
  EXPECT_EQ(options.append_bytes_max, 14 * kKiB);
  EXPECT_EQ(options.linger, 15ms);
  EXPECT_EQ(options.memory_bytes_max, 56 * kMiB);
  EXPECT_EQ(options.auto_create->dedup.time_max, 17s);
  EXPECT_EQ(options.auto_create->dedup.count_max, 18U);
  EXPECT_EQ(options.idempotency.time_max, 19s);
  EXPECT_EQ(options.idempotency.count_max, 20U);
  EXPECT_EQ(options.dead_letter_retention, 21 * 24h);
}

TEST(PipelineOptions, CreateNoTopicsUnlessTold) {
  EXPECT_FALSE(gateway_of("").auto_create.has_value());
}

TEST(PipelineOptions, CarryTheSettingsOfATopic) {
  const gateway::GatewayOptions options = gateway_of(R"(
[[topic]]
name = "t"
partitions = 7
key = "/k"
key_required = false
timestamp = "/ts"
id = "/id"
dedup_time = "8s"
dedup_count = 9
retention_time = "10d"
retention_size = "11MiB"
)");

  ASSERT_EQ(options.topics.size(), 1U);
  const gateway::TopicOptions& topic = options.topics.front();
  EXPECT_EQ(topic.log.name, "t");
  EXPECT_EQ(topic.log.partition_count, 7);
  EXPECT_EQ(topic.log.retention_time, 10 * 24h);
  EXPECT_EQ(topic.log.retention_bytes, 11 * kMiB);
  EXPECT_FALSE(topic.key_required);
  EXPECT_TRUE(topic.key.has_value());
  EXPECT_TRUE(topic.timestamp.has_value());
  EXPECT_TRUE(topic.id.has_value());
  EXPECT_EQ(topic.dedup.time_max, 8s);
  EXPECT_EQ(topic.dedup.count_max, 9U);
}

TEST(PipelineOptions, TakeRetentionOfTheLogForTopicsWithoutTheirOwn) {
  const gateway::GatewayOptions options = gateway_of(R"(
[log]
retention_time = "5d"
retention_size = "6MiB"
[[topic]]
name = "t"
)");

  EXPECT_EQ(options.topics.front().log.retention_time, 5 * 24h);
  EXPECT_EQ(options.topics.front().log.retention_bytes, 6 * kMiB);
}

TEST(PipelineOptions, CarryTheSettingsOfTheEngine) {
  const engine::Streams::Options options = streams_options(parsed(R"(
[engine]
threads = 3
commit_interval = "4ms"
state_memory_max = "5MiB"
)"));

  EXPECT_EQ(options.threads_per_job, 3);
  EXPECT_EQ(options.thread.commit_interval, 4ms);
  EXPECT_EQ(options.state_bytes_max, 5 * kMiB);
}

TEST(PipelineOptions, CarryTheSettingsOfTheArchive) {
  const testing::SimLog log;
  const auto config = parsed(R"(
[archive]
directory = "/a"
file_rows_max = 2
file_size_max = "3MiB"
roll_interval = "4s"
memory_max = "50MiB"
[[topic]]
name = "in"
[[topic]]
name = "out"
archive = false
)");

  const sinks::ArchiveSink::Options options = archive_options(config, log);

  EXPECT_EQ(options.file_rows_max, 2U);
  EXPECT_EQ(options.file_size_max, 3 * kMiB);
  EXPECT_EQ(options.roll_interval, 4s);
  EXPECT_EQ(options.memory_max, 50 * kMiB);
  EXPECT_TRUE(options.takes({.id = {}, .config = {.name = "in"}}));
  EXPECT_FALSE(options.takes({.id = {}, .config = {.name = "out"}}));
}

// Which topics of a log the archive takes.
class ArchivedTopics : public ::testing::Test {
 protected:
  ArchivedTopics() {
    config::TopicSettings web;
    web.name = "web";
    config::TopicSettings secret;
    secret.name = "secret";
    secret.archive = false;
    config_.topics = {web, secret};
    config::AggregateSettings hits;
    hits.name = "hits";
    hits.topic = "web";
    config::AggregateSettings rumours;
    rumours.name = "rumours";
    rumours.topic = "secret";
    config_.aggregates = {hits, rumours};
  }

  bool takes(const std::string& name) {
    const auto info = log_.ensure_topic({.name = name});
    EXPECT_TRUE(info);
    return archive_options(config_, log_).takes(*info);
  }

  config::PipelineConfig config_;
  testing::SimLog log_;
};

TEST_F(ArchivedTopics, AreTheConfiguredOnesWithTheirDeadLettersAndOutputs) {
  EXPECT_TRUE(takes("web"));
  EXPECT_TRUE(takes("web.dlq"));
  EXPECT_TRUE(takes("hits"));
}

TEST_F(ArchivedTopics, AreNeitherThoseThatAreLeftOutNorWhatIsMadeOfThem) {
  EXPECT_FALSE(takes("secret"));
  EXPECT_FALSE(takes("secret.dlq"));
  EXPECT_FALSE(takes("rumours"));
}

TEST_F(ArchivedTopics, AreNotTheEnginesOwn) {
  config_.ingest.auto_create_topics = true;

  EXPECT_FALSE(takes("hits-changelog"));
  EXPECT_FALSE(takes("hits-repartition"));
  EXPECT_FALSE(takes("__idempotency_keys"));
  EXPECT_FALSE(takes("output-of-a-job-that-is-gone"));
}

TEST_F(ArchivedTopics, AreThoseThatCameIntoBeingByThemselvesWhereTheyMay) {
  EXPECT_FALSE(takes("new.dlq"));
  EXPECT_FALSE(takes("new"));

  config_.ingest.auto_create_topics = true;

  EXPECT_TRUE(takes("new.dlq"));
  EXPECT_TRUE(takes("new"));
}

constexpr std::string_view kPostgres = R"(
[circuit_breaker]
failure_rate_threshold = 41
slow_call_rate_threshold = 42
slow_call_duration_threshold = "43s"
sliding_window_size = 44
minimum_number_of_calls = 45
wait_duration_in_open_state = "46s"
permitted_number_of_calls_in_half_open_state = 47
[ingest]
dead_letter_retention = "48h"
[[topic]]
name = "web"
[[postgres]]
name = "db"
topic = "web"
connection = "host=x"
password = "${file:/secret}"
table = "app.t"
mode = "upsert"
columns = ["/a:a:bigint:not null", "/b:b:jsonb"]
key = ["a"]
metadata_table = "m"
batch_rows_max = 11
batch_size_max = "12KiB"
batch_time_max = "13ms"
retry_wait_min = "14ms"
retry_wait_max = "15ms"
connect_timeout = "160ms"
request_timeout = "170ms"
)";

TEST(PipelineOptions, CarryTheSettingsOfASink) {
  const config::PipelineConfig config = parsed(kPostgres);

  const sinks::SinkRunner::Options options = sink_options(config, config.postgres[0]);

  EXPECT_EQ(options.name, "db");
  EXPECT_EQ(options.topic, "web");
  EXPECT_EQ(options.batch_rows_max, 11U);
  EXPECT_EQ(options.batch_size_max, 12 * kKiB);
  EXPECT_EQ(options.batch_time_max, 13ms);
  EXPECT_EQ(options.backoff.wait_min, 14ms);
  EXPECT_EQ(options.backoff.wait_max, 15ms);
  EXPECT_EQ(options.dead_letter_retention, 48h);
  EXPECT_EQ(options.breaker.failure_rate_threshold, 41);
  EXPECT_EQ(options.breaker.slow_call_rate_threshold, 42);
  EXPECT_EQ(options.breaker.slow_call_duration_threshold, 43s);
  EXPECT_EQ(options.breaker.sliding_window_size, 44U);
  EXPECT_EQ(options.breaker.minimum_number_of_calls, 45U);
  EXPECT_EQ(options.breaker.wait_duration_in_open_state, 46s);
  EXPECT_EQ(options.breaker.permitted_number_of_calls_in_half_open_state, 47U);
}

TEST(PipelineOptions, CarryTheSettingsOfPostgres) {
  testing::SimFileSystem files;
  ASSERT_TRUE(os::write_file_atomically(files, "/secret", as_bytes("geheim\n")));

  const auto options = postgres_options(parsed(kPostgres).postgres[0], files);

  ASSERT_TRUE(options) << options.error().message();
  EXPECT_EQ(options->sink, "db");
  EXPECT_EQ(options->topic, "web");
  EXPECT_EQ(options->connection.connection, "host=x");
  EXPECT_EQ(options->connection.password, "geheim");
  EXPECT_EQ(options->connection.connect_timeout, 160ms);
  EXPECT_EQ(options->connection.request_timeout, 170ms);
  EXPECT_EQ(options->table.name, "app.t");
  EXPECT_EQ(options->table.mode, sinks::WriteMode::kUpsert);
  EXPECT_EQ(options->table.key, std::vector<std::string>{"a"});
  ASSERT_EQ(options->table.columns.size(), 2U);
  EXPECT_TRUE(options->table.columns[0].not_null);
  EXPECT_EQ(options->metadata_table, "m");
}

TEST(PipelineOptions, LetTablesBeReadOfWhichItIsSaid) {
  testing::SimFileSystem files;
  ASSERT_TRUE(os::write_file_atomically(files, "/secret", as_bytes("geheim\n")));

  const auto none = table_options(parsed(kPostgres), files);
  const auto one = table_options(
      parsed(std::string(kPostgres) + "replica = \"host=y\"\nread_from = \"replica\"\n"), files);

  EXPECT_TRUE(none->empty());
  ASSERT_EQ(one->size(), 1U);
  EXPECT_EQ(one->front().sink, "db");
  EXPECT_EQ(one->front().topic, "web");
  EXPECT_EQ(one->front().primary.connection, "host=x");
  EXPECT_EQ(one->front().replica->connection, "host=y");
  EXPECT_EQ(one->front().replica->password, "geheim");
  EXPECT_EQ(one->front().read_from, sinks::ReadFrom::kReplica);
  EXPECT_EQ(one->front().table.name, "app.t");
}

TEST(PipelineOptions, CarryTheSettingsOfSqlite) {
  const config::PipelineConfig config = parsed(R"(
[log]
data_dir = "d"
[[topic]]
name = "web"
[[sqlite]]
name = "local"
topic = "web"
table = "t"
mode = "upsert"
columns = ["/a:a:bigint"]
key = ["a"]
metadata_table = "m"
batch_rows_max = 11
lock_timeout = "120ms"
[[sqlite]]
name = "other"
topic = "web"
file = "/x/y.db"
table = "t"
columns = ["/a:a:bigint"]
synchronous = "normal"
)");

  const sinks::SqliteDestination::Options options = sqlite_options(config, config.sqlite[0]);
  const sinks::SqliteDestination::Options other = sqlite_options(config, config.sqlite[1]);

  EXPECT_EQ(options.sink, "local");
  EXPECT_EQ(options.topic, "web");
  EXPECT_EQ(options.connection.file, "d/local.sqlite");
  EXPECT_EQ(options.connection.lock_timeout, 120ms);
  EXPECT_EQ(options.connection.synchronous, sinks::SqliteConnection::Synchronous::kFull);
  EXPECT_EQ(options.table.name, "t");
  EXPECT_EQ(options.table.mode, sinks::WriteMode::kUpsert);
  EXPECT_EQ(options.table.key, std::vector<std::string>{"a"});
  EXPECT_EQ(options.metadata_table, "m");
  EXPECT_EQ(sink_options(config, config.sqlite[0]).batch_rows_max, 11U);
  EXPECT_EQ(other.connection.file, "/x/y.db");
  EXPECT_EQ(other.connection.synchronous, sinks::SqliteConnection::Synchronous::kNormal);
}

TEST(PipelineOptions, SayWhichPasswordIsMissing) {
  testing::SimFileSystem files;

  const auto options = postgres_options(parsed(kPostgres).postgres[0], files);

  ASSERT_FALSE(options);
  EXPECT_TRUE(options.error().message().starts_with("postgres \"db\": password: "))
      << options.error().message();
}

}  // namespace
}  // namespace penstock::app
