// The value of a partial aggregate in a repartition topic: the window's start (varint), then the
// aggregates as AggregateLayout encodes them.
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "core/result.h"
#include "record/types.h"
#include "store/aggregate.h"

namespace penstock::jobs {

// Writes over `to`.
void encode_partial(const store::AggregateLayout& layout, Timestamp window_start,
                    const std::uint64_t* cells, Bytes& to);
// Fills `cells`, of the layout's number; returns the start of the window. kInvalid if it was not
// written with this layout.
[[nodiscard]] Result<Timestamp> decode_partial(const store::AggregateLayout& layout, ByteView value,
                                               std::uint64_t* cells);

}  // namespace penstock::jobs
