// The worked example of docs/formats/log.md, byte for byte: what an embedded log writes for one
// topic, one append and one committed offset.
#include <chrono>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "golden/golden.h"
#include "os/random.h"
#include "record/record_batch.h"
#include "telemetry/registry.h"
#include "testing/sim_clock.h"
#include "testing/sim_file_system.h"
#include "wal/embedded_log.h"
#include "wal/format.h"
#include "wal/index_file.h"
#include "wal/scanner.h"

namespace penstock::wal {
namespace {

constexpr const char* kDirectory = "data/log";

Options small_options() {
  Options options;
  options.directory = kDirectory;
  options.segment_bytes = 256 * kKiB;
  options.group_bytes_max = 64 * kKiB;
  options.append_bytes_max = 64 * kKiB;
  options.reserve_bytes = 16 * kKiB;
  return options;
}

// A topic, one record in it, and the offset behind it committed for a group.
void write_example(EmbeddedLog& log) {
  log::TopicConfig config;
  config.name = "web";
  config.retention_time = std::chrono::hours(1);
  const log::TopicInfo topic = *log.ensure_topic(config);
  const TopicPartition at{topic.id, PartitionId(0)};
  RecordBatchBuilder builder;
  builder.append(Timestamp(1'714'564'800'000), as_bytes("ann"), as_bytes(R"({"n":1})"));
  std::vector<log::PartitionBatch> batches;
  batches.push_back({at, builder.finish()});
  bool answered = false;
  ASSERT_TRUE(log.append(std::move(batches),
                         [&](Result<log::AppendResult> result) { answered = result.has_value(); }));
  ASSERT_TRUE(log.run_once({}));
  ASSERT_TRUE(answered);
  log::ConsumerOptions options;
  options.group_id = "g";
  options.topics = {topic.id};
  const auto member = *log.open_consumer(options);
  ASSERT_TRUE(member->poll(1));
  ASSERT_TRUE(member->commit({{at, Offset(1), "note"}}));
}

std::string read_hex(os::FileSystem& files, const std::string& path, std::uint64_t position,
                     std::size_t size) {
  Bytes bytes(size);
  EXPECT_EQ(*(*files.open(path, {}))->read_at(position, bytes), size);
  return golden::to_hex(bytes);
}

std::string segment_as_text(os::FileSystem& files, const std::string& path) {
  constexpr std::size_t kUsedOfHeader = 72;
  std::string text = "segment header\n" + read_hex(files, path, 0, kUsedOfHeader);
  const auto file = *files.open(path, {});
  auto scanner = *SegmentScanner::open(*file, path);
  for (auto group = *scanner.next(); group; group = *scanner.next()) {
    text += "group at " + std::to_string(group->header.position) + "\n" +
            read_hex(files, path, group->header.position,
                     kGroupHeaderSize + group->header.payload_size);
  }
  return text;
}

TEST(LogGolden, TheWorkedExampleKeepsItsBytes) {
  testing::SimFileSystem disk;
  testing::SimClock clock;
  os::SeededRandom random(1);
  telemetry::Registry metrics;
  const auto log = *EmbeddedLog::open(small_options(), disk, clock, random, metrics);
  write_example(*log);
  ASSERT_TRUE(log->close());

  constexpr std::size_t kProofSize = 36;
  golden::expect_golden(
      "log.hex", segment_as_text(disk, os::join_path(kDirectory, "00000000000000000001.seg")) +
                     "synced, newer slot\n" +
                     read_hex(disk, os::join_path(kDirectory, "synced"), kBlockSize, kProofSize));
}

// What is in the example, in words: the log as it is read again.
TEST(LogGolden, TheWorkedExampleReadsBack) {
  testing::SimFileSystem disk;
  testing::SimClock clock;
  os::SeededRandom random(1);
  telemetry::Registry metrics;
  {
    const auto log = *EmbeddedLog::open(small_options(), disk, clock, random, metrics);
    write_example(*log);
  }
  disk.kill_process();
  telemetry::Registry again;
  const auto log = *EmbeddedLog::open(small_options(), disk, clock, random, again);

  const auto topic = log->topic("web");
  ASSERT_TRUE(topic);
  EXPECT_EQ(log->offsets({topic->id, PartitionId(0)})->end, Offset(1));
  EXPECT_EQ(log->committed("g")->front().next_offset, Offset(1));
}

TEST(LogGolden, TheIndexFileKeepsItsBytes) {
  SegmentState segment;
  Uuid uuid{};
  uuid[0] = std::byte{7};
  segment.segment = make_ref<Segment>(SegmentNumber(1), uuid, kDirectory);
  segment.end_position = 20'480;
  segment.last_sequence = 4;
  segment.last_crc = 0x01020304;
  IndexEntry entry;
  entry.base = Offset(0);
  entry.max_timestamp = Timestamp(1'714'564'800'000);
  entry.position = 16'464;
  entry.size = 83;
  const TopicPartition web{TopicId(1), PartitionId(0)};
  segment.runs.push_back(
      make_ref<wal::Run>(segment.segment, web, kAppended, entry, std::int64_t{1'704'067'200'000}));

  golden::expect_golden("log_index.hex", golden::to_hex(encode_index(segment)));
}

}  // namespace
}  // namespace penstock::wal
