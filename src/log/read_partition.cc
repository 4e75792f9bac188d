#include "log/read_partition.h"

#include <memory>
#include <optional>
#include <utility>

#include "core/units.h"

namespace penstock::log {
namespace {

constexpr std::size_t kPollBytes = 1 * kMiB;
constexpr std::chrono::milliseconds kPollWait{100};

Result<Offset> read_batch(ByteView bytes, UniqueFunction<Status(const RecordView&)>& visit) {
  PENSTOCK_TRY_ASSIGN(const RecordBatchView batch,
                      RecordBatchView::parse(bytes, RecordBatchView::Verify::kHeaderOnly));
  RecordReader reader(batch);
  RecordView record;
  while (!batch.is_control() && reader.next(record)) {
    PENSTOCK_TRY(visit(record));
  }
  PENSTOCK_TRY(reader.status());
  return batch.last_offset() + 1;
}

}  // namespace

Status read_partition(Log& log, TopicPartition partition, std::string name,
                      UniqueFunction<Status(const RecordView&)> visit) {
  PENSTOCK_TRY_ASSIGN(const PartitionOffsets offsets, log.offsets(partition));
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<Consumer> consumer,
                      log.open_consumer({.name = std::move(name)}));
  PENSTOCK_TRY(consumer->assign({{partition, offsets.start}}));
  // Also what was committed so lately that it is not visible yet.
  PENSTOCK_TRY_ASSIGN(const Offset end, log.written_end(partition));
  for (Offset at = offsets.start; at < end;) {
    PENSTOCK_TRY_ASSIGN(const Consumer::Polled polled, consumer->poll(kPollBytes));
    if (polled.batches.empty()) {
      consumer->wait(kPollWait);
    }
    for (const FetchedBatch& fetched : polled.batches) {
      PENSTOCK_TRY_ASSIGN(at, read_batch(fetched.bytes, visit));
    }
  }
  return {};
}

}  // namespace penstock::log
