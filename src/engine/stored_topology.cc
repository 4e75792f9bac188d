#include "engine/stored_topology.h"

#include <algorithm>

#include "core/bytes.h"
#include "log/read_partition.h"
#include "topology/topology_diff.h"

namespace penstock::engine {

namespace {

using topology::TopologyDescription;

log::TopicConfig topic_config() {
  log::TopicConfig config;
  config.name = kTopologiesTopic;
  config.cleanup = log::CleanupPolicy::kCompact;
  return config;
}

// 0: there is no such topic yet.
std::int32_t partitions_of(const log::Log& log, const topology::Topology& topology,
                           const std::string& topic) {
  for (const topology::InternalTopic& internal : topology.internal_topics()) {
    if (internal.name == topic && internal.partitions_of != topic) {
      return partitions_of(log, topology, internal.partitions_of);
    }
  }
  const auto info = log.topic(topic);
  return info ? info->config.partition_count : 0;
}

}  // namespace

RecordBatch Announcement::batch(Timestamp now) const {
  RecordBatchBuilder builder;
  builder.append(now, as_bytes(application), as_bytes(description));
  return builder.finish();
}

Result<std::optional<TopologyDescription>> stored_topology(log::Log& log,
                                                           std::string_view application) {
  const auto topic = log.topic(kTopologiesTopic);
  if (!topic) {
    return topic.error().code() == ErrorCode::kNotFound
               ? Result<std::optional<TopologyDescription>>(std::nullopt)
               : topic.error();
  }
  std::optional<std::string> latest;
  PENSTOCK_TRY(log::read_partition(
      log, {topic->id, PartitionId(0)}, "topologies", [&](const RecordView& record) -> Status {
        if (record.key.has_value() && as_text(*record.key) == application) {
          latest = record.value.has_value() ? std::optional<std::string>(as_text(*record.value))
                                            : std::nullopt;
        }
        return {};
      }));
  if (!latest.has_value()) {
    return std::optional<TopologyDescription>();
  }
  auto description = topology::parse_description(*latest);
  if (!description) {
    return description.error().with("topic \"" + std::string(kTopologiesTopic) + "\"");
  }
  return std::optional(*std::move(description));
}

Result<std::optional<Announcement>> announcement_of(
    log::Log& log, const TopologyDescription& now,
    const std::optional<TopologyDescription>& stored) {
  if (stored == now) {
    return std::optional<Announcement>();
  }
  const auto topic = log.ensure_topic(topic_config());
  if (!topic) {
    return topic.error().with("topic \"" + std::string(kTopologiesTopic) + "\"");
  }
  return std::optional(Announcement{topic->id, now.application, to_json(now)});
}

TopologyDescription describe_on(const log::Log& log, const topology::Topology& topology,
                                std::string_view application) {
  TopologyDescription description = topology::describe(topology, application);
  for (topology::DescribedSubTopology& sub : description.sub_topologies) {
    sub.partitions = partitions_of(log, topology, sub.sources.front());
  }
  for (topology::DescribedRepartition& repartition : description.repartitions) {
    repartition.partitions = partitions_of(log, topology, repartition.topic);
  }
  return description;
}

Status check_takeover(const TopologyDescription& stored, const TopologyDescription& now) {
  const topology::TopologyDiff found = topology::diff(stored, now);
  const auto obstacle = std::ranges::find(found.findings, topology::Verdict::kIncompatible,
                                          &topology::Finding::verdict);
  if (obstacle == found.findings.end()) {
    return {};
  }
  return Error(ErrorCode::kInvalid,
               "the state of application \"" + now.application +
                   "\" was written by a version of it that this one cannot follow: " +
                   obstacle->what + ": " + obstacle->why +
                   ". Go back to the version before, or give the application another id (or the "
                   "store another name) to begin anew; `penstock topology diff` lists all "
                   "differences");
}

}  // namespace penstock::engine
