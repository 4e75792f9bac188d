// SimFileSystem is a disk in memory that fails as real ones do: it forgets what was not synced.
//
//   SimFileSystem disk({.seed = 7});
//   disk.lose_power_during(12);       // the 12th change from now does not return well
//   run_until_error(disk);
//   disk.crash();                     // un-synced changes are kept, lost or torn, by the seed
//   recover_and_check(disk);          // the machine is up again; old Files and locks are dead
//
// What crash() does, after FoundationDB's AsyncFileNonDurable:
//   - Of each file, each 4 KiB page changed since its last sync() is as it was, as written last, as
//     at some moment between, a mixture of these at 512-byte sectors, or holds sectors of garbage
//     (only sectors that were being changed). The size is the old, the new or one between.
//   - Each creation, renaming and removal in a directory since its last sync_directory() happened
//     or did not, each by itself. create_directories() is durable when it returns.
//   - Some crashes keep everything and some lose everything un-synced, because those matter most.
//   - A write with sync_write is durable when it returns, and un-synced while it runs.
//
// To recover many times from one state: clone() the disk, crash() the clone with other seeds.
// To enumerate crash points: count changes() in a good run, then lose_power_during(1..n).
//
// Threads   any, as FileSystem says.
// Lifetime  outlives its Files and FileLocks.
// Errors    as FileSystem; kFatal for everything between a power failure and crash().
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/guarded.h"
#include "os/file_system.h"
#include "testing/sim_file_contents.h"

namespace penstock::testing {

enum class DiskOp {
  kOpen,
  kRead,
  kWrite,
  kSync,
  kPreallocate,
  kTruncate,
  kSize,
  kCreateDirectories,
  kSyncDirectory,
  kList,
  kRename,
  kRemove,
  kExists,
  kFreeSpace,
  kLock,
};

// Lets one operation fail. A failed write has written a random part; after a failed sync some of
// the un-synced pages never become durable, whatever is called later.
struct DiskFault {
  enum class Kind {
    kIoError,
    kNoSpace,
    kLostWrite,  // a write answers well and has written a random part: a negative control
  };

  DiskOp op = DiskOp::kWrite;
  std::uint64_t nth = 1;      // 1: the next one that matches
  std::uint64_t repeats = 1;  // how many in a row fail from there
  Kind kind = Kind::kIoError;
  std::string path_contains = {};  // empty: any file
};

class SimFileSystem final : public os::FileSystem {
 public:
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

  enum class SyncMode {
    kHonest,
    kLies,  // sync answers well and does nothing: the negative control of a durability test
  };

  struct Options {
    std::uint64_t seed = 1;
    std::uint64_t capacity_bytes = kUnlimited;
    SyncMode sync_mode = SyncMode::kHonest;
    bool refuses_direct = false;  // as tmpfs once did: open() with `direct` is kInvalid
  };

  SimFileSystem();
  explicit SimFileSystem(Options options);
  ~SimFileSystem() override;

  // --- os::FileSystem ---
  [[nodiscard]] Result<std::unique_ptr<os::File>> open(const std::string& path,
                                                       os::OpenOptions options) override;
  [[nodiscard]] Status create_directories(const std::string& path) override;
  [[nodiscard]] Status sync_directory(const std::string& path) override;
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) override;
  [[nodiscard]] Status rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Status remove(const std::string& path) override;
  [[nodiscard]] Result<bool> exists(const std::string& path) override;
  [[nodiscard]] Result<std::uint64_t> free_space(const std::string& path) override;
  [[nodiscard]] Result<std::unique_ptr<os::FileLock>> lock_file(const std::string& path) override;

  // --- faults ---
  void inject(DiskFault fault);
  void clear_faults();
  // Power fails while the nth change from now runs (1: the next): it may happen in part, answers
  // kFatal, and so does everything after it until crash(). 0: take that back.
  void lose_power_during(std::uint64_t nth_change);
  [[nodiscard]] bool power_lost() const;
  // Forgets what was not synced (by `seed`, or the disk's own) and starts the machine again.
  void crash();
  void crash(std::uint64_t seed);
  // As kill -9 does: Files and locks are dead, everything written is still there.
  void kill_process();
  void set_capacity(std::uint64_t bytes);
  void set_sync_mode(SyncMode mode);

  // --- looking ---
  // Operations so far that can change the disk: the crash points.
  [[nodiscard]] std::uint64_t changes() const;
  // Operations of one kind so far, failed ones included: to enumerate faults, as changes() does
  // crash points.
  [[nodiscard]] std::uint64_t count(DiskOp op) const;
  [[nodiscard]] std::uint64_t used_bytes() const;
  // The last operations, oldest first, one a line: for the message of a failing test.
  [[nodiscard]] std::string recent_operations() const;
  // A copy of the disk with all un-synced changes, without open files, locks and faults.
  [[nodiscard]] std::unique_ptr<SimFileSystem> clone(std::uint64_t seed) const;
  // Flips one bit of what is stored, durable and visible: damage of the medium.
  [[nodiscard]] Status flip_bit(const std::string& path, std::uint64_t bit);

 private:
  class State;
  class SimFile;
  class SimFileLock;

  explicit SimFileSystem(std::unique_ptr<State> state);

  Guarded<std::unique_ptr<State>> state_;
};

}  // namespace penstock::testing
