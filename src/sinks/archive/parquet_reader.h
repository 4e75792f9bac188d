// ParquetReader reads an archive file back, record by record, and checks every page on the way.
//
// Threads   one.
// Lifetime  `files` outlives it.
// Errors    kCorrupt  the file is damaged, or is not one of the archive's; the message says how
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "os/file_system.h"
#include "record/record_batch.h"
#include "record/types.h"

namespace penstock::sinks {

// A row of an archive file, see docs/formats/archive.md. Views are those of the reader.
struct ArchivedRecord {
  PartitionId partition;
  Offset offset;
  Timestamp timestamp;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  std::vector<HeaderView> headers;
  std::int64_t ingest_us = 0;
};

class ParquetReader {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ParquetReader>> open(os::FileSystem& files,
                                                                   const std::string& path);
  ~ParquetReader();
  ParquetReader(const ParquetReader&) = delete;
  ParquetReader& operator=(const ParquetReader&) = delete;

  // Of the whole file, by its footer.
  [[nodiscard]] std::uint64_t row_count() const;

  // The next record, valid until the next call; false at the end.
  [[nodiscard]] Result<bool> next(ArchivedRecord& record);

 private:
  class Impl;
  explicit ParquetReader(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::sinks
