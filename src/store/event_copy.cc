#include "store/event_copy.h"

#include <algorithm>

#include "core/varint.h"

namespace penstock::store {

void encode_event_copy(const EventCopy& event, Bytes& to) {
  to.resize(3 * kVarintSizeMax + event.value.size());
  std::byte* end = put_varint(to.data(), event.origin.partition.value());
  end = put_varint(end, event.origin.offset.value());
  end = put_varint(end, event.origin.timestamp.value());
  end = std::ranges::copy(event.value, end).out;
  to.resize(static_cast<std::size_t>(end - to.data()));
}

Result<EventCopy> decode_event_copy(ByteView bytes) {
  std::array<std::int64_t, 3> numbers{};
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  for (std::int64_t& number : numbers) {
    at = get_varint(at, end, number);
    if (at == nullptr) {
      return Error(ErrorCode::kInvalid, "a copy of an event is cut short");
    }
  }
  const EventOrigin origin{Timestamp(numbers[2]),
                           PartitionId(static_cast<std::int32_t>(numbers[0])), Offset(numbers[1])};
  return EventCopy{origin, ByteView(at, end)};
}

}  // namespace penstock::store
