#include "wal/state.h"

#include <string>

#include "record/record_batch.h"

namespace penstock::wal {
namespace {

// What an offset commit takes besides its texts, with some to spare.
constexpr std::size_t kOffsetEntrySize = 64;

Result<BatchShape> shape_of(const RecordBatch& batch) {
  PENSTOCK_TRY_ASSIGN(const RecordBatchView view,
                      RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kChecksum));
  if (view.size_bytes() != batch.bytes.size()) {
    return Error(ErrorCode::kInvalid, "bytes are left over behind the record batch");
  }
  const std::int64_t last_delta = view.last_offset() - view.base_offset();
  if (view.record_count() == 0 || view.record_count() != last_delta + 1) {
    return Error(ErrorCode::kInvalid, "the record batch has " +
                                          std::to_string(view.record_count()) + " records for " +
                                          std::to_string(last_delta + 1) + " offsets");
  }
  return BatchShape{static_cast<std::uint32_t>(last_delta), view.max_timestamp()};
}

}  // namespace

void raise_members(State& state, std::string_view group_id) {
  for (const log::GroupCoordinator::MemberId member : state.groups.members_of(group_id)) {
    if (const auto found = state.members.find(member); found != state.members.end()) {
      found->second->signal.raise();
    }
  }
}

Result<std::vector<BatchShape>> check_batches(const std::vector<log::PartitionBatch>& batches) {
  std::vector<BatchShape> shapes;
  shapes.reserve(batches.size());
  for (const log::PartitionBatch& batch : batches) {
    auto shape = shape_of(batch.batch);
    if (!shape) {
      // Whatever it is, it is the caller's: kCorrupt is for what the log itself has stored.
      return Error(ErrorCode::kInvalid, shape.error().message())
          .with("partition " + to_string(batch.to.partition) + " of topic number " +
                to_string(batch.to.topic));
    }
    shapes.push_back(*shape);
  }
  return shapes;
}

std::size_t size_of(const Request& request) {
  std::size_t size = 0;
  for (const log::PartitionBatch& batch : request.batches) {
    size += kBatchEntryOverhead + batch.batch.bytes.size();
  }
  for (const MovedBatch& batch : request.moved) {
    size += kMovedBatchEntryOverhead + batch.bytes.size();
  }
  for (const GroupOffsets& group : request.offsets) {
    for (const log::OffsetCommit& commit : group.offsets) {
      size += kOffsetEntrySize + group.group.group_id.size() + commit.metadata.size();
    }
  }
  return size;
}

}  // namespace penstock::wal
