// salvage_runs() finds what is left of a sealed segment when an operator accepts a loss.
//
// A start reads no more of a sealed segment than its index. Here all of it is read: the groups, and
// each batch that is still needed at the place that the index names, because a group that does not
// validate may hold batches that do. So no more is given up than what cannot be read, and what is
// accepted is everything that a reader would come upon later.
//
// Threads   one.
// Errors    those of reading files; damage is a result
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "os/file_system.h"
#include "wal/catalog.h"
#include "wal/run.h"

namespace penstock::wal {

struct Salvaged {
  std::vector<Ref<Run>> runs;       // what is sound, or not needed any more
  std::vector<std::string> damage;  // one sentence each, with file and position
  bool has_index = false;           // the index file lists these runs
};

// Damage of groups is told only if none in this segment was accepted before.
[[nodiscard]] Result<Salvaged> salvage_runs(os::FileSystem& files, const SegmentState& segment,
                                            const std::function<bool(const RunSummary&)>& needed);

}  // namespace penstock::wal
