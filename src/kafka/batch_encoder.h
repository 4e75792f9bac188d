// BatchEncoder makes one of our record batches of the messages that a poll brought of a partition.
//
// The batch covers all offsets from where the consumer stood to where it stands afterwards. Offsets
// without a record (transaction markers, aborted records, what compaction removed) are left out of
// it as compaction leaves them out, so readers of the port see no gap but where records were
// deleted.
//
// Threads   one
#pragma once

#include <vector>

#include <librdkafka/rdkafka.h>

#include "log/types.h"
#include "record/record_batch.h"

namespace penstock::kafka {

class BatchEncoder {
 public:
  // `from`: the first offset to cover.
  BatchEncoder(TopicPartition partition, Offset from)
      : partition_(partition), base_(from), next_(from) {}

  // A message at `next()` or later.
  void append(const rd_kafka_message_t& message);
  // There is no record before `to`.
  void skip_to(Offset to);

  [[nodiscard]] Offset next() const { return next_; }

  // Moves what was encoded to the end of `into`; nothing if nothing is covered.
  void finish(std::vector<log::FetchedBatch>& into);

 private:
  void close();

  const TopicPartition partition_;
  RecordBatchBuilder builder_;
  Offset base_;
  Offset next_;
  std::vector<log::FetchedBatch> closed_;
};

}  // namespace penstock::kafka
