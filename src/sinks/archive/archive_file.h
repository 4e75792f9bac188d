// ArchiveFile is one Parquet file of the archive while it is written, until its name makes it
// count.
//
//   writing (.web-3-1000.tmp) --publish--> published (web-3-1000-1999.parquet)
//        \--destroyed-----------> gone
//
// Contents are synced before the store is asked to give the file its name. So when publish() has
// returned the offsets are in the archive for good.
//
// Threads   one.
// Lifetime  `files` and the store outlive it. Destroyed before publish(), it removes what it wrote.
// Errors    of writing: as os::File and ParquetWriter; destroy the file and begin it anew.
//           of publish(): the same, and those of ArchiveStore::publish().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "os/file_system.h"
#include "record/record_batch.h"
#include "sinks/archive/archive_layout.h"
#include "sinks/archive/archive_store.h"
#include "sinks/archive/parquet_writer.h"
#include "sinks/archive/sequential_output.h"

namespace penstock::sinks {

class ArchiveFile {
 public:
  struct Options {
    std::string topic;
    HourIndex hour = 0;
    Offset first;  // the first that the name will stand for
    ParquetWriter::Options parquet = {};
  };

  [[nodiscard]] static Result<std::unique_ptr<ArchiveFile>> create(os::FileSystem& files,
                                                                   ArchiveStore& store,
                                                                   Options options);
  ~ArchiveFile();
  ArchiveFile(const ArchiveFile&) = delete;
  ArchiveFile& operator=(const ArchiveFile&) = delete;

  [[nodiscard]] ParquetWriter& writer() { return *writer_; }

  [[nodiscard]] HourIndex hour() const { return options_.hour; }

  [[nodiscard]] Offset first() const { return options_.first; }

  // Offsets first() to `last` are then in the archive. Once.
  [[nodiscard]] Status publish(Offset last);

  // True after a publish() that failed when the file may already have had its name.
  [[nodiscard]] bool in_doubt() const { return state_ == State::kInDoubt; }

  // Size on disk; after publish().
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  enum class State { kWriting, kInDoubt, kPublished };

  ArchiveFile(os::FileSystem& files, ArchiveStore& store, Options options);

  os::FileSystem& files_;
  ArchiveStore& store_;
  const Options options_;
  std::string temporary_path_;
  std::unique_ptr<SequentialOutput> output_;
  std::unique_ptr<ParquetWriter> writer_;
  std::uint64_t size_ = 0;
  State state_ = State::kWriting;
};

}  // namespace penstock::sinks
