// How our offset commits look in librdkafka's lists of partitions.
#pragma once

#include <librdkafka/rdkafka.h>

#include "log/types.h"

namespace penstock::kafka {

// Sets offset and note; librdkafka frees what it is given.
void set_offset(rd_kafka_topic_partition_t& partition, const log::OffsetCommit& commit);

}  // namespace penstock::kafka
