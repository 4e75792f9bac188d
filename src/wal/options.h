// The settings of the embedded log and their defaults; docs/operations.md explains when to change
// them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/result.h"
#include "core/units.h"

namespace penstock::wal {

// What open() does when it finds that the log is damaged, see wal/recovery.h.
enum class OnDamage {
  kRefuse,      // kCorrupt, with file and place; nothing is changed
  kAcceptLoss,  // an operator has decided: keep all that is sound, go on without the rest
};

struct Options {
  std::string directory;  // `<data-dir>/log`; made if absent

  // Size of each segment file, allocated at once. A whole number of 4 KiB blocks.
  std::uint64_t segment_bytes = 256 * kMiB;
  // More waiting appends than this are split over several groups. Large, because a sync may take
  // ten milliseconds: what came in meanwhile is to need only one more.
  std::size_t group_bytes_max = 8 * kMiB;
  // The largest append or transaction; at most a quarter of a segment.
  std::size_t append_bytes_max = 32 * kMiB;
  // Requests that wait for the disk; beyond either limit they are answered with kBusy. Plain
  // appends get half of it, so that transactions find room however much comes in.
  std::size_t queue_bytes_max = 64 * kMiB;
  std::size_t queue_length_max = 65'536;
  // Recently written groups that stay in memory for readers that are caught up.
  std::size_t tail_cache_bytes = 64 * kMiB;

  // Kept free in the last segment, so that retention can make space when the disk is full.
  std::uint64_t reserve_bytes = 8 * kMiB;
  // Emptied segment files kept for reuse; more are deleted.
  std::size_t spare_segments_max = 2;

  // How often maintain_once() looks for records whose time is over.
  std::chrono::milliseconds retention_interval{10'000};
  // When wall time leaps by more than a minute, nothing is deleted by age for that long.
  std::chrono::milliseconds clock_leap_hold{3'600'000};
  // A segment of which at most this share is still needed is copied forward and freed.
  unsigned rewrite_below_percent = 25;
  // A compacted partition is compacted again when this share of its bytes came since the last time.
  unsigned compact_dirty_percent = 50;
  // How long readers can still see that a key was removed from a compacted topic.
  std::chrono::milliseconds tombstone_retention{24 * 3'600'000};
  // Memory for the keys of one compaction, each about 40 bytes and its own; more keys take more
  // than one.
  std::size_t compaction_bytes_max = 64 * kMiB;
  // After that long without a write, what was written last is noted as synced (see
  // docs/formats/log.md).
  std::chrono::milliseconds proof_delay{100};

  OnDamage on_damage = OnDamage::kRefuse;
};

// kInvalid with a sentence that names the setting.
[[nodiscard]] Status check_options(const Options& options);

}  // namespace penstock::wal
