#include "engine/topics.h"

namespace penstock::engine {

namespace {

using topology::InternalTopic;

log::TopicConfig config_of(const InternalTopic& topic, std::int32_t partition_count) {
  log::TopicConfig config;
  config.name = topic.name;
  config.partition_count = partition_count;
  switch (topic.kind) {
    case InternalTopic::Kind::kChangelog:
      config.cleanup = log::CleanupPolicy::kCompact;
      break;
    case InternalTopic::Kind::kRepartition:  // see RepartitionPurge
      break;
    case InternalTopic::Kind::kOutput:
      config.retention_time = topic.retention;
      break;
  }
  return config;
}

Status find_topic(const log::Log& log, const std::string& name, TopicHandles& handles) {
  if (handles.contains(name)) {
    return {};
  }
  const auto info = log.topic(name);
  if (!info) {
    return info.error().with("topic \"" + name + "\"");
  }
  handles[name] = {info->id, info->config.partition_count};
  return {};
}

Status check_co_partitioned(const topology::SubTopology& sub, const TopicHandles& handles) {
  const std::string& first = sub.sources.front().topics.front();
  const std::int32_t partition_count = handles.find(first)->second.partition_count;
  for (const topology::SourceNode& source : sub.sources) {
    for (const std::string& topic : source.topics) {
      if (handles.find(topic)->second.partition_count != partition_count) {
        return Error(ErrorCode::kInvalid, "topics \"" + first + "\" and \"" + topic +
                                              "\" are read together and must have the same "
                                              "number of partitions");
      }
    }
  }
  return {};
}

}  // namespace

Result<TopicHandles> prepare_topics(log::Log& log, const topology::Topology& topology) {
  TopicHandles handles;
  for (const InternalTopic& topic : topology.internal_topics()) {
    if (!handles.contains(topic.partitions_of)) {
      PENSTOCK_TRY(find_topic(log, topic.partitions_of, handles));
    }
    const std::int32_t partition_count = handles[topic.partitions_of].partition_count;
    const auto info = log.ensure_topic(config_of(topic, partition_count));
    if (!info) {
      return info.error().with("topic \"" + topic.name + "\"");
    }
    handles[topic.name] = {info->id, info->config.partition_count};
  }
  for (const topology::GlobalTable& table : topology.global_tables()) {
    PENSTOCK_TRY(find_topic(log, table.topic, handles));
  }
  for (const topology::SubTopology& sub : topology.sub_topologies()) {
    for (const topology::SourceNode& source : sub.sources) {
      for (const std::string& topic : source.topics) {
        PENSTOCK_TRY(find_topic(log, topic, handles));
      }
    }
    for (const topology::SinkNode& sink : sub.sinks) {
      PENSTOCK_TRY(find_topic(log, sink.options.topic, handles));
    }
    PENSTOCK_TRY(check_co_partitioned(sub, handles));
  }
  return handles;
}

}  // namespace penstock::engine
