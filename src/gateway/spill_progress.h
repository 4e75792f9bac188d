// SpillProgress knows how much of the spill has been shipped, from records in the log itself.
//
// Each transaction that ships spilled batches also writes, into one compacted topic, up to where it
// has shipped: so after any crash the two say the same. The topic is shared by all gateways; a
// record belongs to one partition of one gateway.
//
//   key    <gateway id>/<topic>/<partition>
//   value  <generation> <next offset in the spill>
//
// A generation is shipped whole before the next one begins, so of an older generation than the
// record's everything is shipped, and of a newer one nothing.
//
// Threads   one.
// Errors    of read(): what the log gives; kCorrupt if a record cannot be ours
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "log/log.h"
#include "record/record_batch.h"

namespace penstock::gateway {

inline constexpr std::string_view kSpillProgressTopic = "__spill_progress";

class SpillProgress {
 public:
  struct Place {
    std::uint64_t generation = 0;
    Offset next;

    friend bool operator==(const Place&, const Place&) = default;
  };

  using Places = std::map<std::string, Place, std::less<>>;  // by key

  explicit SpillProgress(std::string_view gateway_id) : prefix_(std::string(gateway_id) + "/") {}

  [[nodiscard]] std::string key(std::string_view topic, PartitionId partition) const;

  // All places of this gateway, as the log has them. Makes the topic if need be.
  [[nodiscard]] Result<Places> read(log::Log& log);

  // Where transactions write; after read().
  [[nodiscard]] TopicPartition partition() const { return partition_; }

  // The records of `places`, or one that says nothing, if there are none: to try a transaction.
  [[nodiscard]] RecordBatch encode(const Places& places, Timestamp now) const;

 private:
  [[nodiscard]] Status read_record(const RecordView& record, Places& places) const;

  const std::string prefix_;
  TopicPartition partition_;
};

}  // namespace penstock::gateway
