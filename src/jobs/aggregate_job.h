// An aggregate job counts and sums the events of a topic per group and tumbling window.
//
// make_aggregate_topology() turns the options of one [[aggregate]] into a topology with a window
// store, an output topic and, where needed, a repartition topic.
//
// If all events of a group lie in one partition anyway (the topic's key is among the group's
// fields, or the topic has one partition), each task counts its partition:
//
//   topic -> count -> store <name>, output <name>
//
// Otherwise each task counts its partition into partial aggregates, which go to the partition of
// their group at each commit and are merged there (docs/adr/0015-two-phase-aggregation.md):
//
//   topic -> count -> <name>-repartition -> merge -> store <name>, output <name>
//
// In both cases lateness is judged where the event is read, by the stream time of its partition,
// so a result does not depend on how partitions were interleaved.
//
// Which events count:
//   - A group field that is missing or null makes null, a group like any other (SQL's GROUP BY).
//   - An event whose group field is an object or an array, or that is no JSON, is dropped and
//     counted; so is one whose window had closed (late), and one whose window was dropped.
//   - A field to be summed that is no number does not take part and is counted.
//
// Errors    kInvalid  the options cannot be right; the message names the job and the setting
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "jobs/group_plan.h"
#include "store/query.h"
#include "topology/topology.h"

namespace penstock::jobs {

struct AggregateOptions {
  std::string name;  // of the store and of the output topic
  GroupedTopic topic;
  std::vector<std::string> group_by;  // JSON Pointers; none: one group of all
  std::chrono::milliseconds window{0};
  std::chrono::milliseconds grace{0};
  std::optional<std::chrono::milliseconds> retention;  // absent: until memory is short
  std::vector<store::AggregateColumn> columns;         // as they are shown
  // Each group is put out at most this often, and soon after its window has closed.
  std::chrono::milliseconds emit_interval{1000};
  std::optional<std::chrono::milliseconds> output_retention;  // absent: forever
};

[[nodiscard]] Result<topology::Topology> make_aggregate_topology(AggregateOptions options);

}  // namespace penstock::jobs
