// What goes in and out of the log port: topics, batches on their way, offsets, groups.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/ref_counted.h"
#include "core/result.h"
#include "core/unique_function.h"
#include "record/record_batch.h"
#include "record/types.h"

namespace penstock::log {

enum class CleanupPolicy {
  kDelete,   // old records go by time and size
  kCompact,  // of each key the newest record stays; a null value (tombstone) removes the key
};

struct TopicConfig {
  std::string name;  // 1 to 249 of [a-zA-Z0-9._-], as in Kafka
  std::int32_t partition_count = 1;
  CleanupPolicy cleanup = CleanupPolicy::kDelete;
  // Absent: no limit. Per partition, as Kafka's retention.ms and retention.bytes.
  std::optional<std::chrono::milliseconds> retention_time;
  std::optional<std::uint64_t> retention_bytes;

  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};

struct TopicInfo {
  TopicId id;
  TopicConfig config;
};

// `end` is where the next record goes; only durable and committed records lie before it.
struct PartitionOffsets {
  Offset start;
  Offset end;
};

// The same, and where everything ends that was written: see Log::written_end().
struct PartitionBounds {
  TopicPartition partition;
  Offset start;
  Offset end;
  Offset written_end;
};

// One encoded batch and where it goes.
struct PartitionBatch {
  TopicPartition to;
  RecordBatch batch;
};

// The batches of an append come back to their sender, with their base offsets set, so that it
// learns the offsets and can reuse the memory. (Kafka does not say the offset of a batch that was
// sent twice because an answer was lost; its base offset stays as it was.)
struct AppendResult {
  std::vector<PartitionBatch> batches;
};

using AppendDone = UniqueFunction<void(Result<AppendResult>)>;

// One batch as read: `bytes` is valid as long as a copy of `memory` lives.
struct FetchedBatch {
  TopicPartition from;
  ByteView bytes;
  Ref<RefCounted> memory;
  // An empty batch in place of records that are gone: damage, whose loss an operator accepted.
  bool is_lost = false;
};

// A consumed position: the offset of the next record to read, and a note kept with it.
struct OffsetCommit {
  TopicPartition partition;
  Offset next_offset;
  std::string metadata;
};

// Identifies one member in one generation of a consumer group; offset commits carry it, and
// those of an older generation are fenced (KIP-447).
struct GroupMetadata {
  std::string group_id;
  std::string member_id;
  std::int32_t generation = -1;
};

}  // namespace penstock::log
