// The bytes of the log on disk: segment headers, group headers and entries. docs/formats/log.md has
// the grammar and a worked example; a golden file holds this code to it.
//
//   segment = header block, group, group ...      each begins on a 4 KiB block
//   group   = header, entry, entry ..., zeros     valid as a whole or not at all
//   entry   = type, length, body                  a batch, an offset, a topic, ...
//
// All numbers are little-endian, except inside record batches, which are Kafka's.
//
// Invariants
//   I1  Every checksum is seeded with the segment's random UUID: bytes of an earlier life of the
//       file never validate.
//   I2  Decoding never reads outside the given bytes and never allocates by a number it read.
//
// Threads   functions and values; EntryReader belongs to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "log/types.h"
#include "os/file_system.h"
#include "record/types.h"

namespace penstock::wal {

inline constexpr std::size_t kBlockSize = os::kDirectAlignment;
inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kGroupHeaderSize = 64;
inline constexpr std::size_t kEntryHeaderSize = 8;
// What the log adds to each batch: entry header, topic, partition; if moved, the rewrite and when
// it was first written.
inline constexpr std::size_t kBatchEntryOverhead = kEntryHeaderSize + 8;
inline constexpr std::size_t kMovedBatchEntryOverhead = kBatchEntryOverhead + 16;

using Uuid = std::array<std::byte, 16>;
using SegmentNumber = StrongId<struct SegmentNumberTag, std::uint64_t>;
// A rewrite copies live records of a partition to the head of the log; kAppended is none.
using RewriteId = StrongId<struct RewriteIdTag, std::uint64_t>;

inline constexpr RewriteId kAppended{0};
inline constexpr RewriteId kLost{~std::uint64_t{0}};  // an operator accepted the loss

[[nodiscard]] constexpr std::uint64_t round_up_to_block(std::uint64_t size) {
  return (size + kBlockSize - 1) / kBlockSize * kBlockSize;
}

// What every checksum in the segment begins with (I1).
[[nodiscard]] std::uint32_t checksum_seed(const Uuid& uuid);

struct SegmentHeader {
  Uuid uuid{};
  SegmentNumber number;
  std::uint64_t size_bytes = 0;
  std::uint64_t first_sequence = 0;  // of its first group, which is a snapshot
  std::uint32_t previous_crc = 0;    // header checksum of the group before that
  std::int64_t created_ms = 0;
};

// Fills the whole block.
void encode_segment_header(const SegmentHeader& header, std::span<std::byte> block);
// kInvalid: written by a newer version. kCorrupt: not a header.
[[nodiscard]] Result<SegmentHeader> decode_segment_header(ByteView block);

enum class GroupKind : std::uint32_t { kData = 0, kSnapshot = 1 };

struct GroupHeader {
  std::uint64_t position = 0;  // in its segment: a misplaced write is not valid
  std::uint64_t sequence = 0;
  // The newest group that was known to be on disk when this one was written.
  std::uint64_t synced_sequence = 0;
  std::uint32_t payload_size = 0;
  std::uint32_t payload_crc = 0;
  std::uint32_t previous_crc = 0;  // header checksum of the group before: a chain
  std::uint32_t entry_count = 0;
  std::uint32_t epoch = 0;  // grows each time the log is opened
  GroupKind kind = GroupKind::kData;
  std::int64_t written_ms = 0;
  std::uint32_t crc = 0;  // of this header; set by encode and decode

  // With the zeros up to the next block.
  [[nodiscard]] std::uint64_t size_on_disk() const {
    return round_up_to_block(kGroupHeaderSize + std::uint64_t{payload_size});
  }
};

void encode_group_header(GroupHeader& header, std::uint32_t seed, std::byte* to);
// Nothing if these bytes are not a sound header. The payload is not looked at.
[[nodiscard]] std::optional<GroupHeader> decode_group_header(ByteView bytes, std::uint32_t seed);

// --- Entries ---------------------------------------------------------------------------------
// Views point into the decoded bytes.

enum class EntryType : std::uint8_t {
  kBatch = 1,
  kMovedBatch = 2,
  kOffset = 3,
  kProducer = 4,
  kTopic = 5,
  kTopicDeleted = 6,
  kStart = 7,
  kReplaced = 8,
  kRetired = 9,
  // In snapshots only:
  kPartition = 10,
  kSegment = 11,
  kCounters = 12,
};

struct BatchEntry {
  TopicPartition to;
  RewriteId rewrite;             // kAppended, or it is a copy with its original offsets
  std::int64_t written_ms = -1;  // of a copy: when the original was written
  ByteView bytes;
};

struct OffsetEntry {
  std::string_view group_id;
  TopicPartition partition;
  Offset next_offset;
  std::string_view metadata;
};

struct ProducerEntry {
  std::string_view transactional_id;
  ProducerId producer;
  ProducerEpoch epoch;
};

struct TopicEntry {  // created, or its settings changed
  TopicId id;
  log::TopicConfig config;
};

struct TopicDeletedEntry {
  TopicId id;
};

struct StartEntry {  // retention: records before `start` are gone
  TopicPartition partition;
  Offset start;
};

struct ReplacedEntry {  // offsets first..last now are what this rewrite has moved of them
  TopicPartition partition;
  RewriteId rewrite;
  Offset first;
  Offset last;
};

struct RetiredEntry {  // nothing in that segment is needed any more
  SegmentNumber number;
};

// Offsets that are not where they were appended.
struct Interval {
  Offset first;
  Offset last;
  RewriteId rewrite;

  friend bool operator==(const Interval&, const Interval&) = default;
};

struct PartitionEntry {
  TopicPartition partition;
  Offset start;
  Offset next;
  std::vector<Interval> intervals;
};

struct SegmentEntry {  // an older segment that is needed
  SegmentNumber number;
  Uuid uuid{};
  std::uint64_t end_position = 0;
  std::uint64_t last_sequence = 0;
  std::uint32_t last_crc = 0;
  bool damage_accepted = false;
  std::int64_t created_ms = 0;
  std::int64_t last_append_ms = 0;
};

struct CountersEntry {  // ids are never used twice
  std::uint32_t next_topic = 1;
  std::int64_t next_producer = 1;
  std::uint64_t next_rewrite = 1;
};

using Entry =
    std::variant<BatchEntry, OffsetEntry, ProducerEntry, TopicEntry, TopicDeletedEntry, StartEntry,
                 ReplacedEntry, RetiredEntry, PartitionEntry, SegmentEntry, CountersEntry>;

// Appends the entry. Batches are written in place by the group builder, see put_batch_entry().
void encode_entry(const Entry& entry, Bytes& to);

// Writes what goes before a batch of `size` bytes; returns where the batch goes.
[[nodiscard]] std::byte* put_batch_entry(std::byte* to, TopicPartition partition, std::size_t size);
[[nodiscard]] std::byte* put_moved_batch_entry(std::byte* to, TopicPartition partition,
                                               RewriteId rewrite, std::int64_t written_ms,
                                               std::size_t size);

// Reads the entries of one payload in order.
class EntryReader {
 public:
  explicit EntryReader(ByteView payload) : rest_(payload) {}

  // False at the end, and where the bytes are not an entry: then status() says what is wrong.
  [[nodiscard]] bool next(Entry& entry);

  [[nodiscard]] const Status& status() const { return status_; }

 private:
  ByteView rest_;
  Status status_;
};

// --- File names ------------------------------------------------------------------------------

[[nodiscard]] std::string segment_file_name(SegmentNumber number);  // "00000000000000000042.seg"
[[nodiscard]] std::string index_file_name(SegmentNumber number);    // "00000000000000000042.idx"
[[nodiscard]] std::string spare_file_name(std::uint64_t number);    // "spare-7.seg"
[[nodiscard]] std::optional<SegmentNumber> parse_segment_file_name(std::string_view name);
[[nodiscard]] std::optional<SegmentNumber> parse_index_file_name(std::string_view name);
[[nodiscard]] std::optional<std::uint64_t> parse_spare_file_name(std::string_view name);

inline constexpr std::string_view kLockFileName = "lock";
inline constexpr std::string_view kProofFileName = "synced";
// Of files that were being written when the process ended, and of segments that were set aside.
inline constexpr std::string_view kTemporarySuffix = ".tmp";
inline constexpr std::string_view kDamagedPrefix = "damaged-";

}  // namespace penstock::wal
