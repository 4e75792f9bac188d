// EventCopy is an event with the place it came from, as one value: what the changelog of a table
// and the repartition topic before it hold.
//
//   partition, offset, timestamp (varints), then the event's bytes
#pragma once

#include <array>
#include <compare>

#include "core/bytes.h"
#include "core/result.h"
#include "record/types.h"

namespace penstock::store {

// Orders events: of two of one key the larger one is the later one.
struct EventOrigin {
  Timestamp timestamp;
  PartitionId partition;
  Offset offset;

  friend constexpr auto operator<=>(const EventOrigin&, const EventOrigin&) = default;
};

struct EventCopy {
  EventOrigin origin;
  ByteView value;  // not owned
};

// Writes over `to`.
void encode_event_copy(const EventCopy& event, Bytes& to);
// kInvalid if it is cut short. The value points into `bytes`.
[[nodiscard]] Result<EventCopy> decode_event_copy(ByteView bytes);

}  // namespace penstock::store
