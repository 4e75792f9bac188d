// The partition of a key, chosen as Kafka's Java clients choose it, so that all agree.
//
// Source: org.apache.kafka.common.utils.Utils.murmur2 and toPositive(murmur2(key)) % partitions.
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "record/types.h"

namespace penstock {

[[nodiscard]] std::uint32_t murmur2(ByteView key);

// `partition_count` > 0.
[[nodiscard]] PartitionId partition_for_key(ByteView key, std::int32_t partition_count);

}  // namespace penstock
