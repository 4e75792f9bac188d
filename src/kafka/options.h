// The settings of the Kafka log and their defaults.
//
// What librdkafka can be told beside them (security.protocol, sasl.*, ssl.*, compression.type, ...)
// goes through `client_settings` under librdkafka's own names. What exactly once depends on is set
// by us and refused there. Values are never logged and never part of a message: they may be secret.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/result.h"
#include "core/units.h"

namespace penstock::kafka {

struct Options {
  std::string bootstrap_servers;  // host:port, more with commas
  // In front of the name of every topic, group and transactional id; this log sees only topics that
  // begin with it. May be empty: then it sees all of the cluster's but Kafka's internal ones.
  std::string prefix;
  std::int16_t replication_factor = 3;  // of topics that are created
  std::int32_t min_insync_replicas = 2;
  std::string client_id = "penstock";
  std::string rack;  // where this process runs: it reads from replicas of the same rack
  std::map<std::string, std::string> client_settings;

  std::chrono::milliseconds request_timeout{20'000};  // of one question to the brokers
  // An append that is not acknowledged by then fails.
  std::chrono::milliseconds delivery_timeout{30'000};
  // A transaction that is still open then is aborted by the brokers. More than a failover takes,
  // which was seen to be 12 s; readers wait that long after a process has died within one.
  std::chrono::milliseconds transaction_timeout{30'000};
  // A member of a group that is silent that long loses its partitions.
  std::chrono::milliseconds session_timeout{10'000};
  std::chrono::milliseconds linger{1};
  // How long a broker keeps a question for records when there are none. Also how late it is noticed
  // that offsets at the end of a partition hold no record.
  std::chrono::milliseconds fetch_wait{100};
  // What is known of topics is asked again after that long.
  std::chrono::milliseconds topic_age_max{5'000};

  std::size_t append_queue_bytes_max = 64 * kMiB;  // beyond, append() answers kBusy
  std::size_t append_queue_length_max = 65'536;
  std::size_t transaction_bytes_max = 256 * kMiB;
  std::size_t fetch_queue_bytes_max = 32 * kMiB;  // of each consumer
  std::size_t message_bytes_max = 16 * kMiB;      // also of topics that are created
};

// kInvalid with a sentence that names the setting, never its value if that may be secret.
[[nodiscard]] Status check_options(const Options& options);

}  // namespace penstock::kafka
