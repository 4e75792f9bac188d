// The ids and positions of Kafka's data model as distinct types.
#pragma once

#include <cstdint>

#include "core/strong_id.h"

namespace penstock {

// Position of a record in its partition, from 0; not every offset has a record (log/log.h, C2).
using Offset = StrongPosition<struct OffsetTag>;

// Milliseconds since 1970-01-01T00:00:00Z, as in Kafka records.
using Timestamp = StrongPosition<struct TimestampTag>;

using PartitionId = StrongId<struct PartitionIdTag, std::int32_t>;

// A topic's number inside one Log object; given by Log::topic(), never stored outside it.
using TopicId = StrongId<struct TopicIdTag, std::uint32_t>;

using ProducerId = StrongId<struct ProducerIdTag, std::int64_t>;
using ProducerEpoch = StrongId<struct ProducerEpochTag, std::int16_t>;

inline constexpr Timestamp kNoTimestamp{-1};
inline constexpr ProducerId kNoProducerId{-1};
inline constexpr ProducerEpoch kNoProducerEpoch{-1};

struct TopicPartition {
  TopicId topic;
  PartitionId partition;

  friend constexpr auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

}  // namespace penstock

template <>
struct std::hash<penstock::TopicPartition> {
  std::size_t operator()(const penstock::TopicPartition& at) const noexcept {
    return (static_cast<std::size_t>(at.topic.value()) << 32) ^
           static_cast<std::size_t>(at.partition.value());
  }
};
