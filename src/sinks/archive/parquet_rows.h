// Reads an archive file back into plain rows, with Arrow's reader; for tests.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>

#include "core/bytes.h"

namespace penstock::sinks {

struct ParquetRow {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::map<std::string, std::optional<std::string>> headers;
  std::int64_t ingest_us = 0;
  std::optional<std::string> value_bytes;

  friend bool operator==(const ParquetRow&, const ParquetRow&) = default;
};

struct ParquetContents {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::int64_t> group_rows;
  std::string created_by;
  std::vector<ParquetRow> rows;
};

namespace internal {

inline std::optional<std::string> text_at(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) {
    return std::nullopt;
  }
  return static_cast<const arrow::BinaryArray&>(array).GetString(row);
}

inline ParquetRow row_at(const arrow::RecordBatch& batch, std::int64_t row) {
  ParquetRow result;
  const auto number = [&](const char* column) {
    return static_cast<const arrow::Int64Array&>(*batch.GetColumnByName(column)).Value(row);
  };
  result.partition =
      static_cast<const arrow::Int32Array&>(*batch.GetColumnByName("partition")).Value(row);
  result.offset = number("offset");
  result.timestamp_ms = number("timestamp");
  result.ingest_us = number("ingest_time");
  result.key = text_at(*batch.GetColumnByName("key"), row);
  result.value = text_at(*batch.GetColumnByName("value"), row);
  result.value_bytes = text_at(*batch.GetColumnByName("value_bytes"), row);
  const auto& headers = static_cast<const arrow::MapArray&>(*batch.GetColumnByName("headers"));
  for (std::int32_t i = headers.value_offset(row); i < headers.value_offset(row + 1); ++i) {
    result.headers[*text_at(*headers.keys(), i)] = text_at(*headers.items(), i);
  }
  return result;
}

}  // namespace internal

// Nothing if it is not a sound Parquet file.
inline std::optional<ParquetContents> read_parquet(const Bytes& file) {
  const auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::Wrap(file));
  auto opened = parquet::arrow::OpenFile(input, arrow::default_memory_pool());
  if (!opened.ok()) {
    return std::nullopt;
  }
  const auto reader = std::move(opened).ValueUnsafe();
  ParquetContents contents;
  const auto metadata = reader->parquet_reader()->metadata();
  contents.created_by = metadata->created_by();
  for (int group = 0; group < metadata->num_row_groups(); ++group) {
    contents.group_rows.push_back(metadata->RowGroup(group)->num_rows());
  }
  const auto read = reader->ReadTable();
  if (!read.ok()) {
    return std::nullopt;
  }
  const std::shared_ptr<arrow::Table>& table = *read;
  contents.schema = table->schema();
  arrow::TableBatchReader batches(*table);
  std::shared_ptr<arrow::RecordBatch> batch;
  while (batches.ReadNext(&batch).ok() && batch != nullptr) {
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      contents.rows.push_back(internal::row_at(*batch, row));
    }
  }
  return contents;
}

}  // namespace penstock::sinks
