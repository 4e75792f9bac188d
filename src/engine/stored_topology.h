// StoredTopology is the description of the topology that an application's state was written by.
//
// It lies in a compacted topic that all applications share, one record each, under the
// application's id. A stream thread writes it in the transaction with the first state of a new
// version, so that state and description cannot disagree. Why:
// docs/adr/0028-topology-description.md.
//
// Threads   the caller's; reading waits for the log.
// Errors    those of the log; kInvalid  check_takeover(): the sentence says what is in the way, and
//           what to do
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "log/log.h"
#include "topology/description.h"

namespace penstock::engine {

inline constexpr std::string_view kTopologiesTopic = "penstock-topologies";

// A description that is to be written with the next commit.
struct Announcement {
  TopicId topic;
  std::string application;
  std::string description;  // JSON

  [[nodiscard]] RecordBatch batch(Timestamp now) const;
};

// Absent: the application has no state yet, or state from before descriptions were kept.
[[nodiscard]] Result<std::optional<topology::TopologyDescription>> stored_topology(
    log::Log& log, std::string_view application);

// Makes the topic. Nothing if `now` is stored already.
[[nodiscard]] Result<std::optional<Announcement>> announcement_of(
    log::Log& log, const topology::TopologyDescription& now,
    const std::optional<topology::TopologyDescription>& stored);

// As topology::describe(), with the numbers of partitions as far as the topics exist.
[[nodiscard]] topology::TopologyDescription describe_on(const log::Log& log,
                                                        const topology::Topology& topology,
                                                        std::string_view application);

// Whether the new version may go on with what the stored one has left.
[[nodiscard]] Status check_takeover(const topology::TopologyDescription& stored,
                                    const topology::TopologyDescription& now);

}  // namespace penstock::engine
