#include "sinks/archive/parquet_reader.h"

#include <exception>
#include <utility>

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

namespace penstock::sinks {
namespace {

constexpr std::int64_t kBatchRows = 4'096;

Error damaged(const std::string& why) {
  return {ErrorCode::kCorrupt, "the file cannot be read: " + why};
}

// Arrow's view of one of our files.
class FileInput final : public arrow::io::RandomAccessFile {
 public:
  FileInput(std::unique_ptr<os::File> file, std::uint64_t size)
      : file_(std::move(file)), size_(static_cast<std::int64_t>(size)) {}

  arrow::Result<std::int64_t> GetSize() override { return size_; }

  arrow::Result<std::int64_t> Tell() const override { return position_; }

  arrow::Status Seek(std::int64_t position) override {
    position_ = position;
    return arrow::Status::OK();
  }

  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t size, void* to) override {
    const auto read = file_->read_at(static_cast<std::uint64_t>(position),
                                     {static_cast<std::byte*>(to), static_cast<std::size_t>(size)});
    if (!read.has_value()) {
      return arrow::Status::IOError(read.error().message());
    }
    return static_cast<std::int64_t>(*read);
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(std::int64_t position,
                                                       std::int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(size));
    ARROW_ASSIGN_OR_RAISE(const std::int64_t read, ReadAt(position, size, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(read));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  arrow::Result<std::int64_t> Read(std::int64_t size, void* to) override {
    ARROW_ASSIGN_OR_RAISE(const std::int64_t read, ReadAt(position_, size, to));
    position_ += read;
    return read;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, size));
    position_ += buffer->size();
    return buffer;
  }

  arrow::Status Close() override {
    file_.reset();
    return arrow::Status::OK();
  }

  bool closed() const override { return file_ == nullptr; }

 private:
  std::unique_ptr<os::File> file_;
  const std::int64_t size_;
  std::int64_t position_ = 0;
};

ByteView view_of(const arrow::BinaryArray& array, std::int64_t row) {
  return as_bytes(array.GetView(row));
}

std::optional<ByteView> optional_view(const arrow::BinaryArray& array, std::int64_t row) {
  return array.IsNull(row) ? std::nullopt : std::optional(view_of(array, row));
}

// The columns of one batch of rows.
struct Columns {
  std::shared_ptr<arrow::RecordBatch> batch;
  const arrow::Int32Array* partition = nullptr;
  const arrow::Int64Array* offset = nullptr;
  const arrow::Int64Array* timestamp = nullptr;
  const arrow::Int64Array* ingest_time = nullptr;
  const arrow::BinaryArray* key = nullptr;
  const arrow::BinaryArray* value = nullptr;
  const arrow::BinaryArray* value_bytes = nullptr;
  const arrow::MapArray* headers = nullptr;
};

// As Arrow keeps them: times are 64-bit numbers, texts are bytes.
template <typename Array>
bool take(const arrow::RecordBatch& batch, const char* name,
          std::initializer_list<arrow::Type::type> types, const Array*& to) {
  const auto column = batch.GetColumnByName(name);
  for (const arrow::Type::type type : types) {
    if (column != nullptr && column->type_id() == type) {
      to = static_cast<const Array*>(column.get());
      return true;
    }
  }
  return false;
}

bool take_all(Columns& columns) {
  using arrow::Type;
  const arrow::RecordBatch& batch = *columns.batch;
  return take(batch, "partition", {Type::INT32}, columns.partition) &&
         take(batch, "offset", {Type::INT64}, columns.offset) &&
         take(batch, "timestamp", {Type::TIMESTAMP}, columns.timestamp) &&
         take(batch, "ingest_time", {Type::TIMESTAMP}, columns.ingest_time) &&
         take(batch, "key", {Type::STRING, Type::BINARY}, columns.key) &&
         take(batch, "value", {Type::STRING, Type::BINARY}, columns.value) &&
         take(batch, "value_bytes", {Type::STRING, Type::BINARY}, columns.value_bytes) &&
         take(batch, "headers", {Type::MAP}, columns.headers);
}

}  // namespace

class ParquetReader::Impl {
 public:
  Status open(std::unique_ptr<os::File> file) {
    PENSTOCK_TRY_ASSIGN(const std::uint64_t size, file->size());
    const auto input = std::make_shared<FileInput>(std::move(file), size);
    return guarded([&] {
      parquet::ReaderProperties properties = parquet::default_reader_properties();
      properties.set_page_checksum_verification(true);
      parquet::arrow::FileReaderBuilder builder;
      PARQUET_THROW_NOT_OK(builder.Open(input, properties));
      parquet::ArrowReaderProperties in_batches;
      in_batches.set_batch_size(kBatchRows);
      // Arrow would read ahead in threads of its own, also after this reader has found damage.
      in_batches.set_pre_buffer(false);
      PARQUET_ASSIGN_OR_THROW(reader_, builder.properties(in_batches)->Build());
      PARQUET_ASSIGN_OR_THROW(batches_, reader_->GetRecordBatchReader());
    });
  }

  [[nodiscard]] std::uint64_t row_count() const {
    return static_cast<std::uint64_t>(reader_->parquet_reader()->metadata()->num_rows());
  }

  Result<bool> next(ArchivedRecord& record) {
    while (columns_.batch == nullptr || row_ == columns_.batch->num_rows()) {
      PENSTOCK_TRY(read_batch());
      if (columns_.batch == nullptr) {
        return false;
      }
    }
    record.partition = PartitionId(columns_.partition->Value(row_));
    record.offset = Offset(columns_.offset->Value(row_));
    record.timestamp = Timestamp(columns_.timestamp->Value(row_));
    record.ingest_us = columns_.ingest_time->Value(row_);
    record.key = optional_view(*columns_.key, row_);
    record.value = optional_view(*columns_.value, row_);
    if (!record.value.has_value()) {
      record.value = optional_view(*columns_.value_bytes, row_);
    }
    read_headers(record);
    ++row_;
    return true;
  }

 private:
  // Runs Arrow's code and turns its exceptions into our errors.
  template <typename Code>
  static Status guarded(Code code) {
    try {
      code();
      return {};
    } catch (const std::exception& failure) {
      return damaged(failure.what());
    }
  }

  Status read_batch() {
    row_ = 0;
    PENSTOCK_TRY(guarded([&] { PARQUET_THROW_NOT_OK(batches_->ReadNext(&columns_.batch)); }));
    if (columns_.batch != nullptr && !take_all(columns_)) {
      return damaged("its columns are not those of the archive");
    }
    return {};
  }

  void read_headers(ArchivedRecord& record) const {
    const auto& names = static_cast<const arrow::BinaryArray&>(*columns_.headers->keys());
    const auto& values = static_cast<const arrow::BinaryArray&>(*columns_.headers->items());
    record.headers.clear();
    for (std::int32_t i = columns_.headers->value_offset(row_);
         i < columns_.headers->value_offset(row_ + 1); ++i) {
      record.headers.push_back({as_text(view_of(names, i)), optional_view(values, i)});
    }
  }

  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  Columns columns_;
  std::int64_t row_ = 0;
};

ParquetReader::ParquetReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ParquetReader::~ParquetReader() = default;

Result<std::unique_ptr<ParquetReader>> ParquetReader::open(os::FileSystem& files,
                                                           const std::string& path) {
  PENSTOCK_TRY_ASSIGN(auto file, files.open(path, {}));
  auto impl = std::make_unique<Impl>();
  PENSTOCK_TRY(impl->open(std::move(file)));
  return std::unique_ptr<ParquetReader>(new ParquetReader(std::move(impl)));
}

std::uint64_t ParquetReader::row_count() const {
  return impl_->row_count();
}

Result<bool> ParquetReader::next(ArchivedRecord& record) {
  return impl_->next(record);
}

}  // namespace penstock::sinks
