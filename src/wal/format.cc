#include "wal/format.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

#include "core/check.h"
#include "core/crc32c.h"
#include "wal/codec.h"

namespace penstock::wal {
namespace {

// "PnstkWal" and "PGRP" as they appear in a hex dump.
constexpr std::uint64_t kSegmentMagic = 0x6c6157'6b74736e50;
constexpr std::uint32_t kGroupMagic = 0x50524750;

// Where the fields of the segment header lie; its checksum covers the block from kSegmentUuid on.
namespace segment_at {
constexpr std::size_t kMagic = 0;
constexpr std::size_t kVersion = 8;
constexpr std::size_t kCrc = 12;
constexpr std::size_t kUuid = 16;
constexpr std::size_t kNumber = 32;
constexpr std::size_t kSize = 40;
constexpr std::size_t kFirstSequence = 48;
constexpr std::size_t kCreated = 56;
constexpr std::size_t kPreviousCrc = 64;
}  // namespace segment_at

// The fields of a group header; its checksum covers from kPosition to its end.
namespace group_at {
constexpr std::size_t kMagic = 0;
constexpr std::size_t kCrc = 4;
constexpr std::size_t kPosition = 8;
constexpr std::size_t kSequence = 16;
constexpr std::size_t kSyncedSequence = 24;
constexpr std::size_t kPayloadSize = 32;
constexpr std::size_t kPayloadCrc = 36;
constexpr std::size_t kPreviousCrc = 40;
constexpr std::size_t kEntryCount = 44;
constexpr std::size_t kEpoch = 48;
constexpr std::size_t kKind = 52;
constexpr std::size_t kWritten = 56;
}  // namespace group_at

constexpr std::size_t kNumberDigits = 20;
constexpr std::string_view kSegmentSuffix = ".seg";
constexpr std::string_view kIndexSuffix = ".idx";
constexpr std::string_view kSparePrefix = "spare-";

Error corrupt(std::string message) {
  return {ErrorCode::kCorrupt, std::move(message)};
}

void put_partition(ByteWriter& to, TopicPartition partition) {
  to.put(partition.topic.value());
  to.put(partition.partition.value());
}

TopicPartition get_partition(ByteReader& from) {
  const TopicId topic(from.get<std::uint32_t>());
  return {topic, PartitionId(from.get<std::int32_t>())};
}

Offset get_offset(ByteReader& from) {
  return Offset(from.get<std::int64_t>());
}

// --- One overload of type_of() and put_body() per entry ----------------------------------------

EntryType type_of(const BatchEntry& e) {
  return e.rewrite == kAppended ? EntryType::kBatch : EntryType::kMovedBatch;
}

void put_body(ByteWriter& to, const BatchEntry& e) {
  put_partition(to, e.to);
  if (e.rewrite != kAppended) {
    to.put(e.rewrite.value());
    to.put(e.written_ms);
  }
  to.put_bytes(e.bytes);
}

EntryType type_of(const OffsetEntry&) {
  return EntryType::kOffset;
}

void put_body(ByteWriter& to, const OffsetEntry& e) {
  to.put_text(e.group_id);
  put_partition(to, e.partition);
  to.put(e.next_offset.value());
  to.put_text(e.metadata);
}

EntryType type_of(const ProducerEntry&) {
  return EntryType::kProducer;
}

void put_body(ByteWriter& to, const ProducerEntry& e) {
  to.put_text(e.transactional_id);
  to.put(e.producer.value());
  to.put(e.epoch.value());
}

EntryType type_of(const TopicEntry&) {
  return EntryType::kTopic;
}

void put_body(ByteWriter& to, const TopicEntry& e) {
  to.put(e.id.value());
  to.put_text(e.config.name);
  to.put(e.config.partition_count);
  to.put(static_cast<std::uint8_t>(e.config.cleanup));
  to.put(e.config.retention_time ? std::int64_t{e.config.retention_time->count()} : -1);
  to.put(e.config.retention_bytes ? static_cast<std::int64_t>(*e.config.retention_bytes) : -1);
}

EntryType type_of(const TopicDeletedEntry&) {
  return EntryType::kTopicDeleted;
}

void put_body(ByteWriter& to, const TopicDeletedEntry& e) {
  to.put(e.id.value());
}

EntryType type_of(const StartEntry&) {
  return EntryType::kStart;
}

void put_body(ByteWriter& to, const StartEntry& e) {
  put_partition(to, e.partition);
  to.put(e.start.value());
}

EntryType type_of(const ReplacedEntry&) {
  return EntryType::kReplaced;
}

void put_body(ByteWriter& to, const ReplacedEntry& e) {
  put_partition(to, e.partition);
  to.put(e.rewrite.value());
  to.put(e.first.value());
  to.put(e.last.value());
}

EntryType type_of(const RetiredEntry&) {
  return EntryType::kRetired;
}

void put_body(ByteWriter& to, const RetiredEntry& e) {
  to.put(e.number.value());
}

EntryType type_of(const PartitionEntry&) {
  return EntryType::kPartition;
}

void put_body(ByteWriter& to, const PartitionEntry& e) {
  put_partition(to, e.partition);
  to.put(e.start.value());
  to.put(e.next.value());
  for (const Interval& interval : e.intervals) {
    to.put(interval.first.value());
    to.put(interval.last.value());
    to.put(interval.rewrite.value());
  }
}

EntryType type_of(const SegmentEntry&) {
  return EntryType::kSegment;
}

void put_body(ByteWriter& to, const SegmentEntry& e) {
  to.put(e.number.value());
  to.put_bytes(e.uuid);
  to.put(e.end_position);
  to.put(e.last_sequence);
  to.put(e.last_crc);
  to.put(static_cast<std::uint8_t>(e.damage_accepted ? 1 : 0));
  to.put(e.created_ms);
  to.put(e.last_append_ms);
}

EntryType type_of(const CountersEntry&) {
  return EntryType::kCounters;
}

void put_body(ByteWriter& to, const CountersEntry& e) {
  to.put(e.next_topic);
  to.put(e.next_producer);
  to.put(e.next_rewrite);
}

// --- And one function to read each back ---------------------------------------------------------

Entry get_batch(ByteReader& from, bool moved) {
  BatchEntry entry;
  entry.to = get_partition(from);
  if (moved) {
    entry.rewrite = RewriteId(from.get<std::uint64_t>());
    entry.written_ms = from.get<std::int64_t>();
  }
  entry.bytes = from.get_bytes(from.rest().size());
  return entry;
}

Entry get_offset_entry(ByteReader& from) {
  OffsetEntry entry;
  entry.group_id = from.get_text();
  entry.partition = get_partition(from);
  entry.next_offset = get_offset(from);
  entry.metadata = from.get_text();
  return entry;
}

Entry get_producer(ByteReader& from) {
  ProducerEntry entry;
  entry.transactional_id = from.get_text();
  entry.producer = ProducerId(from.get<std::int64_t>());
  entry.epoch = ProducerEpoch(from.get<std::int16_t>());
  return entry;
}

Entry get_topic(ByteReader& from) {
  TopicEntry entry;
  entry.id = TopicId(from.get<std::uint32_t>());
  entry.config.name = from.get_text();
  entry.config.partition_count = from.get<std::int32_t>();
  entry.config.cleanup =
      from.get<std::uint8_t>() == 0 ? log::CleanupPolicy::kDelete : log::CleanupPolicy::kCompact;
  if (const auto time = from.get<std::int64_t>(); time >= 0) {
    entry.config.retention_time = std::chrono::milliseconds(time);
  }
  if (const auto size = from.get<std::int64_t>(); size >= 0) {
    entry.config.retention_bytes = static_cast<std::uint64_t>(size);
  }
  return entry;
}

Entry get_start(ByteReader& from) {
  const TopicPartition partition = get_partition(from);
  return StartEntry{partition, get_offset(from)};
}

Entry get_replaced(ByteReader& from) {
  ReplacedEntry entry;
  entry.partition = get_partition(from);
  entry.rewrite = RewriteId(from.get<std::uint64_t>());
  entry.first = get_offset(from);
  entry.last = get_offset(from);
  return entry;
}

Entry get_partition_entry(ByteReader& from) {
  PartitionEntry entry;
  entry.partition = get_partition(from);
  entry.start = get_offset(from);
  entry.next = get_offset(from);
  while (from.ok() && !from.rest().empty()) {
    Interval interval;
    interval.first = get_offset(from);
    interval.last = get_offset(from);
    interval.rewrite = RewriteId(from.get<std::uint64_t>());
    entry.intervals.push_back(interval);
  }
  return entry;
}

Entry get_segment(ByteReader& from) {
  SegmentEntry entry;
  entry.number = SegmentNumber(from.get<std::uint64_t>());
  const ByteView uuid = from.get_bytes(entry.uuid.size());
  std::copy(uuid.begin(), uuid.end(), entry.uuid.begin());
  entry.end_position = from.get<std::uint64_t>();
  entry.last_sequence = from.get<std::uint64_t>();
  entry.last_crc = from.get<std::uint32_t>();
  entry.damage_accepted = from.get<std::uint8_t>() != 0;
  entry.created_ms = from.get<std::int64_t>();
  entry.last_append_ms = from.get<std::int64_t>();
  return entry;
}

Entry get_counters(ByteReader& from) {
  CountersEntry entry;
  entry.next_topic = from.get<std::uint32_t>();
  entry.next_producer = from.get<std::int64_t>();
  entry.next_rewrite = from.get<std::uint64_t>();
  return entry;
}

std::optional<Entry> get_entry(EntryType type, ByteReader& from) {
  switch (type) {
    case EntryType::kBatch:
      return get_batch(from, false);
    case EntryType::kMovedBatch:
      return get_batch(from, true);
    case EntryType::kOffset:
      return get_offset_entry(from);
    case EntryType::kProducer:
      return get_producer(from);
    case EntryType::kTopic:
      return get_topic(from);
    case EntryType::kTopicDeleted:
      return TopicDeletedEntry{TopicId(from.get<std::uint32_t>())};
    case EntryType::kStart:
      return get_start(from);
    case EntryType::kReplaced:
      return get_replaced(from);
    case EntryType::kRetired:
      return RetiredEntry{SegmentNumber(from.get<std::uint64_t>())};
    case EntryType::kPartition:
      return get_partition_entry(from);
    case EntryType::kSegment:
      return get_segment(from);
    case EntryType::kCounters:
      return get_counters(from);
  }
  return std::nullopt;
}

std::byte* put_batch_header(std::byte* to, EntryType type, TopicPartition partition,
                            std::size_t body_size) {
  store_le(to, static_cast<std::uint32_t>(type));
  store_le(to + 4, static_cast<std::uint32_t>(body_size));
  store_le(to + 8, partition.topic.value());
  store_le(to + 12, partition.partition.value());
  return to + kBatchEntryOverhead;
}

std::string padded(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(kNumberDigits - digits.size(), '0') + digits;
}

std::optional<std::uint64_t> parse_number(std::string_view digits) {
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, number);
  if (digits.empty() || failure != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return number;
}

std::optional<SegmentNumber> parse_numbered(std::string_view name, std::string_view suffix) {
  if (name.size() != kNumberDigits + suffix.size() || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  const auto number = parse_number(name.substr(0, kNumberDigits));
  return number ? std::optional(SegmentNumber(*number)) : std::nullopt;
}

}  // namespace

std::uint32_t checksum_seed(const Uuid& uuid) {
  return crc32c(uuid);
}

void encode_segment_header(const SegmentHeader& header, std::span<std::byte> block) {
  PENSTOCK_CHECK(block.size() == kBlockSize);
  std::fill(block.begin(), block.end(), std::byte{0});
  std::byte* at = block.data();
  store_le(at + segment_at::kMagic, kSegmentMagic);
  store_le(at + segment_at::kVersion, kFormatVersion);
  std::copy(header.uuid.begin(), header.uuid.end(), at + segment_at::kUuid);
  store_le(at + segment_at::kNumber, header.number.value());
  store_le(at + segment_at::kSize, header.size_bytes);
  store_le(at + segment_at::kFirstSequence, header.first_sequence);
  store_le(at + segment_at::kCreated, header.created_ms);
  store_le(at + segment_at::kPreviousCrc, header.previous_crc);
  store_le(at + segment_at::kCrc, crc32c(block.subspan(segment_at::kUuid)));
}

Result<SegmentHeader> decode_segment_header(ByteView block) {
  if (block.size() < kBlockSize ||
      load_le<std::uint64_t>(block.data() + segment_at::kMagic) != kSegmentMagic) {
    return corrupt("this is not a segment of the log");
  }
  const std::byte* at = block.data();
  // The version first: a newer one may lay out and check the rest differently.
  if (const auto version = load_le<std::uint32_t>(at + segment_at::kVersion);
      version > kFormatVersion) {
    return Error(ErrorCode::kInvalid, "written in format " + std::to_string(version) +
                                          " by a newer version of Penstock; this one reads up to " +
                                          std::to_string(kFormatVersion));
  }
  // Outside of the checksum, so it has to be looked at by itself.
  if (load_le<std::uint32_t>(at + segment_at::kVersion) == 0) {
    return corrupt("the segment's header has no format version");
  }
  if (load_le<std::uint32_t>(at + segment_at::kCrc) !=
      crc32c(block.first(kBlockSize).subspan(segment_at::kUuid))) {
    return corrupt("the checksum of the segment's header does not match");
  }
  SegmentHeader header;
  std::copy_n(at + segment_at::kUuid, header.uuid.size(), header.uuid.begin());
  header.number = SegmentNumber(load_le<std::uint64_t>(at + segment_at::kNumber));
  header.size_bytes = load_le<std::uint64_t>(at + segment_at::kSize);
  header.first_sequence = load_le<std::uint64_t>(at + segment_at::kFirstSequence);
  header.created_ms = load_le<std::int64_t>(at + segment_at::kCreated);
  header.previous_crc = load_le<std::uint32_t>(at + segment_at::kPreviousCrc);
  return header;
}

void encode_group_header(GroupHeader& header, std::uint32_t seed, std::byte* to) {
  store_le(to + group_at::kMagic, kGroupMagic);
  store_le(to + group_at::kPosition, header.position);
  store_le(to + group_at::kSequence, header.sequence);
  store_le(to + group_at::kSyncedSequence, header.synced_sequence);
  store_le(to + group_at::kPayloadSize, header.payload_size);
  store_le(to + group_at::kPayloadCrc, header.payload_crc);
  store_le(to + group_at::kPreviousCrc, header.previous_crc);
  store_le(to + group_at::kEntryCount, header.entry_count);
  store_le(to + group_at::kEpoch, header.epoch);
  store_le(to + group_at::kKind, static_cast<std::uint32_t>(header.kind));
  store_le(to + group_at::kWritten, header.written_ms);
  header.crc = crc32c({to + group_at::kPosition, kGroupHeaderSize - group_at::kPosition}, seed);
  store_le(to + group_at::kCrc, header.crc);
}

std::optional<GroupHeader> decode_group_header(ByteView bytes, std::uint32_t seed) {
  if (bytes.size() < kGroupHeaderSize ||
      load_le<std::uint32_t>(bytes.data() + group_at::kMagic) != kGroupMagic) {
    return std::nullopt;
  }
  const std::byte* at = bytes.data();
  GroupHeader header;
  header.crc = load_le<std::uint32_t>(at + group_at::kCrc);
  if (header.crc !=
      crc32c({at + group_at::kPosition, kGroupHeaderSize - group_at::kPosition}, seed)) {
    return std::nullopt;
  }
  header.position = load_le<std::uint64_t>(at + group_at::kPosition);
  header.sequence = load_le<std::uint64_t>(at + group_at::kSequence);
  header.synced_sequence = load_le<std::uint64_t>(at + group_at::kSyncedSequence);
  header.payload_size = load_le<std::uint32_t>(at + group_at::kPayloadSize);
  header.payload_crc = load_le<std::uint32_t>(at + group_at::kPayloadCrc);
  header.previous_crc = load_le<std::uint32_t>(at + group_at::kPreviousCrc);
  header.entry_count = load_le<std::uint32_t>(at + group_at::kEntryCount);
  header.epoch = load_le<std::uint32_t>(at + group_at::kEpoch);
  header.kind = static_cast<GroupKind>(load_le<std::uint32_t>(at + group_at::kKind));
  header.written_ms = load_le<std::int64_t>(at + group_at::kWritten);
  return header;
}

void encode_entry(const Entry& entry, Bytes& to) {
  std::visit(
      [&](const auto& e) {
        const std::size_t begin = to.size();
        ByteWriter writer(to);
        writer.put(static_cast<std::uint32_t>(type_of(e)));
        writer.put(std::uint32_t{0});  // the length, once it is known
        put_body(writer, e);
        store_le(to.data() + begin + 4,
                 static_cast<std::uint32_t>(to.size() - begin - kEntryHeaderSize));
      },
      entry);
}

std::byte* put_batch_entry(std::byte* to, TopicPartition partition, std::size_t size) {
  return put_batch_header(to, EntryType::kBatch, partition,
                          kBatchEntryOverhead - kEntryHeaderSize + size);
}

std::byte* put_moved_batch_entry(std::byte* to, TopicPartition partition, RewriteId rewrite,
                                 std::int64_t written_ms, std::size_t size) {
  to = put_batch_header(to, EntryType::kMovedBatch, partition,
                        kMovedBatchEntryOverhead - kEntryHeaderSize + size);
  store_le(to, rewrite.value());
  store_le(to + 8, written_ms);
  return to + 16;
}

bool EntryReader::next(Entry& entry) {
  if (rest_.empty()) {
    return false;
  }
  ByteReader reader(rest_);
  const auto type = reader.get<std::uint32_t>();
  ByteReader body(reader.get_bytes(reader.get<std::uint32_t>()));
  std::optional<Entry> decoded;
  if (reader.ok() && type <= static_cast<std::uint32_t>(EntryType::kCounters)) {
    decoded = get_entry(static_cast<EntryType>(type), body);
  }
  if (!decoded || !body.done()) {
    status_ = corrupt("an entry of type " + std::to_string(type) + " is malformed");
    rest_ = {};
    return false;
  }
  rest_ = reader.rest();
  entry = *std::move(decoded);
  return true;
}

std::string segment_file_name(SegmentNumber number) {
  return padded(number.value()).append(kSegmentSuffix);
}

std::string index_file_name(SegmentNumber number) {
  return padded(number.value()).append(kIndexSuffix);
}

std::string spare_file_name(std::uint64_t number) {
  return std::string(kSparePrefix) + std::to_string(number) + std::string(kSegmentSuffix);
}

std::optional<SegmentNumber> parse_segment_file_name(std::string_view name) {
  return parse_numbered(name, kSegmentSuffix);
}

std::optional<SegmentNumber> parse_index_file_name(std::string_view name) {
  return parse_numbered(name, kIndexSuffix);
}

std::optional<std::uint64_t> parse_spare_file_name(std::string_view name) {
  if (!name.starts_with(kSparePrefix) || !name.ends_with(kSegmentSuffix)) {
    return std::nullopt;
  }
  name.remove_prefix(kSparePrefix.size());
  name.remove_suffix(kSegmentSuffix.size());
  return parse_number(name);
}

}  // namespace penstock::wal
