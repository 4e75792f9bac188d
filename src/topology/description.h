// TopologyDescription is what of a topology is data: its steps for people, its state for
// comparison.
//
// It can be written as JSON and read again, so that two versions of a program can be compared, and
// one that runs with what an earlier one left behind (docs/adr/0028-topology-description.md).
//
//   std::cout << to_json(describe(topology, "shop"));             a program, `penstock topology
//   show` diff(old, new)  ->  kept, new, dropped, incompatible          topology_diff.h
//
// Threads   values.
// Errors    kInvalid  parse_description(): no description, or one of a later version of Penstock
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "topology/topology.h"

namespace penstock::topology {

struct DescribedStore {
  std::string name;
  StoreShape shape;
  std::string changelog;

  friend bool operator==(const DescribedStore&, const DescribedStore&) = default;
};

struct DescribedSubTopology {
  std::vector<std::string> sources;  // topics; each task keeps its notes at the first
  std::int32_t partitions = 0;       // tasks; 0: not known before the program runs
  std::vector<DescribedStore> stores;
  std::vector<StepDescription> steps;

  friend bool operator==(const DescribedSubTopology&, const DescribedSubTopology&) = default;
};

struct DescribedRepartition {
  std::string topic;
  TypeNames types;
  std::int32_t partitions = 0;  // 0: not known before the program runs

  friend bool operator==(const DescribedRepartition&, const DescribedRepartition&) = default;
};

struct TopologyDescription {
  std::string application;
  std::vector<DescribedSubTopology> sub_topologies;
  std::vector<DescribedRepartition> repartitions;
  std::vector<DescribedSubTopology> global_tables{};  // one each; without tasks

  friend bool operator==(const TopologyDescription&, const TopologyDescription&) = default;
};

[[nodiscard]] TopologyDescription describe(const Topology& topology, std::string_view application);

// As org.apache.kafka.streams.TopologyDescription prints itself.
[[nodiscard]] std::string to_text(const TopologyDescription& description);
// A flow chart in Mermaid's language.
[[nodiscard]] std::string to_mermaid(const TopologyDescription& description);
// On one line.
[[nodiscard]] std::string to_json(const TopologyDescription& description);
[[nodiscard]] Result<TopologyDescription> parse_description(std::string_view json);

}  // namespace penstock::topology
