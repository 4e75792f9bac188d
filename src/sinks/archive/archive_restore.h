// Restores a topic from the archive: the records of its files go into a topic of the log again, to
// the same partitions, in order, with keys, times and headers as they were.
//
// Where reading stands is committed in the transaction that appends, as the consumer group
// `archive-restore.<topic>`. So a restore that was interrupted goes on where it stopped, and one
// that is run again finds nothing to do. Each record has these headers besides its own:
//
//   penstock.restored.topic, penstock.restored.partition, penstock.restored.offset
//
// Restored into an empty topic, records that were archived from the first on get the offsets that
// they had, as long as those had no gaps.
//
// Threads   one; blocks.
// Errors    kInvalid   the topic holds records that are not this restore's, or has other partitions
//           kCorrupt   a file of the archive cannot be trusted
//           kFenced    another restore of the same topic was begun
//           others     those of the log and of the store
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/result.h"
#include "core/units.h"
#include "log/log.h"
#include "os/clock.h"
#include "sinks/archive/archive_store.h"

namespace penstock::sinks {

struct RestoreOptions {
  std::string topic;
  std::string to;             // the topic that gets them; empty: the same
  bool among_others = false;  // also if that topic has records that are not this restore's
  std::size_t batch_size_max = 512 * kKiB;  // of keys, values and headers in one transaction
  std::chrono::milliseconds join_timeout{60'000};
  std::function<bool()> interrupted = [] { return false; };
  std::function<void()> idle = [] {};  // called while the log is waited for
};

struct RestoreReport {
  std::uint64_t records = 0;  // restored by this run
  std::uint64_t files = 0;    // that it read
  std::uint64_t missing_offsets = 0;
  bool is_complete = true;  // false: interrupted
};

struct RestoreSurroundings {
  log::Log& log;
  os::FileSystem& files;  // where fetched files are
  const os::Clock& clock;
};

[[nodiscard]] Result<RestoreReport> restore_topic(const RestoreSurroundings& surroundings,
                                                  ArchiveStore& store,
                                                  const RestoreOptions& options);

}  // namespace penstock::sinks
