// Every setting of [[redis]] reaches the options of its destination.
#include "penstock/redis_options.h"

#include <chrono>

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "core/check.h"
#include "penstock/pipeline_options.h"
#include "testing/sim_file_system.h"

namespace penstock::app {
namespace {

using namespace std::chrono_literals;

config::PipelineConfig parsed(const std::string& more) {
  auto config = config::parse_config(
      "[[topic]]\nname = \"web\"\n[[redis]]\nname = \"r\"\ntopic = \"web\"\n" + more, "test.toml");
  PENSTOCK_CHECK(config.has_value());
  return *std::move(config);
}

constexpr const char* kSentinel = R"(
servers = ["a:1", "[::1]:2"]
deployment = "sentinel"
master = "main"
user = "u"
password = "${file:/secret}"
sentinel_user = "su"
sentinel_password = "${file:/sentinel-secret}"
database = 4
protocol = 2
tls = true
tls_ca_file = "/ca"
tls_certificate_file = "/certificate"
tls_key_file = "/key"
mode = "sorted_set"
key = "k"
member = "%{/m}"
score = "/s"
score_update = "min"
ttl = "5s"
batch_rows_max = 11
batch_size_max = "12KiB"
batch_time_max = "13ms"
retry_wait_min = "14ms"
retry_wait_max = "15ms"
connect_timeout = "160ms"
request_timeout = "170ms"
)";

TEST(RedisOptions, CarryTheSettings) {
  testing::SimFileSystem files;
  ASSERT_TRUE(os::write_file_atomically(files, "/secret", as_bytes("geheim\n")));
  ASSERT_TRUE(os::write_file_atomically(files, "/sentinel-secret", as_bytes("geheimer\n")));

  const auto options = redis_options(parsed(kSentinel).redis[0], files);

  ASSERT_TRUE(options) << options.error().message();
  EXPECT_EQ(options->sink, "r");
  EXPECT_EQ(options->topic, "web");
  const sinks::RedisServers::Options& servers = options->servers;
  EXPECT_EQ(servers.deployment, sinks::RedisDeployment::kSentinel);
  EXPECT_EQ(servers.addresses, (std::vector<sinks::RedisAddress>{{"a", 1}, {"::1", 2}}));
  EXPECT_EQ(servers.master, "main");
  EXPECT_EQ(servers.connection.user, "u");
  EXPECT_EQ(servers.connection.password, "geheim");
  EXPECT_EQ(servers.connection.database, 4U);
  EXPECT_EQ(servers.connection.protocol, 2U);
  EXPECT_EQ(servers.connection.client_name, "penstock-sink-r");
  EXPECT_EQ(servers.sentinel_connection.user, "su");
  EXPECT_EQ(servers.sentinel_connection.password, "geheimer");
  EXPECT_EQ(servers.sentinel_connection.database, 0U);
  for (const auto& connection : {servers.connection, servers.sentinel_connection}) {
    EXPECT_EQ(connection.tls->ca_file, "/ca");
    EXPECT_EQ(connection.tls->certificate_file, "/certificate");
    EXPECT_EQ(connection.tls->key_file, "/key");
    EXPECT_EQ(connection.connect_timeout, 160ms);
    EXPECT_EQ(connection.request_timeout, 170ms);
  }
  const sinks::RedisUpdates::Options& updates = options->updates;
  EXPECT_EQ(updates.mode, sinks::RedisUpdates::Mode::kSortedSet);
  EXPECT_EQ(updates.key, *config::parse_key_template("k"));
  EXPECT_EQ(updates.member, *config::parse_key_template("%{/m}"));
  EXPECT_EQ(updates.score, "/s");
  EXPECT_EQ(updates.score_update, sinks::RedisUpdates::ScoreUpdate::kMin);
  EXPECT_EQ(updates.ttl, 5s);
}

TEST(RedisOptions, CarryTheSettingsOfTheRunner) {
  const config::PipelineConfig config = parsed(kSentinel);

  const sinks::SinkRunner::Options options = sink_options(config, config.redis[0]);

  EXPECT_EQ(options.name, "r");
  EXPECT_EQ(options.topic, "web");
  EXPECT_EQ(options.batch_rows_max, 11U);
  EXPECT_EQ(options.batch_size_max, 12 * kKiB);
  EXPECT_EQ(options.batch_time_max, 13ms);
  EXPECT_EQ(options.backoff.wait_min, 14ms);
  EXPECT_EQ(options.backoff.wait_max, 15ms);
}

TEST(RedisOptions, CarryTheSettingsOfCountersAndHashes) {
  testing::SimFileSystem files;

  const auto counter = redis_options(
      parsed("servers = [\"a:1\"]\ndeployment = \"cluster\"\nkey = \"{k}\"\nmode = \"counter\"\n"
             "field = \"f\"\nincrement = \"/n\"")
          .redis[0],
      files);
  const auto session =
      redis_options(parsed("servers = [\"a:1\"]\nkey = \"k\"\nmode = \"session\"\nttl = \"1s\"\n"
                           "fields = [\"/a:b\"]")
                        .redis[0],
                    files);

  ASSERT_TRUE(counter && session);
  EXPECT_EQ(counter->servers.deployment, sinks::RedisDeployment::kCluster);
  EXPECT_EQ(counter->updates.mode, sinks::RedisUpdates::Mode::kCounter);
  EXPECT_EQ(counter->updates.field, config::parse_key_template("f"));
  EXPECT_EQ(counter->updates.increment, "/n");
  EXPECT_FALSE(counter->servers.connection.tls.has_value());
  EXPECT_EQ(counter->servers.connection.protocol, 3U);
  EXPECT_EQ(session->updates.mode, sinks::RedisUpdates::Mode::kSession);
  EXPECT_EQ(session->updates.fields, (std::vector<config::HashField>{{"/a", "b"}}));
}

TEST(RedisOptions, SayWhichSecretIsNotThere) {
  testing::SimFileSystem files;

  const auto options = redis_options(parsed(kSentinel).redis[0], files);

  ASSERT_FALSE(options);
  EXPECT_TRUE(options.error().message().starts_with("redis \"r\": sentinel_password: "))
      << options.error().message();
}

}  // namespace
}  // namespace penstock::app
