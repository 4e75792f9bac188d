// Finds the topics that a topology reads and writes, and makes those that it brings with it.
//
// Errors    kNotFound  a topic that the topology reads or writes does not exist
//           kInvalid   topics that are read together have different numbers of partitions, or an
//                      internal topic exists with other settings
#pragma once

#include <map>
#include <string>

#include "core/result.h"
#include "engine/task.h"
#include "log/log.h"
#include "topology/topology.h"

namespace penstock::engine {

using TopicHandles = std::map<std::string, TopicHandle, std::less<>>;

// Safe to call again, also by several threads of one application.
[[nodiscard]] Result<TopicHandles> prepare_topics(log::Log& log,
                                                  const topology::Topology& topology);

}  // namespace penstock::engine
