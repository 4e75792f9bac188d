// RepartitionPurge deletes the records of repartition topics once the application has read them.
//
// Nobody else reads those topics, so what lies before the committed offset is of no use. They have
// no retention in time: a record that was not read yet must not go, however old its timestamp is.
//
// Threads   that of the stream thread.
// Lifetime  the log and the topology outlive it.
// Errors    those of Log::delete_records(); the next turn tries again
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "engine/task.h"
#include "log/log.h"
#include "topology/topology.h"

namespace penstock::engine {

class RepartitionPurge {
 public:
  // At most once in `interval`, as it is a question to the log and a wait.
  RepartitionPurge(log::Log& log, std::chrono::milliseconds interval)
      : log_(log), interval_(interval) {}

  // Before the first turn.
  void watch(const topology::Topology& topology, const TaskEnvironment& environment);

  // After a commit: deletes what `tasks` have committed, if it is time.
  [[nodiscard]] Status run_once(os::TimePoint now,
                                const std::map<Task::Id, std::unique_ptr<Task>>& tasks);

 private:
  log::Log& log_;
  const std::chrono::milliseconds interval_;
  std::set<TopicId> topics_;
  std::map<TopicPartition, Offset> purged_;
  std::optional<os::TimePoint> last_;
};

}  // namespace penstock::engine
