// AppendFile writes aligned blocks to a file and returns when they are on disk.
//
// With O_DIRECT and O_DSYNC where the file system takes them: one system call, no page cache to
// fill and, after an error, no page that looks clean and is lost. Otherwise (some file systems in
// memory) an ordinary write and fdatasync.
//
// Threads   one.
// Lifetime  `files` outlives it.
// Errors    kBusy   no space; whatever was written there must not be believed
//           kFatal  any other failure: the file must not be written any more
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "os/file_system.h"

namespace penstock::wal {

class AppendFile {
 public:
  // The file must exist.
  [[nodiscard]] static Result<AppendFile> open(os::FileSystem& files, const std::string& path);

  // `bytes` are in aligned memory, of whole blocks, as `position` is.
  [[nodiscard]] Status write(std::uint64_t position, ByteView bytes);

  [[nodiscard]] bool is_direct() const { return direct_; }

 private:
  AppendFile(os::FileSystem& files, std::string path) : files_(&files), path_(std::move(path)) {}

  [[nodiscard]] Status reopen(bool direct);

  os::FileSystem* files_;
  std::string path_;
  std::unique_ptr<os::File> file_;
  bool direct_ = false;
};

// Memory for AppendFile::write(), zeroed.
class AlignedBlocks {
 public:
  explicit AlignedBlocks(std::size_t size);
  ~AlignedBlocks();

  AlignedBlocks(const AlignedBlocks&) = delete;
  AlignedBlocks& operator=(const AlignedBlocks&) = delete;

  [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size_}; }

 private:
  std::byte* data_;
  std::size_t size_;
};

}  // namespace penstock::wal
