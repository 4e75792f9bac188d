// What a store keeps beside its changelog, as text in the metadata of a committed offset.
//
//   d=<definition>,t=<stream time>,x=<dropped before>,c=<changes from>,n=<last number>,
//   i=<state id>,g=<commits>,p<partition>=<offset>...
//
// Numbers in decimal; unknown letters are skipped, so that later versions can add some. t, x and c
// are of window stores only, n of those that keep duplicates, i and g of those on a disk (0 is left
// out).
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

struct StoreMetadata {
  std::uint32_t definition = 0;              // hash of what must not change while there is state
  Timestamp stream_time = kNoStreamTime;     // the largest timestamp counted
  Timestamp dropped_before = kNoStreamTime;  // windows that start before this are gone
  Offset changes_from{0};  // changes at and after this changelog offset may not have been put out
  std::uint32_t last_number = 0;  // given to a value that is kept beside others
  std::uint32_t state_id = 0;     // random: tells this state from one that begins anew
  std::uint64_t commit_count = 0;
  Completeness complete;

  friend bool operator==(const StoreMetadata&, const StoreMetadata&) = default;
};

[[nodiscard]] std::string format_store_metadata(const StoreMetadata& metadata);
// kInvalid if it is not what format_store_metadata() writes, or not of this definition. `store` is
// for the message.
[[nodiscard]] Result<StoreMetadata> parse_store_metadata(std::string_view text,
                                                         std::string_view store,
                                                         std::uint32_t definition);

}  // namespace penstock::store
