#include "kafka/client_settings.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/check.h"

namespace penstock::kafka {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

// Exactly once, or our own bookkeeping, depends on these.
constexpr std::array kOurs = std::to_array<std::string_view>({
    "acks",
    "allow.auto.create.topics",
    "auto.commit.enable",
    "auto.offset.reset",
    "bootstrap.servers",
    "client.id",
    "client.rack",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "isolation.level",
    "linger.ms",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.max.bytes",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "partitioner",
    "plugin.library.paths",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queued.max.messages.kbytes",
    "request.required.acks",
    "session.timeout.ms",
    "transaction.timeout.ms",
    "transactional.id",
});

std::string text(std::chrono::milliseconds time) {
  return std::to_string(time.count());
}

void add_common(const Options& options, Settings& to) {
  to.emplace_back("bootstrap.servers", options.bootstrap_servers);
  to.emplace_back("client.id", options.client_id);
  if (!options.rack.empty()) {
    to.emplace_back("client.rack", options.rack);
  }
  to.emplace_back("message.max.bytes", std::to_string(options.message_bytes_max));
  to.emplace_back("socket.nagle.disable", "true");
  to.emplace_back("socket.keepalive.enable", "true");
  // A broker that is back is found soon; the default waits up to 10 s.
  to.emplace_back("reconnect.backoff.max.ms", "1000");
  // Transactions are retried in steps of this while markers are still being written.
  to.emplace_back("retry.backoff.ms", "10");
  to.emplace_back("log.connection.close", "false");
}

void add_producer(const Options& options, Settings& to) {
  to.emplace_back("enable.idempotence", "true");
  to.emplace_back("acks", "all");
  to.emplace_back("compression.type", "lz4");
  to.emplace_back("linger.ms", text(options.linger));
  to.emplace_back("batch.num.messages", "100000");
  // The limits are ours, in bytes, and checked before anything is taken.
  to.emplace_back("queue.buffering.max.messages", "0");
  to.emplace_back("queue.buffering.max.kbytes", "2147483647");
}

void add_consumer(const Options& options, Settings& to) {
  to.emplace_back("isolation.level", "read_committed");
  to.emplace_back("enable.auto.commit", "false");
  to.emplace_back("enable.auto.offset.store", "false");
  // A position that is gone is our business: see Consumer.
  to.emplace_back("auto.offset.reset", "error");
  to.emplace_back("enable.partition.eof", "true");
  to.emplace_back("fetch.wait.max.ms", text(options.fetch_wait));
  to.emplace_back("fetch.error.backoff.ms", "50");
  to.emplace_back("fetch.queue.backoff.ms", "10");
  to.emplace_back("queued.max.messages.kbytes",
                  std::to_string(options.fetch_queue_bytes_max / kKiB));
  to.emplace_back("check.crcs", "true");
}

Settings settings_of(const Options& options, ClientKind kind, const ClientIdentity& identity) {
  Settings settings;
  add_common(options, settings);
  switch (kind) {
    case ClientKind::kAppender:
      add_producer(options, settings);
      settings.emplace_back("delivery.timeout.ms", text(options.delivery_timeout));
      break;
    case ClientKind::kTransactional:
      add_producer(options, settings);
      settings.emplace_back("transactional.id", identity.transactional_id);
      settings.emplace_back("transaction.timeout.ms", text(options.transaction_timeout));
      // Some calls look at their own time limit only when a request has come back.
      settings.emplace_back("socket.timeout.ms", text(std::min(options.request_timeout,
                                                               options.transaction_timeout / 2)));
      break;
    case ClientKind::kReader:
      add_consumer(options, settings);
      // librdkafka wants one even of a client that never joins a group.
      settings.emplace_back("group.id", options.prefix + "penstock-reader");
      break;
    case ClientKind::kMember:
      add_consumer(options, settings);
      settings.emplace_back("group.id", identity.group_id);
      if (!identity.instance_id.empty()) {
        settings.emplace_back("group.instance.id", identity.instance_id);
      }
      // Equal numbers of all topics go to one member, as tasks need.
      settings.emplace_back("partition.assignment.strategy", "range");
      settings.emplace_back("session.timeout.ms", text(options.session_timeout));
      settings.emplace_back("heartbeat.interval.ms", text(options.session_timeout / 5));
      break;
  }
  return settings;
}

Error invalid(const std::string& key, std::string_view problem) {
  return {ErrorCode::kInvalid, "kafka client setting \"" + key + "\" " + std::string(problem)};
}

Status add_operators(const Options& options, rd_kafka_conf_t* conf) {
  for (const auto& [key, value] : options.client_settings) {
    if (std::ranges::find(kOurs, key) != kOurs.end()) {
      return invalid(key, "cannot be changed here: Penstock sets it itself");
    }
    // librdkafka's own message would show the value.
    switch (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), nullptr, 0)) {
      case RD_KAFKA_CONF_OK:
        break;
      case RD_KAFKA_CONF_UNKNOWN:
        return invalid(key, "is unknown to librdkafka");
      case RD_KAFKA_CONF_INVALID:
        return invalid(key, "has a value that librdkafka does not take");
    }
  }
  return {};
}

}  // namespace

Result<ConfHandle> make_conf(const Options& options, ClientKind kind,
                             const ClientIdentity& identity) {
  ConfHandle conf(rd_kafka_conf_new());
  for (const auto& [key, value] : settings_of(options, kind, identity)) {
    char reason[256];
    if (rd_kafka_conf_set(conf.get(), key.c_str(), value.c_str(), reason, sizeof(reason)) !=
        RD_KAFKA_CONF_OK) {
      return invalid(key, reason);
    }
  }
  PENSTOCK_TRY(add_operators(options, conf.get()));
  return conf;
}

}  // namespace penstock::kafka
