// What goes through a repartition topic beside a job's own records, and how it is written.
//
//   record     key: tagged group key (src/store/key.h); value: the job's
//   progress   no key; value: source partition, next offset, stream time (varints)
//
// A task writes, up to each commit, the records of its partition to the partitions of their groups,
// and behind them a progress record to every partition. So the reader knows up to which source
// offsets it is complete, and how far event time has come, also where no record went.
// All have the time of the clock as timestamp: event time may be years ago, and retention must not
// delete what has not been read. The first record to each partition carries the time of acceptance.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "record/types.h"
#include "store/key.h"
#include "topology/processor.h"

namespace penstock::jobs {

// The sink of the first sub-topology.
inline constexpr const char* kToGroups = "to-groups";

struct Progress {
  PartitionId partition;
  Offset next_offset;
  Timestamp stream_time;  // store::kNoStreamTime: no records yet

  friend bool operator==(const Progress&, const Progress&) = default;
};

[[nodiscard]] Bytes encode_progress(const Progress& progress);
// kInvalid if it is cut short.
[[nodiscard]] Result<Progress> decode_progress(ByteView value);

// Threads   one.
// Lifetime  context and its output outlive it.
class RepartitionWriter {
 public:
  // The context has the output kToGroups.
  explicit RepartitionWriter(topology::ProcessorContext& context);

  // These records are being processed: progress and time of acceptance follow from them.
  void note(const topology::RecordSpan& records);
  void send(store::KeyView key, ByteView value);
  // Before a commit: progress to every partition, if there was any.
  void finish();
  // After a commit or an abort.
  void clear();

 private:
  [[nodiscard]] Timestamp now() const;

  topology::ProcessorContext& context_;
  topology::Output& output_;
  // Since the last commit:
  std::optional<Progress> progress_;
  std::optional<std::int64_t> ingest_us_;  // the oldest
  std::vector<bool> has_ingest_time_;      // by partition: sent
  Bytes key_;
};

}  // namespace penstock::jobs
