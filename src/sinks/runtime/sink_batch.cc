#include "sinks/runtime/sink_batch.h"

#include <utility>

#include "core/check.h"

namespace penstock::sinks {
namespace {

std::size_t index_of(PartitionId partition) {
  return static_cast<std::size_t>(partition.value());
}

}  // namespace

void SinkBatch::clear(std::vector<Offset> positions) {
  begins_ = positions;
  positions_ = std::move(positions);
  records_.clear();
  fates_.clear();
  memory_.clear();
  readers_.clear();
  size_bytes_ = 0;
}

Status SinkBatch::add(const log::FetchedBatch& fetched) {
  PENSTOCK_TRY_ASSIGN(const RecordBatchView batch,
                      RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kChecksum));
  const PartitionId partition = fetched.from.partition;
  PENSTOCK_CHECK(index_of(partition) < positions_.size());
  Offset& position = positions_[index_of(partition)];
  if (batch.last_offset() < position) {
    return {};
  }
  RecordReader reader(batch);
  RecordView record;
  while (!batch.is_control() && reader.next(record)) {
    if (record.offset >= position) {
      records_.push_back({partition, record});
      fates_.push_back(Fate::kWrite);
    }
  }
  PENSTOCK_TRY(reader.status());
  position = batch.last_offset() + 1;
  size_bytes_ += fetched.bytes.size();
  memory_.push_back(fetched.memory);
  readers_.push_back(std::move(reader));
  return {};
}

std::vector<std::size_t> SinkBatch::to_write(std::size_t begin, std::size_t end) const {
  std::vector<std::size_t> found;
  for (std::size_t i = begin; i < end; ++i) {
    if (fates_[i] == Fate::kWrite) {
      found.push_back(i);
    }
  }
  return found;
}

std::vector<SinkMove> SinkBatch::moves(const std::vector<Offset>& stored, std::size_t end) const {
  std::vector<Offset> ends = positions_;
  for (std::size_t i = records_.size(); i > end; --i) {
    const SinkRecord& later = records_[i - 1];
    ends[index_of(later.partition)] = later.record.offset;
  }
  std::vector<SinkMove> moves;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] != stored[i]) {
      moves.push_back({PartitionId(static_cast<std::int32_t>(i)), stored[i], ends[i]});
    }
  }
  return moves;
}

}  // namespace penstock::sinks
