// ParquetWriter encodes records into the columns of one archive file.
//
// It uses Parquet's own column writers instead of Arrow arrays: a value is copied once, from the
// log's memory into its page. Rows are gathered per log batch and handed over by write(), so the
// memory they view may go after it. Only one row group is held in memory.
//
// A value that is not UTF-8, as a dead letter's may be, goes into a column of its own,
// `value_bytes`. So all files have one schema, and whatever is text reads as text.
//
// Threads   one.
// Lifetime  `output` outlives it. Destroyed before finish(), nothing more is written.
// Errors    kInvalid  a key or header is not UTF-8; the file is unusable
//           others    as `output` answered
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/result.h"
#include "core/units.h"
#include "record/record_batch.h"
#include "sinks/archive/sequential_output.h"

namespace penstock::sinks {

class ParquetWriter {
 public:
  struct Options {
    std::int32_t partition = 0;
    std::int64_t group_rows_max = 122'880;
    std::uint64_t group_size_max = 64 * kMiB;  // of keys, values and headers, before compression
  };

  ParquetWriter(SequentialOutput& output, Options options);
  ~ParquetWriter();
  ParquetWriter(const ParquetWriter&) = delete;
  ParquetWriter& operator=(const ParquetWriter&) = delete;

  // `ingest_us`: microseconds since the epoch. The record's memory must live until write().
  [[nodiscard]] Status add(const RecordView& record, std::int64_t ingest_us);
  // Encodes the rows added since the last call.
  [[nodiscard]] Status write();
  // Writes what is pending and the footer. The output still has to be finished.
  [[nodiscard]] Status finish();

  [[nodiscard]] std::uint64_t row_count() const;
  // Of keys, values and headers, before compression.
  [[nodiscard]] std::uint64_t payload_size() const;
  // The part of it that is in memory: that of the open row group.
  [[nodiscard]] std::uint64_t buffered_size() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::sinks
