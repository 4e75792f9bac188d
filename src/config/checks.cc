#include "config/checks.h"

#include <algorithm>
#include <array>
#include <map>

#include "config/column.h"
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
    std::vector<std::string> names;
    for (std::size_t i = 0; i < config_.postgres.size(); ++i) {
      const PostgresSettings& sink = config_.postgres[i];
      if (std::find(names.begin(), names.end(), sink.name) != names.end()) {
        complain_({"postgres", i, "name"},
                  "must be a name of its own: there is another sink " + quoted(sink.name));
      }
      names.push_back(sink.name);
      check_secrets(i, sink);
      check_delivered(i, sink.topic);
      check_columns(i, sink);
      if (sink.retry_wait_max < sink.retry_wait_min) {
        complain_({"postgres", i, "retry_wait_max"}, "must not be less than retry_wait_min");
      }
    }
  }

  // Without the values: messages go to logs and screens.
  void check_secrets(std::size_t index, const PostgresSettings& sink) {
    if (sink.password && !is_reference(*sink.password)) {
      complain_({"postgres", index, "password"},
                "must be \"${env:NAME}\" or \"${file:PATH}\": passwords stand outside of the file");
    }
    if (holds_password(sink.connection)) {
      complain_({"postgres", index, "connection"},
                "must not hold a password; postgres.password says where it is");
    }
  }

  void check_delivered(std::size_t index, const std::string& topic) {
    std::vector<std::string> known = known_topics_;
    for (const AggregateSettings& job : config_.aggregates) {
      known.push_back(job.name);
    }
    if (!topic.empty() && std::find(known.begin(), known.end(), topic) == known.end()) {
      complain_({"postgres", index, "topic"},
                "must be a topic that is declared with [[topic]], or the name of an [[aggregate]], "
                "not " +
                    quoted(topic) + did_you_mean(topic, known));
    }
  }

  void check_columns(std::size_t index, const PostgresSettings& sink) {
    std::vector<std::string> columns;
    for (const std::string& text : sink.columns) {
      const auto column = parse_column(text);
      if (!column) {
        return;  // complained about already
      }
      if (std::find(columns.begin(), columns.end(), column->name) != columns.end()) {
        complain_({"postgres", index, "columns"},
                  "must not have " + quoted(column->name) + " twice");
      }
      columns.push_back(column->name);
    }
    if (columns.empty() && !sink.table.empty()) {
      complain_({"postgres", index, "columns"}, "must have at least one");
    }
    if (sink.mode == "upsert" && sink.key.empty()) {
      complain_({"postgres", index, "key"}, "must be given where mode is \"upsert\"");
    }
    if (sink.mode == "append" && !sink.key.empty()) {
      complain_({"postgres", index, "key"}, "means nothing where mode is \"append\"");
    }
    for (const std::string& name : sink.key) {
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
        complain_({"postgres", index, "key"}, "must be of the columns, and " + quoted(name) +
                                                  " is not" + did_you_mean(name, columns));
      }
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
  std::map<std::string, std::string_view> names_;  // name -> section that has it
};

}  // namespace

void check_config(const PipelineConfig& config, const Complain& complain) {
  Checker(config, complain).check();
}

}  // namespace penstock::config
