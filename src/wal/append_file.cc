#include "wal/append_file.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "wal/format.h"

namespace penstock::wal {

Result<AppendFile> AppendFile::open(os::FileSystem& files, const std::string& path) {
  AppendFile file(files, path);
  Status opened = file.reopen(true);
  if (!opened && opened.error().code() == ErrorCode::kInvalid) {
    opened = file.reopen(false);
  }
  PENSTOCK_TRY(std::move(opened));
  return file;
}

Status AppendFile::reopen(bool direct) {
  PENSTOCK_TRY_ASSIGN(file_, files_->open(path_, {.mode = os::OpenMode::kReadWrite,
                                                  .direct = direct,
                                                  .sync_write = direct}));
  direct_ = direct;
  return {};
}

Status AppendFile::write(std::uint64_t position, ByteView bytes) {
  PENSTOCK_CHECK(position % kBlockSize == 0 && bytes.size() % kBlockSize == 0);
  Status written = file_->write_at(position, bytes);
  // Some file systems take O_DIRECT when a file is opened and refuse it here; nothing was written.
  if (!written && direct_ && written.error().code() == ErrorCode::kInvalid) {
    PENSTOCK_TRY(reopen(false));
    written = file_->write_at(position, bytes);
  }
  PENSTOCK_TRY(std::move(written));
  return direct_ ? Status() : file_->sync();
}

AlignedBlocks::AlignedBlocks(std::size_t size)
    : data_(static_cast<std::byte*>(std::aligned_alloc(kBlockSize, round_up_to_block(size)))),
      size_(round_up_to_block(size)) {
  PENSTOCK_CHECK(data_ != nullptr);
  std::memset(data_, 0, size_);
}

AlignedBlocks::~AlignedBlocks() {
  std::free(data_);
}

}  // namespace penstock::wal
