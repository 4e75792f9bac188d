// SinkBatch is what a sink has read and not written yet: records of several partitions, in order
// per partition, and how far reading got, which may be further than the last record.
//
// Threads   one.
// Lifetime  records point into the memory of the batches they came in, which is held here, unpacked
//           where they were compressed.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "core/ref_counted.h"
#include "core/result.h"
#include "log/types.h"
#include "record/record_batch.h"
#include "sinks/runtime/destination.h"

namespace penstock::sinks {

class SinkBatch {
 public:
  // Forgets all; reading goes on at `positions`, by partition.
  void clear(std::vector<Offset> positions);

  // Takes the records that are not before the position. kInvalid, kCorrupt: the batch is damaged.
  [[nodiscard]] Status add(const log::FetchedBatch& fetched);

  [[nodiscard]] const std::vector<SinkRecord>& records() const { return records_; }

  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }

  // Whether there is anything to write: records, or a position that has moved over none.
  [[nodiscard]] bool has_moved() const { return positions_ != begins_; }

  [[nodiscard]] Offset position(PartitionId partition) const {
    return positions_[static_cast<std::size_t>(partition.value())];
  }

  [[nodiscard]] const std::vector<Fate>& fates() const { return fates_; }

  void skip(std::size_t index) { fates_[index] = Fate::kSkip; }

  // The records of [begin, end) that are to be written.
  [[nodiscard]] std::vector<std::size_t> to_write(std::size_t begin, std::size_t end) const;

  // From where partitions are, `stored`, to where they are once everything before record `end` has
  // been written; those that stay are left out.
  [[nodiscard]] std::vector<SinkMove> moves(const std::vector<Offset>& stored,
                                            std::size_t end) const;

 private:
  std::vector<Offset> begins_;
  std::vector<Offset> positions_;
  std::vector<SinkRecord> records_;
  std::vector<Fate> fates_;
  std::vector<Ref<RefCounted>> memory_;
  std::vector<RecordReader> readers_;  // hold the records of compressed batches
  std::size_t size_bytes_ = 0;
};

}  // namespace penstock::sinks
