// Gives the records of encoded batches to a librdkafka producer, one message each.
//
// librdkafka has no way to take a batch as it is; it encodes (and compresses) its own. Partition,
// timestamp and headers go with each message, which only rd_kafka_produceva() allows; the bytes are
// copied by librdkafka, so nothing has to outlive the call.
//
// Threads   one at a time per client
// Errors    kInvalid  the batch cannot be decoded, or a record is larger than the brokers take
//           else as kafka/error_map.h
#pragma once

#include <cstdint>

#include "core/result.h"
#include "kafka/client.h"
#include "record/record_batch.h"

namespace penstock::kafka {

struct Produced {
  std::uint64_t count = 0;  // messages that librdkafka took, also where not all were
  Status status;
};

// `tag` comes back as each message's opaque in Listener::on_delivery().
[[nodiscard]] Produced produce_batch(rd_kafka_t* client, rd_kafka_topic_t* topic,
                                     PartitionId partition, ByteView batch, void* tag);

}  // namespace penstock::kafka
