#include "engine/repartition_purge.h"

#include <vector>

namespace penstock::engine {

void RepartitionPurge::watch(const topology::Topology& topology,
                             const TaskEnvironment& environment) {
  for (const topology::InternalTopic& topic : topology.internal_topics()) {
    if (topic.kind == topology::InternalTopic::Kind::kRepartition) {
      topics_.insert(environment.topics.find(topic.name)->second.id);
    }
  }
}

Status RepartitionPurge::run_once(os::TimePoint now,
                                  const std::map<Task::Id, std::unique_ptr<Task>>& tasks) {
  if (topics_.empty() || (last_.has_value() && now - *last_ < interval_)) {
    return {};
  }
  last_ = now;
  std::vector<log::Consumer::Position> read;
  for (const auto& [id, task] : tasks) {
    for (const auto& queue : task->queues()) {
      const auto purged = purged_.try_emplace(queue->from(), Offset(0)).first;
      if (topics_.contains(queue->from().topic) && queue->committed() > purged->second) {
        read.push_back({queue->from(), queue->committed()});
      }
    }
  }
  if (read.empty()) {
    return {};
  }
  PENSTOCK_TRY(log_.delete_records(read));
  for (const log::Consumer::Position& at : read) {
    purged_[at.partition] = at.offset;
  }
  return {};
}

}  // namespace penstock::engine
