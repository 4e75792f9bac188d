// partitions_of() lists the partitions of a topic, for questions about all of them at once.
#pragma once

#include <cstdint>
#include <vector>

#include "record/types.h"

namespace penstock::log {

[[nodiscard]] inline std::vector<TopicPartition> partitions_of(TopicId topic,
                                                               std::int32_t partition_count) {
  std::vector<TopicPartition> all;
  all.reserve(static_cast<std::size_t>(partition_count));
  for (std::int32_t number = 0; number < partition_count; ++number) {
    all.push_back({topic, PartitionId(number)});
  }
  return all;
}

}  // namespace penstock::log
