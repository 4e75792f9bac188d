#include "sinks/archive/sequential_output.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "core/units.h"

namespace penstock::sinks {
namespace {

constexpr std::size_t kBufferSize = kMiB;
constexpr std::align_val_t kAlignment{os::kDirectAlignment};

}  // namespace

void SequentialOutput::AlignedDelete::operator()(std::byte* memory) const {
  ::operator delete(memory, kAlignment);
}

SequentialOutput::SequentialOutput(std::unique_ptr<os::File> file)
    : file_(std::move(file)),
      buffer_(static_cast<std::byte*>(::operator new(kBufferSize, kAlignment))) {}

Result<std::unique_ptr<SequentialOutput>> SequentialOutput::create(os::FileSystem& files,
                                                                   const std::string& path) {
  Result<std::unique_ptr<os::File>> opened =
      files.open(path, {.mode = os::OpenMode::kCreate, .direct = true});
  if (!opened.has_value() && opened.error().code() == ErrorCode::kInvalid) {
    opened = files.open(path, {.mode = os::OpenMode::kCreate});
  }
  PENSTOCK_TRY_ASSIGN(std::unique_ptr<os::File> file, std::move(opened));
  PENSTOCK_TRY(file->truncate(0));
  return std::unique_ptr<SequentialOutput>(new SequentialOutput(std::move(file)));
}

Status SequentialOutput::write(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kBufferSize - used_);
    std::memcpy(buffer_.get() + used_, bytes.data(), count);
    used_ += count;
    bytes = bytes.subspan(count);
    if (used_ == kBufferSize) {
      PENSTOCK_TRY(write_buffer(kBufferSize));
      written_ += kBufferSize;
      used_ = 0;
    }
  }
  return {};
}

Status SequentialOutput::write_buffer(std::size_t size) {
  return file_->write_at(written_, ByteView(buffer_.get(), size));
}

Status SequentialOutput::finish() {
  if (used_ > 0) {
    const std::size_t blocks = (used_ + os::kDirectAlignment - 1) / os::kDirectAlignment;
    const std::size_t padded = blocks * os::kDirectAlignment;
    std::memset(buffer_.get() + used_, 0, padded - used_);
    PENSTOCK_TRY(write_buffer(padded));
    written_ += used_;
    used_ = 0;
    PENSTOCK_TRY(file_->truncate(written_));
  }
  return file_->sync();
}

}  // namespace penstock::sinks
