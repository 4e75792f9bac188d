// A table job keeps the latest event of each group, as [[table]] declares it.
//
// If all events of a group lie in one partition (the topic's key is among the group's fields, or
// the topic has one partition), each task keeps those of its partition:
//
//   topic -> keep -> store <name>
//
// Otherwise events go to the partition of their group first:
//
//   topic -> rekey -> <name>-repartition -> keep -> store <name>
//
// Which event is the latest is said in src/store/table_store.h: that with the largest timestamp. A
// group is made as for aggregates (src/jobs/aggregate_job.h).
//
// Errors    kInvalid  the options cannot be right; the message names the job and the setting
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "jobs/group_plan.h"
#include "topology/topology.h"

namespace penstock::jobs {

struct TableOptions {
  std::string name;  // of the store
  GroupedTopic topic;
  std::vector<std::string> group_by;  // JSON Pointers; at least one
};

[[nodiscard]] Result<topology::Topology> make_table_topology(const TableOptions& options);

}  // namespace penstock::jobs
