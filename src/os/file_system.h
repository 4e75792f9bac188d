// FileSystem and File are all of the disk that Penstock sees: positional I/O, explicit syncs.
//
// PosixFileSystem is the real one. testing/SimFileSystem keeps everything in memory, forgets on a
// crash what was not synced, tears the last writes and fails on demand, so that every error branch
// and every crash point can be tested.
//
// Errors    kNotFound  no such file or directory
//           kBusy      no space left (ENOSPC, EDQUOT), or a lock is held by someone else
//           kInvalid   the operation does not fit the file (wrong alignment, O_DIRECT refused)
//           kFatal     any other I/O error: the caller must not trust this file any more
//           Messages name the path and the system's reason.
// Threads   FileSystem from any thread. One File from one thread at a time, except read_at(),
//           which any thread may call beside one writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace penstock::os {

// Offsets, lengths and addresses of direct I/O are multiples of this.
inline constexpr std::size_t kDirectAlignment = 4096;

class File {
 public:
  virtual ~File() = default;

  // Reads up to into.size() bytes; fewer only at the end of the file. Retries interrupted reads.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    std::span<std::byte> into) const = 0;

  // Writes all of `bytes` or fails; on failure an unknown part may have been written.
  [[nodiscard]] virtual Status write_at(std::uint64_t offset, ByteView bytes) = 0;

  // Makes contents and size durable (fdatasync). After an error the file must not be used again:
  // the system may have dropped the dirty pages and marked them clean.
  [[nodiscard]] virtual Status sync() = 0;

  // Reserves disk blocks so that later writes up to `size` cannot fail for lack of space. The file
  // has at least that size afterwards; new bytes read as zeros.
  [[nodiscard]] virtual Status preallocate(std::uint64_t size) = 0;

  [[nodiscard]] virtual Status truncate(std::uint64_t size) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
};

// Held from lock_file() until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // read and write; made if absent
  kCreateNew,  // read and write; kInvalid if it exists
};

struct OpenOptions {
  OpenMode mode = OpenMode::kRead;
  bool direct = false;      // O_DIRECT: past the page cache, aligned to kDirectAlignment
  bool sync_write = false;  // O_DSYNC: a write is durable when it returns
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path,
                                                           OpenOptions options) = 0;
  // With all missing parents; durable when it returns.
  [[nodiscard]] virtual Status create_directories(const std::string& path) = 0;
  // Makes creations, renames and removals in `path` durable.
  [[nodiscard]] virtual Status sync_directory(const std::string& path) = 0;
  // Names in `path`, sorted, without "." and "..".
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  // Replaces a file that is there. Within one file system.
  [[nodiscard]] virtual Status rename(const std::string& from, const std::string& to) = 0;
  // A file or an empty directory.
  [[nodiscard]] virtual Status remove(const std::string& path) = 0;
  [[nodiscard]] virtual Result<bool> exists(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> free_space(const std::string& path) = 0;
  // Exclusive and non-blocking; kBusy while another process (or object) holds it.
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) = 0;
};

[[nodiscard]] std::unique_ptr<FileSystem> make_posix_file_system();

// Whole small files. write_file_atomically: temporary name, sync, rename, sync of the directory.
[[nodiscard]] Result<Bytes> read_file(FileSystem& files, const std::string& path);
[[nodiscard]] Status write_file_atomically(FileSystem& files, const std::string& path,
                                           ByteView contents);

[[nodiscard]] std::string join_path(const std::string& directory, const std::string& name);
// "a/b" of "a/b/c", "/" of "/a", "." of "a".
[[nodiscard]] std::string parent_path(const std::string& path);

}  // namespace penstock::os
