#include "config/checks.h"

#include <algorithm>
#include <array>
#include <map>

#include "config/column.h"
#include "config/key_template.h"
#include "config/nearest.h"
#include "config/secrets.h"
#include "config/settings.h"

namespace penstock::config {
namespace {

// Topics that are made from others end in these.
constexpr std::array<std::string_view, 3> kDerivedEndings = {".dlq", "-changelog", "-repartition"};

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

// libpq reads it; here it is only seen to that no password is in it. URIs have it before the host.
bool holds_password(std::string_view connection) {
  const std::size_t begin = connection.find("://");
  const std::size_t at = connection.find('@');
  const bool in_uri = begin != std::string_view::npos && at != std::string_view::npos &&
                      connection.substr(0, at).find(':', begin + 3) != std::string_view::npos;
  return in_uri || connection.find("password") != std::string_view::npos;
}

class Checker {
 public:
  Checker(const PipelineConfig& config, const Complain& complain)
      : config_(config), complain_(complain) {}

  void check() {
    check_limits();
    check_kafka();
    check_topics();
    check_aggregates();
    check_tables();
    check_postgres();
    check_sqlite();
    check_redis();
    check_archive();
  }

 private:
  void check_archive() {
    const ArchiveSettings& archive = config_.archive;
    for (const auto& [key, value] : {std::pair("secret_access_key", archive.secret_access_key),
                                     std::pair("session_token", archive.session_token)}) {
      if (value && !is_reference(*value)) {
        complain_({"archive", 0, key},
                  "must be \"${env:NAME}\" or \"${file:PATH}\": secrets stand outside of the file");
      }
    }
    if (archive.access_key_id.has_value() != archive.secret_access_key.has_value()) {
      complain_({"archive", 0, "access_key_id"}, "must be given with secret_access_key, or not");
    }
  }

  void check_limits() {
    const HttpSettings& http = config_.http;
    const IngestSettings& ingest = config_.ingest;
    if (http.memory_max < 2 * http.body_size_max) {
      complain_({"http", 0, "memory_max"}, "must be at least twice http.body_size_max");
    }
    if (ingest.event_size_max > http.body_size_max) {
      complain_({"ingest", 0, "event_size_max"}, "must not be larger than http.body_size_max");
    }
    if (ingest.memory_max < 2 * http.body_size_max) {
      complain_({"ingest", 0, "memory_max"}, "must be at least twice http.body_size_max");
    }
    // All of a request becomes durable at once; the log takes up to a quarter of a file at once.
    if (config_.log.segment_size < 4 * config_.append_size_max()) {
      complain_({"log", 0, "segment_size"}, "must be at least eight times http.body_size_max");
    }
    if (config_.log.queue_size_max < config_.append_size_max()) {
      complain_({"log", 0, "queue_size_max"}, "must be at least twice http.body_size_max");
    }
    if (config_.log.segment_size % (4 * kKiB) != 0) {
      complain_({"log", 0, "segment_size"}, "must be a whole number of 4 KiB");
    }
  }

  void check_kafka() {
    const KafkaSettings& kafka = config_.kafka;
    if (config_.is_on_kafka() && !kafka.bootstrap_servers.has_value()) {
      complain_({"kafka", 0, "bootstrap_servers"},
                "must be given if log.backend is \"kafka\", such as \"broker1:9092,broker2:9092\"");
    }
    if (kafka.min_insync_replicas > kafka.replication_factor) {
      complain_({"kafka", 0, "min_insync_replicas"},
                "must not be larger than kafka.replication_factor");
    }
    for (const auto& [key, value] : kafka.properties) {
      if (is_secret(key) && !is_reference(value)) {
        complain_({"kafka", 0, "properties"}, "must not hold a secret as text: write " + key +
                                                  " = \"${env:NAME}\" or \"${file:PATH}\"");
      }
    }
  }

  void check_topics() {
    for (std::size_t i = 0; i < config_.topics.size(); ++i) {
      const TopicSettings& topic = config_.topics[i];
      take_name({"topic", i, "name"}, topic.name);
      known_topics_.push_back(topic.name);
      if (topic.id && topic.retention_time && *topic.retention_time < topic.dedup_time) {
        complain_({"topic", i, "dedup_time"},
                  "must not be longer than retention_time: a restart finds known ids in the log");
      }
    }
  }

  void check_aggregates() {
    for (std::size_t i = 0; i < config_.aggregates.size(); ++i) {
      const AggregateSettings& job = config_.aggregates[i];
      take_name({"aggregate", i, "name"}, job.name);
      check_source("aggregate", i, job.topic, job.group_by);
      if (!job.count && job.sum.empty() && job.min.empty() && job.max.empty() && job.avg.empty()) {
        complain_({"aggregate", i, "count"},
                  "must be true if there is none of sum, min, max and avg");
      }
      if (job.retention && *job.retention < job.window + job.grace) {
        complain_({"aggregate", i, "retention"},
                  "must be at least window + grace, or \"unlimited\"");
      }
    }
  }

  void check_tables() {
    for (std::size_t i = 0; i < config_.tables.size(); ++i) {
      const TableSettings& job = config_.tables[i];
      take_name({"table", i, "name"}, job.name);
      check_source("table", i, job.topic, job.group_by);
    }
  }

  void check_postgres() {
    for (std::size_t i = 0; i < config_.postgres.size(); ++i) {
      const PostgresSettings& sink = config_.postgres[i];
      check_sink("postgres", i, sink);
      if (holds_password(sink.connection)) {
        complain_({"postgres", i, "connection"},
                  "must not hold a password; postgres.password says where it is");
      }
      if (sink.replica && holds_password(*sink.replica)) {
        complain_({"postgres", i, "replica"},
                  "must not hold a password; postgres.password says where it is");
      }
      if (sink.read_from == "replica" && !sink.replica) {
        complain_({"postgres", i, "replica"}, "must be given where read_from is \"replica\"");
      }
      if (sink.replica && !sink.read_from) {
        complain_({"postgres", i, "replica"}, "means nothing without read_from");
      }
      check_secret({"postgres", i, "password"}, sink.password);
      check_columns("postgres", i, sink);
    }
  }

  void check_sqlite() {
    for (std::size_t i = 0; i < config_.sqlite.size(); ++i) {
      const SqliteSettings& sink = config_.sqlite[i];
      check_sink("sqlite", i, sink);
      check_columns("sqlite", i, sink);
      for (const auto& [key, table] : {std::pair("table", std::optional(sink.table)),
                                       std::pair("metadata_table", sink.metadata_table)}) {
        if (table && table->find('.') != std::string::npos) {
          complain_({"sqlite", i, key}, "must be without a schema: a file has none");
        }
      }
    }
  }

  // What all sinks have.
  template <typename Settings>
  void check_sink(std::string_view section, std::size_t index, const Settings& sink) {
    if (std::find(sink_names_.begin(), sink_names_.end(), sink.name) != sink_names_.end()) {
      complain_({section, index, "name"},
                "must be a name of its own: there is another sink " + quoted(sink.name));
    }
    sink_names_.push_back(sink.name);
    check_delivered({section, index, "topic"}, sink.topic);
    if (sink.retry_wait_max < sink.retry_wait_min) {
      complain_({section, index, "retry_wait_max"}, "must not be less than retry_wait_min");
    }
  }

  // Without the value: messages go to logs and screens.
  void check_secret(const Subject& subject, const std::optional<std::string>& secret) {
    if (secret && !is_reference(*secret)) {
      complain_(subject,
                "must be \"${env:NAME}\" or \"${file:PATH}\": passwords stand outside of the file");
    }
  }

  void check_delivered(const Subject& subject, const std::string& topic) {
    std::vector<std::string> known = known_topics_;
    for (const AggregateSettings& job : config_.aggregates) {
      known.push_back(job.name);
    }
    if (!topic.empty() && std::find(known.begin(), known.end(), topic) == known.end()) {
      complain_(subject,
                "must be a topic that is declared with [[topic]], or the name of an [[aggregate]], "
                "not " +
                    quoted(topic) + did_you_mean(topic, known));
    }
  }

  // Of a sink into a table.
  template <typename Settings>
  void check_columns(std::string_view section, std::size_t index, const Settings& sink) {
    std::vector<std::string> columns;
    for (const std::string& text : sink.columns) {
      const auto column = parse_column(text);
      if (!column) {
        return;  // complained about already
      }
      if (std::find(columns.begin(), columns.end(), column->name) != columns.end()) {
        complain_({section, index, "columns"}, "must not have " + quoted(column->name) + " twice");
      }
      columns.push_back(column->name);
    }
    if (columns.empty() && !sink.table.empty()) {
      complain_({section, index, "columns"}, "must have at least one");
    }
    if (sink.mode == "upsert" && sink.key.empty()) {
      complain_({section, index, "key"}, "must be given where mode is \"upsert\"");
    }
    if (sink.mode == "append" && !sink.key.empty()) {
      complain_({section, index, "key"}, "means nothing where mode is \"append\"");
    }
    for (const std::string& name : sink.key) {
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
        complain_({section, index, "key"}, "must be of the columns, and " + quoted(name) +
                                               " is not" + did_you_mean(name, columns));
      }
    }
  }

  void check_redis() {
    for (std::size_t i = 0; i < config_.redis.size(); ++i) {
      const RedisSettings& sink = config_.redis[i];
      check_sink("redis", i, sink);
      check_secret({"redis", i, "password"}, sink.password);
      check_secret({"redis", i, "sentinel_password"}, sink.sentinel_password);
      check_servers(i, sink);
      check_mode(i, sink);
      check_fields(i, sink);
    }
  }

  void check_servers(std::size_t index, const RedisSettings& sink) {
    const auto complain = [&](std::string_view setting, const std::string& what) {
      complain_({"redis", index, setting}, what);
    };
    if (sink.deployment == "single" && sink.servers.size() > 1) {
      complain("servers", "must be one where deployment is \"single\"");
    }
    if ((sink.deployment == "sentinel") != sink.master.has_value()) {
      complain("master", "must be given where deployment is \"sentinel\", and only there");
    }
    if (sink.deployment == "cluster") {
      const auto key = parse_key_template(sink.key);
      if (key.has_value() && !hash_tag(*key, 0).has_value()) {
        complain("key",
                 "must begin with a hash tag without values of the event where deployment is "
                 "\"cluster\", such as \"{app:%{partition}}:%{/id}\"");
      }
      if (sink.database != 0) {
        complain("database", "must be 0 where deployment is \"cluster\"");
      }
    }
    if (sink.tls_certificate_file.has_value() != sink.tls_key_file.has_value()) {
      complain("tls_key_file", "must be given together with tls_certificate_file");
    }
    if (!sink.tls && (sink.tls_ca_file || sink.tls_certificate_file)) {
      complain("tls", "must be true where certificates are given");
    }
  }

  // Settings that a mode needs, and settings that mean nothing to it.
  void check_mode(std::size_t index, const RedisSettings& sink) {
    const auto complain = [&](std::string_view setting, const std::string& what) {
      complain_({"redis", index, setting}, what + " where mode is " + quoted(sink.mode));
    };
    const auto only = [&](std::string_view mode, std::string_view setting, bool given) {
      if (given && sink.mode != mode) {
        complain(setting, "means nothing");
      }
    };
    only("counter", "field", sink.field.has_value());
    only("counter", "increment", sink.increment.has_value());
    only("sorted_set", "member", sink.member.has_value());
    only("sorted_set", "score", sink.score.has_value());
    only("sorted_set", "score_update", sink.score_update != "set");
    if (sink.mode == "sorted_set" && !sink.member) {
      complain("member", "must be given");
    }
    if (sink.mode == "sorted_set" && !sink.score) {
      complain("score", "must be given");
    }
    if (sink.mode == "session" && !sink.ttl) {
      complain("ttl", "must be given");
    }
    if (!sink.fields.empty() && sink.mode != "latest" && sink.mode != "session") {
      complain("fields", "means nothing");
    }
  }

  void check_fields(std::size_t index, const RedisSettings& sink) {
    std::vector<std::string> names;
    if (sink.mode == "session") {
      names = {"events", "first_at", "last_at"};  // it writes these itself
    }
    for (const std::string& text : sink.fields) {
      const auto field = parse_hash_field(text);
      if (field && std::find(names.begin(), names.end(), field->name) != names.end()) {
        complain_({"redis", index, "fields"}, "must not have " + quoted(field->name) + " twice");
      }
      names.push_back(field ? field->name : "");
    }
    constexpr std::size_t kFieldsMax = 1'000;  // words that a script takes apart at once
    if (sink.fields.size() > kFieldsMax) {
      complain_({"redis", index, "fields"}, "must not be more than 1000");
    }
  }

  // Topics, output topics and stores share one space of names: whoever reads "web" must know what
  // it is.
  void take_name(const Subject& subject, const std::string& name) {
    if (name.empty()) {
      return;  // complained about as missing
    }
    if (name.starts_with("__")) {
      complain_(subject, "must not begin with \"__\", as internal topics do");
    }
    for (const std::string_view ending : kDerivedEndings) {
      if (name.ends_with(ending)) {
        complain_(subject, "must not end with " + quoted(ending) +
                               ", as topics do that Penstock makes itself");
      }
    }
    const auto [owner, is_new] = names_.emplace(name, subject.section);
    if (!is_new) {
      complain_(subject, "must be a name of its own: there is another " +
                             std::string(owner->second) + " " + quoted(name));
    }
  }

  void check_source(std::string_view section, std::size_t index, const std::string& topic,
                    const std::vector<std::string>& group_by) {
    const auto found = std::find_if(config_.topics.begin(), config_.topics.end(),
                                    [&](const TopicSettings& t) { return t.name == topic; });
    if (found == config_.topics.end()) {
      if (!topic.empty()) {
        complain_({section, index, "topic"},
                  "must be a topic that is declared with [[topic]], not " + quoted(topic) +
                      did_you_mean(topic, known_topics_));
      }
      return;
    }
    if (group_by.empty() && !found->key) {
      complain_({section, index, "group_by"},
                "must be given, because the topic " + quoted(topic) + " has no key");
    }
  }

  const PipelineConfig& config_;
  const Complain& complain_;
  std::vector<std::string> known_topics_;
  std::vector<std::string> sink_names_;
  std::map<std::string, std::string_view> names_;  // name -> section that has it
};

}  // namespace

void check_config(const PipelineConfig& config, const Complain& complain) {
  Checker(config, complain).check();
}

}  // namespace penstock::config
