#include "sinks/archive/archive_file.h"

#include <utility>

#include "core/check.h"

namespace penstock::sinks {

ArchiveFile::ArchiveFile(os::FileSystem& files, Options options)
    : files_(files),
      options_(std::move(options)),
      folder_(hour_folder(options_.directory, options_.topic, options_.hour)),
      temporary_path_(os::join_path(
          folder_, temporary_file_name(options_.topic, PartitionId(options_.parquet.partition),
                                       options_.first))) {}

Result<std::unique_ptr<ArchiveFile>> ArchiveFile::create(os::FileSystem& files, Options options) {
  std::unique_ptr<ArchiveFile> file(new ArchiveFile(files, std::move(options)));
  PENSTOCK_TRY(files.create_directories(file->folder_));
  PENSTOCK_TRY_ASSIGN(file->output_, SequentialOutput::create(files, file->temporary_path_));
  file->writer_ = std::make_unique<ParquetWriter>(*file->output_, file->options_.parquet);
  return file;
}

ArchiveFile::~ArchiveFile() {
  if (state_ == State::kWriting && output_ != nullptr) {
    writer_.reset();
    output_.reset();
    // If this fails, opening the archive does it.
    static_cast<void>(files_.remove(temporary_path_));
  }
}

Status ArchiveFile::publish(Offset last) {
  PENSTOCK_CHECK(state_ == State::kWriting && last >= options_.first);
  PENSTOCK_TRY(writer_->finish());
  PENSTOCK_TRY(output_->finish());
  size_ = output_->size();
  const std::string name = data_file_name(options_.topic, PartitionId(options_.parquet.partition),
                                          {options_.first, last});
  Status renamed = files_.rename(temporary_path_, os::join_path(folder_, name));
  if (!renamed.has_value()) {
    if (renamed.error().code() == ErrorCode::kFatal) {
      state_ = State::kInDoubt;
    }
    return renamed;
  }
  state_ = State::kInDoubt;
  PENSTOCK_TRY(files_.sync_directory(folder_));
  state_ = State::kPublished;
  return {};
}

}  // namespace penstock::sinks
