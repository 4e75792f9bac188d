#include "penstock/bench/disk_probe.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "os/random.h"
#include "wal/append_file.h"
#include "wal/format.h"

namespace penstock::bench {

namespace {

using std::chrono::nanoseconds;

// The single blocks lie in the first part of the file, the large writes behind it.
constexpr std::uint64_t kBlocksEnd = kDiskProbeWriteBytes;
constexpr std::uint64_t kFileBytesMin = kBlocksEnd + kDiskProbeWriteBytes;
// The part of the time that goes to the single blocks.
constexpr int kBlocksShare = 4;

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

void fill(std::span<std::byte> bytes) {
  os::SeededRandom random(1);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    store_le(bytes.data() + at, random.next());
  }
}

// Writes `bytes` again and again, until `range` is full or the time is over; how long each took.
Result<std::vector<nanoseconds>> time_writes(wal::AppendFile& file, const os::Clock& clock,
                                             Range range, ByteView bytes, nanoseconds time_max) {
  std::vector<nanoseconds> times;
  const os::TimePoint began = clock.now();
  os::TimePoint now = began;
  do {
    PENSTOCK_TRY(file.write(range.begin, bytes));
    range.begin += bytes.size();
    const os::TimePoint done = clock.now();
    times.emplace_back(done - now);
    now = done;
  } while (range.begin + bytes.size() <= range.end && now - began < time_max);
  return times;
}

Status make_file(os::FileSystem& files, const std::string& path, std::uint64_t size) {
  PENSTOCK_TRY_ASSIGN(const std::unique_ptr<os::File> file,
                      files.open(path, {.mode = os::OpenMode::kCreateNew}));
  PENSTOCK_TRY(file->preallocate(size));
  return file->sync();
}

Result<DiskSpeed> measure_in(os::FileSystem& files, const os::Clock& clock, const std::string& path,
                             std::uint64_t size, nanoseconds time_max) {
  PENSTOCK_TRY(make_file(files, path, size));
  PENSTOCK_TRY_ASSIGN(wal::AppendFile file, wal::AppendFile::open(files, path));
  const wal::AlignedBlocks memory(kDiskProbeWriteBytes);
  fill(memory.bytes());
  const ByteView large = memory.bytes();
  const nanoseconds blocks_time_max = time_max / kBlocksShare;
  DiskTimes times;
  PENSTOCK_TRY_ASSIGN(times.blocks, time_writes(file, clock, {.begin = 0, .end = kBlocksEnd},
                                                large.first(wal::kBlockSize), blocks_time_max));
  PENSTOCK_TRY_ASSIGN(times.large_writes,
                      time_writes(file, clock, {.begin = kBlocksEnd, .end = size}, large,
                                  time_max - blocks_time_max));
  return disk_speed(std::move(times));
}

}  // namespace

DiskSpeed disk_speed(DiskTimes times) {
  const auto middle = times.blocks.begin() + static_cast<std::ptrdiff_t>(times.blocks.size() / 2);
  std::nth_element(times.blocks.begin(), middle, times.blocks.end());
  const nanoseconds sum =
      std::accumulate(times.large_writes.begin(), times.large_writes.end(), nanoseconds(0));
  const double bytes = static_cast<double>(times.large_writes.size() * kDiskProbeWriteBytes);
  const double seconds = std::chrono::duration<double>(sum).count();
  return {.mb_per_second_durable = seconds > 0 ? bytes / 1e6 / seconds : 0,
          .sync_ms_p50 = std::chrono::duration<double, std::milli>(*middle).count()};
}

Result<DiskSpeed> measure_disk(os::FileSystem& files, const os::Clock& clock,
                               const DiskProbeOptions& options) {
  PENSTOCK_TRY_ASSIGN(const std::uint64_t free, files.free_space(options.directory));
  const std::uint64_t size =
      std::min(options.bytes_max, free / 2) / kDiskProbeWriteBytes * kDiskProbeWriteBytes;
  if (size < kFileBytesMin) {
    return Error(ErrorCode::kBusy,
                 "only " + format_bytes(free) + " are free in " + options.directory);
  }
  const std::string path = os::join_path(options.directory, "disk-probe");
  Result<DiskSpeed> speed = measure_in(files, clock, path, size, options.time_max);
  static_cast<void>(files.remove(path));  // the result counts; the directory goes with the run
  return speed;
}

}  // namespace penstock::bench
