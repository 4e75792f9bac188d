// Every record of a topic of the simulated log, partition by partition, with its checksum checked.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/check.h"
#include "core/function_ref.h"
#include "record/record_batch.h"
#include "testing/sim_log.h"

namespace penstock::testing {

inline void read_topic(SimLog& log, std::string_view topic,
                       FunctionRef<void(const RecordView&)> take) {
  const log::TopicInfo info = *log.topic(topic);
  for (std::int32_t number = 0; number < info.config.partition_count; ++number) {
    auto consumer =
        log.open_consumer({.name = "test", .group_id = {}, .topics = {}, .instance_id = {}});
    PENSTOCK_CHECK(consumer.has_value());
    PENSTOCK_CHECK((*consumer)->assign({{{info.id, PartitionId(number)}, Offset(0)}}).has_value());
    while (true) {
      auto polled = (*consumer)->poll(1 << 20);
      PENSTOCK_CHECK(polled.has_value());
      if (polled->batches.empty()) {
        break;
      }
      for (const log::FetchedBatch& batch : polled->batches) {
        const auto view = RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kChecksum);
        PENSTOCK_CHECK(view.has_value());
        RecordReader reader(*view);
        for (RecordView record; reader.next(record);) {
          take(record);
        }
      }
    }
  }
}

}  // namespace penstock::testing
