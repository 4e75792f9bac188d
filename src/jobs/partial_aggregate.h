// What goes through a repartition topic: partial aggregates, and how far their source was read.
//
//   partial    key: tagged group key; value: window start (varint), encoded aggregates
//   progress   no key; value: source partition, next offset, stream time (varints)
//
// A task writes, with each commit, the partials of its partition to the partitions of their groups,
// and behind them a progress record to every partition. So the reader knows up to which source
// offsets it is complete, and how far event time has come, also where no partial went.
// Both have the time of the clock as timestamp: event time may be years ago, and retention must
// not delete what has not been read.
#pragma once

#include <optional>

#include "core/bytes.h"
#include "core/result.h"
#include "record/types.h"
#include "store/aggregate.h"
#include "store/key.h"

namespace penstock::jobs {

struct Progress {
  PartitionId partition;
  Offset next_offset;
  Timestamp stream_time;

  friend bool operator==(const Progress&, const Progress&) = default;
};

[[nodiscard]] Bytes encode_progress(const Progress& progress);
[[nodiscard]] Result<Progress> decode_progress(ByteView value);

// Writes over `to`.
void encode_partial(const store::AggregateLayout& layout, Timestamp window_start,
                    const std::uint64_t* cells, Bytes& to);
// Fills `cells`, of the layout's number; returns the start of the window.
[[nodiscard]] Result<Timestamp> decode_partial(const store::AggregateLayout& layout, ByteView value,
                                               std::uint64_t* cells);

}  // namespace penstock::jobs
