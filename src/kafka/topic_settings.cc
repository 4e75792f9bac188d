#include "kafka/topic_settings.h"

#include <charconv>
#include <limits>

#include "log/topic_rules.h"

namespace penstock::kafka {
namespace {

template <typename T>
std::string limit_text(const std::optional<T>& limit) {
  if (!limit.has_value()) {
    return "-1";
  }
  if constexpr (std::is_integral_v<T>) {
    return std::to_string(*limit);
  } else {
    return std::to_string(limit->count());
  }
}

Result<std::int64_t> number(const TopicState& state, const std::string& key) {
  const auto found = state.settings.find(key);
  std::int64_t value = 0;
  if (found != state.settings.end()) {
    const char* const end = found->second.data() + found->second.size();
    if (const auto read = std::from_chars(found->second.data(), end, value);
        read.ec == std::errc() && read.ptr == end) {
      return value;
    }
  }
  return Error(ErrorCode::kInvalid,
               "topic \"" + state.name + "\": the brokers do not say what " + key + " is");
}

}  // namespace

std::map<std::string, std::string> retention_settings(const log::TopicConfig& config) {
  return {{"retention.ms", limit_text(config.retention_time)},
          {"retention.bytes", limit_text(config.retention_bytes)}};
}

std::map<std::string, std::string> settings_for_new_topic(const log::TopicConfig& config,
                                                          const Options& options) {
  std::map<std::string, std::string> settings = retention_settings(config);
  settings["cleanup.policy"] =
      config.cleanup == log::CleanupPolicy::kCompact ? "compact" : "delete";
  settings["min.insync.replicas"] = std::to_string(options.min_insync_replicas);
  settings["max.message.bytes"] = std::to_string(options.message_bytes_max);
  settings["message.timestamp.type"] = "CreateTime";
  // Times are those of the events: brokers are not to refuse what a clock somewhere got wrong.
  settings["message.timestamp.after.max.ms"] =
      std::to_string(std::numeric_limits<std::int64_t>::max());
  return settings;
}

Result<log::TopicConfig> config_of(const TopicState& state, std::string name) {
  log::TopicConfig config;
  config.name = std::move(name);
  config.partition_count = state.partition_count;
  PENSTOCK_TRY_ASSIGN(const std::int64_t time_ms, number(state, "retention.ms"));
  PENSTOCK_TRY_ASSIGN(const std::int64_t bytes, number(state, "retention.bytes"));
  if (time_ms >= 0) {
    config.retention_time = std::chrono::milliseconds(time_ms);
  }
  if (bytes >= 0) {
    config.retention_bytes = static_cast<std::uint64_t>(bytes);
  }
  const auto cleanup = state.settings.find("cleanup.policy");
  if (cleanup != state.settings.end() && cleanup->second.find("compact") != std::string::npos) {
    config.cleanup = log::CleanupPolicy::kCompact;
  }
  return config;
}

Status check_topic(const log::TopicConfig& existing, const TopicState& state,
                   const log::TopicConfig& wanted, const Options& options) {
  PENSTOCK_TRY(log::check_same_topic(existing, wanted));
  const std::string topic = "topic \"" + state.name + "\" exists with ";
  if (state.replication_factor < options.replication_factor) {
    return Error(ErrorCode::kInvalid,
                 topic + "replication factor " + std::to_string(state.replication_factor) +
                     ", and " + std::to_string(options.replication_factor) +
                     " is asked for: give it more replicas (kafka-reassign-partitions.sh), or "
                     "lower the setting");
  }
  PENSTOCK_TRY_ASSIGN(const std::int64_t in_sync, number(state, "min.insync.replicas"));
  if (in_sync < options.min_insync_replicas) {
    return Error(ErrorCode::kInvalid,
                 topic + "min.insync.replicas " + std::to_string(in_sync) + ", and " +
                     std::to_string(options.min_insync_replicas) +
                     " is asked for: raise it (kafka-configs.sh --alter --add-config "
                     "min.insync.replicas=" +
                     std::to_string(options.min_insync_replicas) + "), or lower the setting");
  }
  return {};
}

}  // namespace penstock::kafka
