#include "wal/options.h"

#include "os/file_system.h"

namespace penstock::wal {
namespace {

constexpr std::uint64_t kSegmentBytesMin = 256 * kKiB;
constexpr std::uint64_t kSegmentBytesMax = 2 * kGiB;
constexpr std::size_t kGroupBytesMin = 4 * kKiB;
constexpr std::size_t kGroupBytesMax = 16 * kMiB;

Error invalid(const std::string& message) {
  return {ErrorCode::kInvalid, message};
}

}  // namespace

Status check_options(const Options& options) {
  if (options.directory.empty()) {
    return invalid("the log's directory is not set");
  }
  if (options.segment_bytes < kSegmentBytesMin || options.segment_bytes > kSegmentBytesMax ||
      options.segment_bytes % os::kDirectAlignment != 0) {
    return invalid("segment size " + format_bytes(options.segment_bytes) +
                   " is not a multiple of 4 KiB between 256 KiB and 2 GiB");
  }
  if (options.group_bytes_max < kGroupBytesMin || options.group_bytes_max > kGroupBytesMax ||
      options.group_bytes_max > options.segment_bytes / 4) {
    return invalid("group size " + format_bytes(options.group_bytes_max) +
                   " is not between 4 KiB and 16 MiB, or more than a quarter of a segment");
  }
  if (options.append_bytes_max == 0 || options.append_bytes_max > options.segment_bytes / 4) {
    return invalid("the largest append, " + format_bytes(options.append_bytes_max) +
                   ", must be at most a quarter of the segment size, " +
                   format_bytes(options.segment_bytes));
  }
  if (options.queue_bytes_max < options.append_bytes_max || options.queue_length_max == 0) {
    return invalid("the queue of appends must hold at least the largest append, " +
                   format_bytes(options.append_bytes_max));
  }
  if (options.reserve_bytes > options.segment_bytes / 4) {
    return invalid("the reserve, " + format_bytes(options.reserve_bytes) +
                   ", is more than a quarter of the segment size");
  }
  if (options.rewrite_below_percent > 90 || options.compact_dirty_percent > 100) {
    return invalid("rewrite_below_percent goes up to 90, compact_dirty_percent up to 100");
  }
  return {};
}

}  // namespace penstock::wal
