#include "wal/index_file.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"
#include "core/crc32c.h"
#include "record/record_batch.h"
#include "wal/codec.h"
#include "wal/scanner.h"

namespace penstock::wal {
namespace {

constexpr std::uint64_t kIndexMagic = 0x786449'6b74736e50;  // "PnstkIdx"
constexpr std::size_t kCrcAt = 12;
constexpr std::size_t kCheckedFrom = 16;
constexpr std::size_t kHeaderSize = 72;
constexpr std::size_t kSummarySize = 72;
constexpr std::size_t kEntrySize = 28;

Error corrupt(const std::string& path, std::string_view what) {
  return {ErrorCode::kCorrupt, path + ": " + std::string(what)};
}

void put_entry(ByteWriter& to, const IndexEntry& entry) {
  to.put(entry.base.value());
  to.put(entry.max_timestamp.value());
  to.put(entry.last_delta);
  to.put(entry.position);
  to.put(entry.size);
}

IndexEntry get_entry(ByteReader& from) {
  IndexEntry entry;
  entry.base = Offset(from.get<std::int64_t>());
  entry.max_timestamp = Timestamp(from.get<std::int64_t>());
  entry.last_delta = from.get<std::uint32_t>();
  entry.position = from.get<std::uint32_t>();
  entry.size = from.get<std::uint32_t>();
  return entry;
}

void put_summary(ByteWriter& to, const RunSummary& summary) {
  to.put(summary.partition.topic.value());
  to.put(summary.partition.partition.value());
  to.put(summary.rewrite.value());
  to.put(summary.first.value());
  to.put(summary.last.value());
  to.put(summary.max_timestamp.value());
  to.put(summary.last_written_ms);
  to.put(summary.size_bytes);
  to.put(summary.entry_count);
  to.put(summary.entries_crc);
  to.put(summary.entries_position);
}

RunSummary get_summary(ByteReader& from) {
  RunSummary summary;
  summary.partition.topic = TopicId(from.get<std::uint32_t>());
  summary.partition.partition = PartitionId(from.get<std::int32_t>());
  summary.rewrite = RewriteId(from.get<std::uint64_t>());
  summary.first = Offset(from.get<std::int64_t>());
  summary.last = Offset(from.get<std::int64_t>());
  summary.max_timestamp = Timestamp(from.get<std::int64_t>());
  summary.last_written_ms = from.get<std::int64_t>();
  summary.size_bytes = from.get<std::uint64_t>();
  summary.entry_count = from.get<std::uint32_t>();
  summary.entries_crc = from.get<std::uint32_t>();
  summary.entries_position = from.get<std::uint64_t>();
  return summary;
}

void put_header(ByteWriter& to, const SegmentState& segment, std::uint32_t run_count) {
  to.put(kIndexMagic);
  to.put(kFormatVersion);
  to.put(std::uint32_t{0});  // the checksum, once everything is there
  to.put_bytes(segment.segment->uuid);
  to.put(segment.segment->number.value());
  to.put(segment.end_position);
  to.put(segment.last_sequence);
  to.put(segment.last_crc);
  to.put(run_count);
  to.put(std::uint64_t{0});
}

// Whether the header in `from` is this segment's; sets how many runs follow it.
bool header_matches(ByteReader& from, const SegmentState& segment, std::uint32_t& run_count) {
  const bool magic = from.get<std::uint64_t>() == kIndexMagic;
  const bool version = from.get<std::uint32_t>() == kFormatVersion;
  static_cast<void>(from.get<std::uint32_t>());
  const ByteView uuid = from.get_bytes(segment.segment->uuid.size());
  const bool same = std::equal(uuid.begin(), uuid.end(), segment.segment->uuid.begin(),
                               segment.segment->uuid.end()) &&
                    from.get<std::uint64_t>() == segment.segment->number.value() &&
                    from.get<std::uint64_t>() == segment.end_position &&
                    from.get<std::uint64_t>() == segment.last_sequence &&
                    from.get<std::uint32_t>() == segment.last_crc;
  run_count = from.get<std::uint32_t>();
  static_cast<void>(from.get<std::uint64_t>());
  return magic && version && same && from.ok();
}

Status scan_group(const ScannedGroup& group, RunCollector& into) {
  EntryReader reader(group.payload);
  for (Entry entry; reader.next(entry);) {
    const auto* batch = std::get_if<BatchEntry>(&entry);
    if (batch == nullptr) {
      continue;
    }
    const auto within = static_cast<std::uint64_t>(batch->bytes.data() - group.payload.data());
    PENSTOCK_TRY_ASSIGN(const IndexEntry at,
                        index_batch(batch->bytes, group.payload_position() + within));
    into.add(batch->to, batch->rewrite, at,
             batch->rewrite == kAppended ? group.header.written_ms : batch->written_ms);
  }
  return reader.status();
}

}  // namespace

Result<IndexEntry> index_batch(ByteView batch, std::uint64_t position) {
  const auto view = RecordBatchView::parse(batch, RecordBatchView::Verify::kHeaderOnly);
  if (!view || view->size_bytes() != batch.size()) {
    return Error(ErrorCode::kCorrupt,
                 view ? "bytes are left over behind a record batch" : view.error().message());
  }
  IndexEntry entry;
  entry.base = view->base_offset();
  entry.max_timestamp = view->max_timestamp();
  entry.last_delta = static_cast<std::uint32_t>(view->last_offset() - view->base_offset());
  entry.position = static_cast<std::uint32_t>(position);
  entry.size = static_cast<std::uint32_t>(batch.size());
  return entry;
}

Bytes encode_index(const SegmentState& segment) {
  Bytes bytes;
  std::uint64_t entries_position = kHeaderSize + kSummarySize * segment.runs.size();
  std::size_t entry_count = 0;
  for (const Ref<Run>& run : segment.runs) {
    entry_count += run->entries.size();
  }
  bytes.reserve(entries_position + kEntrySize * entry_count);
  ByteWriter writer(bytes);
  put_header(writer, segment, static_cast<std::uint32_t>(segment.runs.size()));
  bytes.resize(entries_position);
  for (const Ref<Run>& run : segment.runs) {
    PENSTOCK_CHECK(run->in_memory());
    run->summary.entries_position = bytes.size();
    for (const IndexEntry& entry : run->entries) {
      put_entry(writer, entry);
    }
    run->summary.entries_crc =
        crc32c(ByteView(bytes).subspan(static_cast<std::size_t>(run->summary.entries_position)));
  }
  Bytes summaries;
  ByteWriter summary_writer(summaries);
  for (const Ref<Run>& run : segment.runs) {
    put_summary(summary_writer, run->summary);
  }
  std::copy(summaries.begin(), summaries.end(), bytes.begin() + kHeaderSize);
  const ByteView checked = ByteView(bytes).first(kHeaderSize + summaries.size());
  store_le(bytes.data() + kCrcAt, crc32c(checked.subspan(kCheckedFrom)));
  return bytes;
}

Result<std::vector<Ref<Run>>> read_index_summaries(os::FileSystem& files,
                                                   const SegmentState& segment) {
  const std::string& path = segment.segment->index_path;
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file, files.open(path, {}));
  PENSTOCK_TRY_ASSIGN(const std::uint64_t file_size, file->size());
  Bytes header(kHeaderSize);
  PENSTOCK_TRY_ASSIGN(const std::size_t read, file->read_at(0, header));
  ByteReader reader(ByteView(header).first(read));
  std::uint32_t run_count = 0;
  if (!header_matches(reader, segment, run_count) ||
      kHeaderSize + std::uint64_t{run_count} * kSummarySize > file_size) {
    return corrupt(path, "not the index of its segment");
  }
  Bytes checked(kHeaderSize + std::size_t{run_count} * kSummarySize);
  PENSTOCK_TRY_ASSIGN(const std::size_t checked_read, file->read_at(0, checked));
  if (checked_read != checked.size() || crc32c(ByteView(checked).subspan(kCheckedFrom)) !=
                                            load_le<std::uint32_t>(checked.data() + kCrcAt)) {
    return corrupt(path, "the checksum does not match");
  }
  std::vector<Ref<Run>> runs;
  runs.reserve(run_count);
  ByteReader summaries(ByteView(checked).subspan(kHeaderSize));
  for (std::uint32_t i = 0; i < run_count; ++i) {
    runs.push_back(make_ref<Run>(segment.segment, get_summary(summaries)));
  }
  return runs;
}

Result<std::vector<IndexEntry>> read_index_entries(os::FileSystem& files, const Run& run) {
  const std::string& path = run.segment->index_path;
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file, files.open(path, {}));
  PENSTOCK_TRY_ASSIGN(const std::uint64_t file_size, file->size());
  const std::uint64_t size = std::uint64_t{run.summary.entry_count} * kEntrySize;
  if (run.summary.entries_position > file_size || size > file_size - run.summary.entries_position) {
    return corrupt(path, "the file is cut short");
  }
  Bytes bytes(static_cast<std::size_t>(size));
  PENSTOCK_TRY_ASSIGN(const std::size_t read, file->read_at(run.summary.entries_position, bytes));
  if (read != size || crc32c(bytes) != run.summary.entries_crc) {
    return corrupt(path, "the checksum of a run does not match");
  }
  std::vector<IndexEntry> entries;
  entries.reserve(run.summary.entry_count);
  ByteReader reader(bytes);
  for (std::uint32_t i = 0; i < run.summary.entry_count; ++i) {
    entries.push_back(get_entry(reader));
  }
  return entries;
}

Result<std::vector<Ref<Run>>> scan_runs(os::FileSystem& files, const ScanRange& range) {
  const std::string& path = range.segment->path;
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file, files.open(path, {}));
  PENSTOCK_TRY_ASSIGN(SegmentScanner scanner, SegmentScanner::open(*file, path));
  if (scanner.header().uuid != range.segment->uuid) {
    return corrupt(path, "this is not the segment that the log has written under that name");
  }
  RunCollector runs(range.segment);
  while (scanner.position() < range.end_position) {
    const std::uint64_t position = scanner.position();
    PENSTOCK_TRY_ASSIGN(const std::optional<ScannedGroup> group, scanner.next());
    Status sound = group ? scan_group(*group, runs)
                         : Status(Error(ErrorCode::kCorrupt, scanner.stop_reason()));
    if (!sound && !range.accept_loss) {
      return Error(ErrorCode::kCorrupt, sound.error().message())
          .with(path + " is damaged at position " + std::to_string(position));
    }
    if (!group) {
      PENSTOCK_TRY_ASSIGN(const bool found, scanner.skip_to_next_group());
      if (!found) {
        break;
      }
    }
  }
  return runs.take();
}

Result<std::vector<IndexEntry>> load_entries(os::FileSystem& files, const Run& run,
                                             const ScanRange& range) {
  if (auto entries = read_index_entries(files, run)) {
    return entries;
  }
  PENSTOCK_TRY_ASSIGN(const std::vector<Ref<Run>> runs, scan_runs(files, range));
  for (const Ref<Run>& scanned : runs) {
    if (scanned->summary.partition == run.summary.partition &&
        scanned->summary.rewrite == run.summary.rewrite &&
        scanned->summary.first == run.summary.first && scanned->summary.last == run.summary.last) {
      return std::move(scanned->entries);
    }
  }
  return corrupt(run.segment->path, "batches are missing that its index had");
}

}  // namespace penstock::wal
