#include "kafka/offset_list.h"

#include <cstring>

namespace penstock::kafka {

void set_offset(rd_kafka_topic_partition_t& partition, const log::OffsetCommit& commit) {
  partition.offset = commit.next_offset.value();
  if (!commit.metadata.empty()) {
    partition.metadata = rd_kafka_mem_malloc(nullptr, commit.metadata.size());
    std::memcpy(partition.metadata, commit.metadata.data(), commit.metadata.size());
    partition.metadata_size = commit.metadata.size();
  }
}

}  // namespace penstock::kafka
