// RocksEnvironment is what all RocksDB stores of a process share: a folder, memory, and the log.
//
// One block cache serves all databases, and what was written to them but is not in a file yet is
// counted against the same bound: more stores or partitions do not take more memory. Made once, by
// whoever opens the engine.
//
// RocksDB's own log is off: the changelog is the log. What a process had in memory when it died is
// replayed from there; what it had written to files is not (docs/adr/0029-rocksdb.md).
//
// A changelog tells only for a day that a key was removed. So a database that has not been written
// for half of that is removed, too.
//
// Threads   all functions from any thread.
// Lifetime  `clock` and `logger` outlive it; it outlives the databases.
// Errors    kCorrupt  open(): what lies in the folder cannot be read
//           kRetry    the disk refused, or another process has the folder open
//           kInvalid  prepare(): the folder cannot be made or written
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/units.h"
#include "os/clock.h"
#include "record/types.h"
#include "telemetry/logger.h"

namespace rocksdb {
class DB;
class Status;
}  // namespace rocksdb

namespace penstock::store {

// Where a store keeps its database; without an environment it can be described, but not opened.
struct RocksPlace {
  class RocksEnvironment* environment = nullptr;
  std::string folder;      // below the environment's
  std::uint64_t seed = 0;  // random per process
};

class RocksEnvironment {
 public:
  enum class Files : std::uint8_t {
    kOnDisk,
    kInMemory,  // for tests: gone with the environment
  };

  // What happens to writes that are in memory only when a database is closed.
  enum class OnClose : std::uint8_t {
    kKeep,
    kLose,  // for tests: as in a crash
  };

  struct Options {
    std::string directory;
    std::uint64_t memory_bytes_max = 256 * kMiB;
    Files files = Files::kOnDisk;
    OnClose on_close = OnClose::kKeep;
    std::chrono::milliseconds age_max = std::chrono::hours(12);  // without a commit
  };

  RocksEnvironment(Options options, const os::Clock& clock, telemetry::Logger& logger);
  ~RocksEnvironment();

  RocksEnvironment(const RocksEnvironment&) = delete;
  RocksEnvironment& operator=(const RocksEnvironment&) = delete;

  [[nodiscard]] std::chrono::milliseconds age_max() const { return options_.age_max; }

  [[nodiscard]] Timestamp wall_now() const;

  // Makes the directory. A start-up that fails here names the setting.
  [[nodiscard]] Status prepare();

  // Makes the database if there is none.
  [[nodiscard]] Result<std::unique_ptr<rocksdb::DB>> open(const std::string& folder);
  // Removes what lies there, with one line in the log. The database must be closed.
  [[nodiscard]] Status discard(const std::string& folder, std::string_view why);

 private:
  struct Shared;

  [[nodiscard]] std::string path_of(const std::string& folder) const;
  [[nodiscard]] Status make_parents(const std::string& path);

  const Options options_;
  const os::Clock& clock_;
  telemetry::Logger& logger_;
  std::unique_ptr<Shared> shared_;
};

// RocksDB's answer as ours: kCorrupt if what lies in the folder is damaged, else kRetry.
[[nodiscard]] Error rocks_error(const rocksdb::Status& status);

}  // namespace penstock::store
