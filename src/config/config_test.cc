#include "config/config.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings.h"
#include "core/bytes.h"
#include "os/file_system.h"
#include "testing/sim_file_system.h"

namespace penstock::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The file of README.md, as it stands there.
constexpr std::string_view kExample = R"(
[log]
backend = "embedded"

[[topic]]
name = "web"
partitions = 4
key = "/client_ip"          # JSON Pointer; without it records have no key and are spread evenly
timestamp = "/ts"           # RFC 3339 text (no zone: UTC) or epoch milliseconds
id = "/event_id"            # optional: deduplication
archive = true

[[aggregate]]
name = "status_by_hour"     # also the name of its store and of its output topic
topic = "web"
group_by = ["/status"]
window = "1h"               # ms s m h d
grace = "1d"
count = true
sum = ["/bytes"]            # likewise min, max, avg
)";

TEST(Config, ReadsTheExampleAsWritten) {
  const auto config = parse_config(kExample, "penstock.toml");

  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->log.backend, "embedded");
  ASSERT_EQ(config->topics.size(), 1u);
  EXPECT_EQ(config->topics[0].name, "web");
  EXPECT_EQ(config->topics[0].partitions, 4u);
  EXPECT_EQ(config->topics[0].key, "/client_ip");
  EXPECT_EQ(config->topics[0].timestamp, "/ts");
  EXPECT_EQ(config->topics[0].id, "/event_id");
  EXPECT_TRUE(config->topics[0].key_required);
  ASSERT_EQ(config->aggregates.size(), 1u);
  EXPECT_EQ(config->aggregates[0].name, "status_by_hour");
  EXPECT_THAT(config->aggregates[0].group_by, ElementsAre("/status"));
  EXPECT_EQ(config->aggregates[0].window, 1h);
  EXPECT_EQ(config->aggregates[0].grace, 24h);
  EXPECT_TRUE(config->aggregates[0].count);
  EXPECT_THAT(config->aggregates[0].sum, ElementsAre("/bytes"));
}

TEST(Config, HasDefaultsForEverythingInAnEmptyFile) {
  const auto config = parse_config("", "penstock.toml");

  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(*config, PipelineConfig());
  EXPECT_EQ(config->http.listen, "127.0.0.1:8080");
  EXPECT_FALSE(config->ingest.auto_create_topics);
  EXPECT_EQ(config->archive_directory(), "data/archive");
}

TEST(Config, GivesTopicsTheDefaultsOfTheirSections) {
  const auto config = parse_config(R"(
[[topic]]
name = "a"
[[topic]]
name = "b"
dedup_time = "1m"
retention_time = "unlimited"
[ingest]
dedup_time = "5m"
dedup_count = 7
[log]
retention_time = "3d"
retention_size = "2GiB"
)",
                                   "penstock.toml");

  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->topics[0].dedup_time, 5min);
  EXPECT_EQ(config->topics[0].dedup_count, 7u);
  EXPECT_EQ(config->topics[0].retention_time, 72h);
  EXPECT_EQ(config->topics[0].retention_size, 2 * kGiB);
  EXPECT_EQ(config->topics[1].dedup_time, 1min);
  EXPECT_EQ(config->topics[1].retention_time, std::nullopt);
}

struct Mistake {
  const char* toml;
  const char* sentence;
};

class ConfigMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(ConfigMistakes, AreOneSentenceThatNamesPlaceAndSetting) {
  const auto config = parse_config(GetParam().toml, "p.toml");

  ASSERT_FALSE(config) << describe(*config);
  EXPECT_EQ(config.error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(config.error().message(), GetParam().sentence);
}

constexpr Mistake kMistakes[] = {
    // Syntax.
    {"[log\n",
     "p.toml:1:5: this is not TOML: Error while parsing table header: expected ']', saw '\\n'"},
    // Names.
    {"[http]\nlisen = \"x\"\n", "p.toml:2: http.lisen is not a setting; did you mean \"listen\"?"},
    {"[http]\nlevel = \"info\"\n",
     "p.toml:2: http.level is not a setting of http; it belongs to [logging]"},
    {"[engine]\ncolour = 1\n",
     "p.toml:2: engine.colour is not a setting; known are threads, commit_interval, "
     "processing_guarantee, state_memory_max"},
    {"\n[htpp]\nlisten = \"x\"\n", "p.toml:2: [htpp] is not a section; did you mean \"http\"?"},
    {"[[topics]]\nname = \"a\"\n",
     "p.toml:1: [[topics]] is not a section; did you mean \"topic\"?"},
    {"[topic]\nname = \"a\"\n", "p.toml:1: [topic] must be written [[topic]]"},
    {"[[http]]\nthreads = 1\n", "p.toml:1: [[http]] must be written [http]"},
    {"listen = \"127.0.0.1:1\"\n",
     "p.toml:1: listen stands outside of any section; it belongs to [http]"},
    {"[[topic]]\nname = \"a\"\nparitions = 3\n",
     "p.toml:3: topic \"a\": paritions is not a setting; did you mean \"partitions\"?"},
    // Values.
    {"[log]\nbackend = \"files\"\n",
     "p.toml:2: log.backend must be \"embedded\" or \"kafka\", not \"files\""},
    {"[log]\nbackend = \"kafka\"\n",
     "p.toml: kafka.bootstrap_servers must be given if log.backend is \"kafka\", such as "
     "\"broker1:9092,broker2:9092\""},
    {"[kafka]\nmin_insync_replicas = 4\n",
     "p.toml:2: kafka.min_insync_replicas must not be larger than kafka.replication_factor"},
    {"[kafka]\nproperties = \"ssl\"\n",
     "p.toml:2: kafka.properties must be a table of texts, such as { \"security.protocol\" = "
     "\"ssl\" }, not \"ssl\""},
    {"[kafka.properties]\nsasl.password = \"hunter2\"\n",
     "p.toml:1: kafka.properties must not hold a secret as text: write sasl.password = "
     "\"${env:NAME}\" or \"${file:PATH}\""},
    {"[log]\ndata_dir = \"\"\n", "p.toml:2: log.data_dir must be a path, not \"\""},
    {"[log]\nsegment_size = \"64XB\"\n",
     "p.toml:2: log.segment_size must be a size from 1MiB to 2GiB, such as \"64MiB\" (KiB, MiB, "
     "GiB), not \"64XB\""},
    {"[log]\nretention_time = \"soon\"\n",
     "p.toml:2: log.retention_time must be a time from 1ms to 3650d, such as \"10s\" (ms, s, m, "
     "h, d), or \"unlimited\", not \"soon\""},
    {"[log]\nretention_size = -5\n",
     "p.toml:2: log.retention_size must be a size of at least 1MiB, such as \"64MiB\" (KiB, MiB, "
     "GiB), or \"unlimited\", not -5"},
    {"[http]\nlisten = \":8080\"\n",
     "p.toml:2: http.listen must be an address and a port, such as \"127.0.0.1:8080\", not "
     "\":8080\""},
    {"[http]\nthreads = \"two\"\n",
     "p.toml:2: http.threads must be a whole number from 0 to 256, not \"two\""},
    {"[http]\nthreads = 1.5\n",
     "p.toml:2: http.threads must be a whole number from 0 to 256, not a number with a fraction"},
    {"[http]\nthreads = -1\n",
     "p.toml:2: http.threads must be a whole number from 0 to 256, not -1"},
    {"[http]\nidle_timeout = 75\n",
     "p.toml:2: http.idle_timeout must be a time from 100ms to 1h, such as \"10s\" (ms, s, m, h, "
     "d), not 75"},
    {"[ingest]\nauto_create_topics = \"yes\"\n",
     "p.toml:2: ingest.auto_create_topics must be true or false, not \"yes\""},
    {"[logging]\nlevel = \"inof\"\n",
     "p.toml:2: logging.level must be \"debug\", \"info\", \"warn\" or \"error\", not \"inof\"; "
     "did you mean \"info\"?"},
    {"[engine]\ncommit_interval = 1979-05-27\n",
     "p.toml:2: engine.commit_interval must be a time from 1ms to 10s, such as \"10s\" (ms, s, m, "
     "h, d), not a date or time"},
    {"[[topic]]\npartitions = 4\n", "p.toml:1: the topic's name is missing"},
    {"[[topic]]\nname = \"a b\"\n",
     "p.toml:2: topic \"a b\": name must be a name of 1 to 200 letters, digits, \".\", \"_\" or "
     "\"-\", not \"a b\""},
    {"[[topic]]\nname = \"a\"\npartitions = 0\n",
     "p.toml:3: topic \"a\": partitions must be a whole number from 1 to 1000, not 0"},
    {"[[topic]]\nname = \"a\"\nkey = \"client_ip\"\n[[table]]\nname = \"t\"\ntopic = \"a\"\n",
     "p.toml:3: topic \"a\": key must be a JSON Pointer, which begins with \"/\", such as "
     "\"/user/id\", not \"client_ip\""},
    {"[[topic]]\nname = \"a\"\nid = \"/a~2b\"\n",
     "p.toml:3: topic \"a\": id must be a JSON Pointer, which begins with \"/\", such as "
     "\"/user/id\", not \"/a~2b\""},
    // Across settings.
    {"[[topic]]\nname = \"a\"\n[[topic]]\nname = \"a\"\n",
     "p.toml:4: topic \"a\": name must be a name of its own: there is another topic \"a\""},
    {"[[topic]]\nname = \"__x\"\n",
     "p.toml:2: topic \"__x\": name must not begin with \"__\", as internal topics do"},
    {"[[topic]]\nname = \"a.dlq\"\n",
     "p.toml:2: topic \"a.dlq\": name must not end with \".dlq\", as topics do that Penstock makes "
     "itself"},
    {"[[topic]]\nname = \"a\"\nkey = \"/k\"\n[[table]]\nname = \"a\"\ntopic = \"a\"\n",
     "p.toml:5: table \"a\": name must be a name of its own: there is another topic \"a\""},
    {"[[topic]]\nname = \"a\"\n[[table]]\nname = \"t\"\ntopic = \"a\"\n",
     "p.toml:3: table \"t\": group_by must be given, because the topic \"a\" has no key"},
    {"[http]\nmemory_max = \"20MiB\"\n",
     "p.toml:2: http.memory_max must be at least twice http.body_size_max"},
    {"[ingest]\nevent_size_max = \"32MiB\"\n",
     "p.toml:2: ingest.event_size_max must not be larger than http.body_size_max"},
    {"[log]\nsegment_size = \"64MiB\"\n",
     "p.toml:2: log.segment_size must be at least eight times http.body_size_max"},
    {"[log]\nsegment_size = 300000001\n",
     "p.toml:2: log.segment_size must be a whole number of 4 KiB"},
    {"[log]\nqueue_size_max = \"8MiB\"\n",
     "p.toml:2: log.queue_size_max must be at least twice http.body_size_max"},
    {"[ingest]\nmemory_max = \"8MiB\"\n",
     "p.toml:2: ingest.memory_max must be at least twice http.body_size_max"},
    {"[[topic]]\nname = \"a\"\nid = \"/id\"\ndedup_time = \"2h\"\nretention_time = \"1h\"\n",
     "p.toml:4: topic \"a\": dedup_time must not be longer than retention_time: a restart finds "
     "known ids in the log"},
    {"[[topic]]\nname = \"a\"\ndedup_time = \"10ms\"\n",
     "p.toml:3: topic \"a\": dedup_time must be a time from 1s to 7d, such as \"10s\" (ms, s, m, "
     "h, "
     "d), not \"10ms\""},
};

INSTANTIATE_TEST_SUITE_P(Config, ConfigMistakes, ::testing::ValuesIn(kMistakes));

constexpr std::string_view kWeb = "[[topic]]\nname = \"web\"\n[[aggregate]]\n";

constexpr Mistake kAggregateMistakes[] = {
    {"name = \"x\"\ntopic = \"web\"\ngroup_by = [\"/a\"]\ncount = true\n",
     "p.toml:3: aggregate \"x\": window is missing"},
    {"name = \"x\"\ntopic = \"web\"\ngroup_by = [\"/a\"]\ncount = true\nwindow = \"0s\"\n",
     "p.toml:8: aggregate \"x\": window must be a time from 1ms to 3650d, such as \"10s\" (ms, s, "
     "m, h, d), not \"0s\""},
    {"name = \"x\"\ntopic = \"wbe\"\ngroup_by = [\"/a\"]\ncount = true\nwindow = \"1s\"\n",
     "p.toml:5: aggregate \"x\": topic must be a topic that is declared with [[topic]], not "
     "\"wbe\"; did you mean \"web\"?"},
    {"name = \"x\"\ntopic = \"web\"\ngroup_by = [\"a\"]\ncount = true\nwindow = \"1s\"\n",
     "p.toml:6: aggregate \"x\": group_by must be a list of JSON Pointers, which begin with \"/\", "
     "such as [\"/user/id\"], not [\"a\"]"},
    {"name = \"x\"\ntopic = \"web\"\ngroup_by = \"/a\"\ncount = true\nwindow = \"1s\"\n",
     "p.toml:6: aggregate \"x\": group_by must be a list of JSON Pointers, which begin with \"/\", "
     "such as [\"/user/id\"], not \"/a\""},
    {"name = \"x\"\ntopic = \"web\"\ngroup_by = [\"/a\"]\nwindow = \"1s\"\n",
     "p.toml:3: aggregate \"x\": count must be true if there is none of sum, min, max and avg"},
    {"name = \"x\"\ntopic = \"web\"\ngroup_by = [\"/a\"]\nwindow = \"1s\"\ncount = true\n"
     "retention = \"1h\"\n",
     "p.toml:9: aggregate \"x\": retention must be at least window + grace, or \"unlimited\""},
};

class AggregateMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(AggregateMistakes, AreOneSentenceThatNamesPlaceAndSetting) {
  const auto config = parse_config(std::string(kWeb) + GetParam().toml, "p.toml");

  ASSERT_FALSE(config) << describe(*config);
  EXPECT_EQ(config.error().message(), GetParam().sentence);
}

INSTANTIATE_TEST_SUITE_P(Config, AggregateMistakes, ::testing::ValuesIn(kAggregateMistakes));

TEST(Config, ReportsAllMistakesTogetherInTheOrderOfTheFile) {
  const auto config = parse_config(
      "[[aggregate]]\nname = \"x\"\ntopic = \"nowhere\"\ncount = true\nwindow = \"1s\"\n"
      "[http]\nthreads = 1000\nlisen = \"\"\n",
      "p.toml");

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message(),
            "p.toml:3: aggregate \"x\": topic must be a topic that is declared with [[topic]], not "
            "\"nowhere\"\n"
            "p.toml:7: http.threads must be a whole number from 0 to 256, not 1000\n"
            "p.toml:8: http.lisen is not a setting; did you mean \"listen\"?");
}

TEST(Config, ReadsPropertiesByDottedKeys) {
  const auto config = parse_config(R"(
[log]
backend = "kafka"

[kafka]
bootstrap_servers = "a:9092,b:9092"

[kafka.properties]
security.protocol = "SASL_SSL"
"sasl.mechanism" = "SCRAM-SHA-512"
sasl.password = "${env:KAFKA_PASSWORD}"
socket.keepalive.enable = true
socket.timeout.ms = 5000
)",
                                   "penstock.toml");

  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->kafka.bootstrap_servers, "a:9092,b:9092");
  EXPECT_EQ(config->kafka.properties,
            (std::map<std::string, std::string>{{"security.protocol", "SASL_SSL"},
                                                {"sasl.mechanism", "SCRAM-SHA-512"},
                                                {"sasl.password", "${env:KAFKA_PASSWORD}"},
                                                {"socket.keepalive.enable", "true"},
                                                {"socket.timeout.ms", "5000"}}));
  const auto again = parse_config(describe(*config), "described");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, *config);
}

TEST(Config, TakesOverridesOverTheFileAndLaterOnesOverEarlierOnes) {
  const std::vector<Override> overrides = {
      {"http.listen", "127.0.0.1:1", "environment variable PENSTOCK_HTTP_LISTEN"},
      {"log.data_dir", "2024", "--data-dir"},
      {"http.listen", "0.0.0.0:9", "--listen"},
      {"http.threads", "3", "environment variable PENSTOCK_HTTP_THREADS"},
      {"archive.enabled", "false", "environment variable PENSTOCK_ARCHIVE_ENABLED"},
      {"engine.commit_interval", "5ms", "environment variable PENSTOCK_ENGINE_COMMIT_INTERVAL"},
  };

  const auto config = parse_config("[http]\nlisten = \"[::1]:7\"\n", "p.toml", overrides);

  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->http.listen, "0.0.0.0:9");
  EXPECT_EQ(config->log.data_dir, "2024");
  EXPECT_EQ(config->http.threads, 3u);
  EXPECT_FALSE(config->archive.enabled);
  EXPECT_EQ(config->engine.commit_interval, 5ms);
}

TEST(Config, NamesTheVariableOrFlagThatIsWrong) {
  const std::vector<Override> overrides = {
      {"http.threads", "many", "environment variable PENSTOCK_HTTP_THREADS"},
      {"http.listen", "here", "--listen"},
  };

  const auto config = parse_config("", "p.toml", overrides);

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message(),
            "environment variable PENSTOCK_HTTP_THREADS: http.threads must be a whole number from "
            "0 to 256, not \"many\"\n"
            "--listen: http.listen must be an address and a port, such as \"127.0.0.1:8080\", not "
            "\"here\"");
}

TEST(Config, FindsItsVariablesInTheEnvironmentAndLeavesOthersAlone) {
  const std::vector<std::string> environment = {"PATH=/bin", "PENSTOCK_LOG_DATA_DIR=/srv/x=y",
                                                "PENSTOCK_BIN=build/penstock",
                                                "PENSTOCK_DEPS=/deps", "PENSTOCK_TEST_FULL=1"};

  const std::vector<Override> overrides = environment_overrides(environment);

  ASSERT_EQ(overrides.size(), 1u);
  EXPECT_EQ(overrides[0].setting, "log.data_dir");
  EXPECT_EQ(overrides[0].value, "/srv/x=y");
  EXPECT_EQ(overrides[0].source, "environment variable PENSTOCK_LOG_DATA_DIR");
}

TEST(Config, RefusesAVariableThatIsAlmostASetting) {
  const std::vector<std::string> environment = {"PENSTOCK_HTP_LISTEN=127.0.0.1:80"};

  const auto config = parse_config("", "p.toml", environment_overrides(environment));

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message(),
            "environment variable PENSTOCK_HTP_LISTEN: there is no such setting; did you mean "
            "\"PENSTOCK_HTTP_LISTEN\"?");
}

TEST(Config, DescribesItselfAsTomlThatReadsBackTheSame) {
  auto config = parse_config(kExample, "penstock.toml");
  ASSERT_TRUE(config) << config.error().message();
  config->archive.directory = "a \"quoted\\ path";
  config->topics[0].retention_size = 3 * kGiB;
  config->tables.push_back({"last_seen", "web", {"/a", "/b~1c"}});

  const std::string text = describe(*config);
  const auto again = parse_config(text, "described");

  ASSERT_TRUE(again) << again.error().message() << "\n" << text;
  EXPECT_EQ(*again, *config);
  EXPECT_THAT(text, HasSubstr("segment_size = \"256MiB\"\n"));
  EXPECT_THAT(text, HasSubstr("retention_time = \"7d\"\n"));
}

TEST(Config, ReadsWhereTheArchiveGoes) {
  const auto config = parse_config(R"(
[archive]
bucket = "events"
also_local = true
endpoint = "https://s3.example.net:9000"
prefix = "a/b/"
access_key_id = "key"
secret_access_key = "${file:/run/secret}"
part_size = "16MiB"
)",
                                   "p.toml");

  ASSERT_TRUE(config) << config.error().message();
  EXPECT_TRUE(config->archives_to_s3());
  EXPECT_TRUE(config->archives_locally());
  EXPECT_EQ(config->archive_spool_directory(), "data/archive-spool");
  EXPECT_EQ(*parse_config(describe(*config), "described"), *config);
}

TEST(Config, NamesWhatIsWrongWithTheArchivesBucket) {
  const auto config = parse_config(R"([archive]
bucket = "Events"
endpoint = "s3.example.net"
prefix = "/a"
addressing = "dns"
secret_access_key = "in the open"
)",
                                   "p.toml");

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message(),
            "p.toml: archive.access_key_id must be given with secret_access_key, or not\n"
            "p.toml:2: archive.bucket must be a bucket's name of 3 to 63 lower-case letters, "
            "digits, \".\" or \"-\", not \"Events\"\n"
            "p.toml:3: archive.endpoint must be a URL without a path, such as "
            "\"https://s3.example.net:9000\", not \"s3.example.net\"\n"
            "p.toml:4: archive.prefix must be empty, or a path that ends in \"/\" and does not "
            "begin with it, such as \"penstock/\", not \"/a\"\n"
            "p.toml:5: archive.addressing must be \"auto\", \"path\" or \"host\", not \"dns\"\n"
            "p.toml:6: archive.secret_access_key must be \"${env:NAME}\" or \"${file:PATH}\": "
            "secrets stand outside of the file");
}

TEST(Config, SaysWhichFileItCouldNotRead) {
  testing::SimFileSystem files;

  const auto config = load_config(files, "/etc/penstock.toml");

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(config.error().message(), HasSubstr("/etc/penstock.toml"));
}

TEST(Config, HasAHelpTextThatIsASentenceForEverySetting) {
  const auto check = [](const auto& table) {
    for (const auto& setting : table.settings) {
      EXPECT_TRUE(setting.help.ends_with(".")) << setting.key;
    }
  };
  for_each_section(kRepeatedSections, check);
}

TEST(Config, ReadsListenAddresses) {
  ASSERT_TRUE(parse_listen("0.0.0.0:8080"));
  EXPECT_EQ(parse_listen("0.0.0.0:8080")->host, "0.0.0.0");
  EXPECT_EQ(parse_listen("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_listen("[::1]:80")->port, 80);
  EXPECT_EQ(parse_listen("localhost:0")->host, "127.0.0.1");
  for (const char* bad : {"", "8080", ":8080", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "::1:80",
                          "example.com:80", "1.2.3.4:80x", "1.2.3.4:-1", "[]:80"}) {
    EXPECT_FALSE(parse_listen(bad)) << bad;
  }
}

// The reference in docs/operations.md is what the code says. UPDATE_GOLDEN=1 writes it.
TEST(Config, IsDocumentedInOperations) {
  const auto files = os::make_posix_file_system();
  const std::string path = "docs/operations.md";  // tests run in the root of the sources
  const std::string begin = "<!-- settings: written by config_test -->\n";
  const std::string end = "<!-- end of settings -->\n";
  const auto bytes = os::read_file(*files, path);
  ASSERT_TRUE(bytes) << bytes.error().message();
  std::string text(as_text(*bytes));
  const std::size_t from = text.find(begin);
  const std::size_t to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);

  const std::string documented = text.substr(from + begin.size(), to - from - begin.size());
  const std::string wanted = "\n" + settings_markdown();
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    text.replace(from + begin.size(), documented.size(), wanted);
    ASSERT_TRUE(os::write_file_atomically(*files, path, as_bytes(text)));
    return;
  }

  EXPECT_EQ(documented, wanted) << "run config_test with UPDATE_GOLDEN=1";
}

}  // namespace
}  // namespace penstock::config
