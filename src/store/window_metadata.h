// What a WindowStore keeps beside its changelog, as text in the metadata of a committed offset.
//
//   d=<definition>,t=<stream time>,x=<dropped before>,c=<changes from>,p<partition>=<offset>...
//
// Numbers in decimal; unknown letters are skipped, so that later versions can add some.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "record/types.h"
#include "store/window.h"

namespace penstock::store {

// Of the source topic's partitions: everything before the offset is in the store.
using Completeness = std::map<PartitionId, Offset>;

struct WindowMetadata {
  std::uint32_t definition = 0;              // hash of window, group_by and columns
  Timestamp stream_time = kNoStreamTime;     // the largest timestamp counted
  Timestamp dropped_before = kNoStreamTime;  // windows that start before this are gone
  Offset changes_from{0};  // changes at and after this changelog offset may not have been put out
  Completeness complete;

  friend bool operator==(const WindowMetadata&, const WindowMetadata&) = default;
};

[[nodiscard]] std::string format_window_metadata(const WindowMetadata& metadata);
// kInvalid if it is not what format_window_metadata() writes.
[[nodiscard]] Result<WindowMetadata> parse_window_metadata(std::string_view text);

}  // namespace penstock::store
