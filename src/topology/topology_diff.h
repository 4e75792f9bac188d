// diff() says what a new version of a topology makes of the state that an old one left behind.
//
// State is what stands under names: stores with their changelogs, and repartition topics, which
// hold records that were not read yet. Everything else may change freely.
//
//   kept          the same name and the same shape: the new version goes on with it
//   new           begins empty; it sees what comes from now on
//   dropped       stays in the log unused; records that a repartition topic still holds are lost
//   incompatible  the new version would misread it: it must not run with this state
//
// Threads   values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "topology/description.h"

namespace penstock::topology {

enum class Verdict : std::uint8_t { kKept, kNew, kDropped, kIncompatible };

[[nodiscard]] std::string_view to_string(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::kKept;
  std::string what;  // "store \"counts\"", "repartition topic \"...\""
  std::string why;   // of an incompatible one, and of a kept one that differs; else empty

  friend bool operator==(const Finding&, const Finding&) = default;
};

struct TopologyDiff {
  std::vector<Finding> findings;  // stores by name, then topics by name

  // The new version may run with the old one's state.
  [[nodiscard]] bool is_compatible() const;
};

[[nodiscard]] TopologyDiff diff(const TopologyDescription& before,
                                const TopologyDescription& after);

// A line for each finding.
[[nodiscard]] std::string to_text(const TopologyDiff& diff);

}  // namespace penstock::topology
