#include "kafka/topic_directory.h"

#include <set>
#include <utility>

namespace penstock::kafka {

std::optional<std::string> TopicDirectory::name_of(std::string_view kafka_name) const {
  if (!kafka_name.starts_with(prefix_)) {
    return std::nullopt;
  }
  return std::string(kafka_name.substr(prefix_.size()));
}

log::TopicInfo TopicDirectory::Topics::put(const log::TopicConfig& config) {
  const auto known = by_name.find(config.name);
  if (known != by_name.end() && by_id[known->second].partition_count <= config.partition_count) {
    by_id[known->second] = config;
    return {known->second, config};
  }
  remove(config.name);  // fewer partitions than before: it was deleted and made again
  const TopicId id(next++);
  by_name[config.name] = id;
  by_id[id] = config;
  return {id, config};
}

void TopicDirectory::Topics::remove(std::string_view name) {
  if (const auto known = by_name.find(name); known != by_name.end()) {
    by_id.erase(known->second);
    by_name.erase(known);
  }
}

log::TopicInfo TopicDirectory::put(const log::TopicConfig& config) {
  return topics_.with([&](Topics& topics) { return topics.put(config); });
}

void TopicDirectory::remove(std::string_view name) {
  topics_.with([&](Topics& topics) { topics.remove(name); });
}

void TopicDirectory::put_all(const std::vector<log::TopicConfig>& configs) {
  topics_.with([&](Topics& topics) {
    std::set<std::string> names;
    for (const log::TopicConfig& config : configs) {
      topics.put(config);
      names.insert(config.name);
    }
    std::set<std::string> missing;
    std::vector<std::string> gone;
    for (const auto& [name, id] : topics.by_name) {
      if (!names.contains(name)) {
        missing.insert(name);
        if (topics.missing.contains(name)) {
          gone.push_back(name);
        }
      }
    }
    for (const std::string& name : gone) {
      topics.remove(name);
    }
    topics.missing = std::move(missing);
  });
}

std::vector<log::TopicInfo> TopicDirectory::all() const {
  return topics_.with([](const Topics& topics) {
    std::vector<log::TopicInfo> all;
    all.reserve(topics.by_name.size());
    for (const auto& [name, id] : topics.by_name) {
      all.push_back({id, topics.by_id.at(id)});
    }
    return all;
  });
}

std::optional<log::TopicInfo> TopicDirectory::find(TopicId id) const {
  return topics_.with([&](const Topics& topics) -> std::optional<log::TopicInfo> {
    const auto found = topics.by_id.find(id);
    return found == topics.by_id.end() ? std::nullopt
                                       : std::optional(log::TopicInfo{id, found->second});
  });
}

std::optional<TopicId> TopicDirectory::find(std::string_view name) const {
  return topics_.with([&](const Topics& topics) -> std::optional<TopicId> {
    const auto found = topics.by_name.find(name);
    return found == topics.by_name.end() ? std::nullopt : std::optional(found->second);
  });
}

Result<std::string> TopicDirectory::check(TopicPartition partition) const {
  const std::optional<log::TopicInfo> topic = find(partition.topic);
  if (!topic.has_value()) {
    return Error(ErrorCode::kNotFound, "there is no topic " + to_string(partition.topic));
  }
  if (partition.partition.value() < 0 ||
      partition.partition.value() >= topic->config.partition_count) {
    return Error(ErrorCode::kNotFound, "there is no partition " + to_string(partition.partition) +
                                           " of topic \"" + topic->config.name + "\"");
  }
  return kafka_name(topic->config.name);
}

}  // namespace penstock::kafka
