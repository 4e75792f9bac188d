// Any bytes may lie in the log's segment files: opening them must not crash, hang or take memory by
// a number it read; what opens must read back the same before and after a restart; and what a start
// refuses inspect() must find.
//
// The first byte of the input says how the rest becomes files:
//
//   bit 0   0: the bytes are the newest segment as they are. 1: they are its groups; the segment's
//           header and all checksums and sequence numbers are put right, so that entries are
//           reached
//   bit 1   the first half is an older segment of its own
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/crc32c.h"
#include "os/random.h"
#include "record/record_batch.h"
#include "telemetry/registry.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "wal/embedded_log.h"
#include "wal/format.h"
#include "wal/inspect.h"

namespace penstock::wal {
namespace {

constexpr const char* kDirectory = "log";
constexpr std::size_t kInputMax = 256 * 1024;

// Fields of a group header that the input chooses, see docs/formats/log.md.
constexpr std::size_t kSyncedSequenceAt = 24;
constexpr std::size_t kPayloadSizeAt = 32;
constexpr std::size_t kKindAt = 52;
constexpr std::size_t kWrittenAt = 56;

struct Chain {
  std::uint64_t sequence = 0;
  std::uint32_t crc = 0;
};

void write_file(os::FileSystem& files, std::uint64_t number, ByteView bytes) {
  const std::string path = os::join_path(kDirectory, segment_file_name(SegmentNumber(number)));
  const auto file = *files.open(path, {.mode = os::OpenMode::kCreateNew});
  PENSTOCK_CHECK(file->write_at(0, bytes).has_value());
}

Uuid uuid_of(std::uint64_t number) {
  Uuid uuid{};
  uuid[0] = static_cast<std::byte>(number);
  return uuid;
}

// Makes a sound segment of the groups in `input`, whatever their entries say.
Bytes repaired(std::uint64_t number, ByteView input, Chain& chain) {
  SegmentHeader header;
  header.uuid = uuid_of(number);
  header.number = SegmentNumber(number);
  header.size_bytes = kBlockSize + round_up_to_block(std::max(input.size(), kGroupHeaderSize));
  header.first_sequence = chain.sequence + 1;
  header.previous_crc = chain.crc;
  Bytes bytes(static_cast<std::size_t>(header.size_bytes));
  encode_segment_header(header, std::span(bytes).first(kBlockSize));
  std::copy(input.begin(), input.end(), bytes.begin() + kBlockSize);

  const std::uint32_t seed = checksum_seed(header.uuid);
  for (std::size_t at = kBlockSize; at < bytes.size();) {
    std::byte* const group = bytes.data() + at;
    const std::size_t rest = bytes.size() - at - kGroupHeaderSize;
    GroupHeader made;
    made.position = at;
    made.sequence = ++chain.sequence;
    made.synced_sequence = load_le<std::uint64_t>(group + kSyncedSequenceAt);
    made.payload_size = static_cast<std::uint32_t>(
        std::min<std::size_t>(load_le<std::uint32_t>(group + kPayloadSizeAt), rest));
    made.previous_crc = chain.crc;
    made.kind = static_cast<GroupKind>(load_le<std::uint32_t>(group + kKindAt) & 1U);
    made.written_ms = load_le<std::int64_t>(group + kWrittenAt);
    made.payload_crc = crc32c({group + kGroupHeaderSize, made.payload_size}, seed);
    encode_group_header(made, seed, group);
    chain.crc = made.crc;
    at += static_cast<std::size_t>(made.size_on_disk());
  }
  return bytes;
}

void make_files(os::FileSystem& files, std::uint8_t flags, ByteView input) {
  PENSTOCK_CHECK(files.create_directories(kDirectory).has_value());
  Chain chain;
  std::uint64_t number = 1;
  if ((flags & 2U) != 0) {
    const ByteView older = input.first(input.size() / 2);
    write_file(
        files, number,
        (flags & 1U) != 0 ? repaired(number, older, chain) : Bytes(older.begin(), older.end()));
    input = input.subspan(older.size());
    ++number;
  }
  write_file(
      files, number,
      (flags & 1U) != 0 ? repaired(number, input, chain) : Bytes(input.begin(), input.end()));
}

struct OpenLog {
  os::SeededRandom random{1};
  telemetry::Registry metrics;
  std::unique_ptr<EmbeddedLog> log;
};

Status open(os::FileSystem& files, const os::Clock& clock, OpenLog& into) {
  Options options;
  options.directory = kDirectory;
  options.segment_bytes = 256 * kKiB;
  options.group_bytes_max = 16 * kKiB;
  options.append_bytes_max = 64 * kKiB;
  options.queue_bytes_max = 256 * kKiB;
  options.tail_cache_bytes = 64 * kKiB;
  options.reserve_bytes = 16 * kKiB;
  PENSTOCK_TRY_ASSIGN(into.log,
                      EmbeddedLog::open(options, files, clock, into.random, into.metrics));
  return {};
}

using Contents = std::map<TopicPartition, std::vector<std::pair<Offset, Bytes>>>;

// Every partition by itself, so that damage to one does not hide the others.
Contents read_all(EmbeddedLog& log) {
  constexpr std::int32_t kPartitionsRead = 8;  // of each topic
  Contents contents;
  for (const log::TopicInfo& topic : log.topics()) {
    for (std::int32_t p = 0; p < std::min(topic.config.partition_count, kPartitionsRead); ++p) {
      const TopicPartition at{topic.id, PartitionId(p)};
      const log::PartitionOffsets offsets = *log.offsets(at);
      PENSTOCK_CHECK(offsets.start <= offsets.end);
      auto consumer = *log.open_consumer({});
      PENSTOCK_CHECK(consumer->assign({{at, offsets.start}}).has_value());
      std::vector<std::pair<Offset, Bytes>>& batches = contents[at];
      while (batches.empty() ? offsets.start < offsets.end : batches.back().first < offsets.end) {
        const auto polled = consumer->poll(16 * kKiB);
        if (!polled) {
          PENSTOCK_CHECK(polled.error().code() == ErrorCode::kCorrupt);
          break;
        }
        PENSTOCK_CHECK(!polled->batches.empty());
        for (const log::FetchedBatch& fetched : polled->batches) {
          const auto batch =
              RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kChecksum);
          PENSTOCK_CHECK(batch.has_value() && fetched.from == at);
          PENSTOCK_CHECK(batches.empty() || batch->base_offset() >= batches.back().first);
          batches.emplace_back(batch->last_offset() + 1,
                               Bytes(fetched.bytes.begin(), fetched.bytes.end()));
        }
      }
    }
  }
  return contents;
}

void recover(std::uint8_t flags, ByteView input) {
  testing::SimFileSystem disk;
  testing::SimClock clock;
  make_files(disk, flags, input);

  const auto found = inspect(disk, kDirectory);
  Contents before;
  {
    OpenLog opened;
    if (const Status status = open(disk, clock, opened); !status) {
      PENSTOCK_CHECK(status.error().code() == ErrorCode::kCorrupt ||
                     status.error().code() == ErrorCode::kInvalid ||
                     status.error().code() == ErrorCode::kFatal);
      PENSTOCK_CHECK(status.error().code() != ErrorCode::kCorrupt || !found ||
                     !found->damage.empty());
      return;
    }
    before = read_all(*opened.log);
  }
  disk.kill_process();
  OpenLog again;
  PENSTOCK_CHECK(open(disk, clock, again).has_value());
  PENSTOCK_CHECK(read_all(*again.log) == before);
}

}  // namespace
}  // namespace penstock::wal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0 && size <= penstock::wal::kInputMax) {
    penstock::wal::recover(data[0], std::as_bytes(std::span(data + 1, size - 1)));
  }
  return 0;
}
