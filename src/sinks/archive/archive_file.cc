#include "sinks/archive/archive_file.h"

#include <utility>

#include "core/check.h"

namespace penstock::sinks {

ArchiveFile::ArchiveFile(os::FileSystem& files, ArchiveStore& store, Options options)
    : files_(files), store_(store), options_(std::move(options)) {}

Result<std::unique_ptr<ArchiveFile>> ArchiveFile::create(os::FileSystem& files, ArchiveStore& store,
                                                         Options options) {
  std::unique_ptr<ArchiveFile> file(new ArchiveFile(files, store, std::move(options)));
  const Options& made = file->options_;
  PENSTOCK_TRY_ASSIGN(
      file->temporary_path_,
      store.temporary_path(made.topic, PartitionId(made.parquet.partition), made.hour, made.first));
  PENSTOCK_TRY_ASSIGN(file->output_, SequentialOutput::create(files, file->temporary_path_));
  file->writer_ = std::make_unique<ParquetWriter>(*file->output_, made.parquet);
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
  Status published = store_.publish({.path = temporary_path_,
                                     .size = size_,
                                     .topic = options_.topic,
                                     .partition = PartitionId(options_.parquet.partition),
                                     .hour = options_.hour,
                                     .range = {options_.first, last},
                                     .row_count = writer_->row_count()});
  if (!published.has_value()) {
    if (published.error().code() == ErrorCode::kFatal) {
      state_ = State::kInDoubt;
    }
    return published;
  }
  state_ = State::kPublished;
  return {};
}

}  // namespace penstock::sinks
