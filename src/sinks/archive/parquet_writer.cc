#include "sinks/archive/parquet_writer.h"

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/io/interfaces.h>
#include <arrow/util/compression.h>
#include <parquet/api/writer.h>

#include "core/utf8.h"
#include "record/internal_headers.h"

namespace penstock::sinks {
namespace {

namespace pq = ::parquet;
using pq::schema::GroupNode;
using pq::schema::NodePtr;
using pq::schema::PrimitiveNode;

constexpr int kCompressionLevel = 1;

// The leaf columns, in the order of the schema.
enum Column : int {
  kPartition,
  kOffset,
  kTimestamp,
  kKey,
  kValue,
  kHeaderKey,
  kHeaderValue,
  kIngestTime,
  kValueBytes,
};

// Parquet's sink over ours. Parquet reports failures as exceptions without our code in them, so the
// first error is kept here.
class ParquetSink final : public ::arrow::io::OutputStream {
 public:
  explicit ParquetSink(SequentialOutput& output) : output_(output) {}

  using ::arrow::io::OutputStream::Write;

  ::arrow::Status Write(const void* data, std::int64_t size) override {
    if (abandoned_) {
      return ::arrow::Status::OK();
    }
    const Status written =
        output_.write({static_cast<const std::byte*>(data), static_cast<std::size_t>(size)});
    if (!written.has_value()) {
      error_ = written.error();
      return ::arrow::Status::IOError(written.error().message());
    }
    return ::arrow::Status::OK();
  }

  ::arrow::Status Close() override {
    closed_ = true;
    return ::arrow::Status::OK();
  }

  [[nodiscard]] bool closed() const override { return closed_; }

  ::arrow::Result<std::int64_t> Tell() const override {
    return static_cast<std::int64_t>(output_.size());
  }

  // Swallows what the Parquet library writes when it is destroyed early.
  void abandon() { abandoned_ = true; }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  SequentialOutput& output_;
  std::optional<Error> error_;
  bool closed_ = false;
  bool abandoned_ = false;
};

NodePtr text_node(const std::string& name, pq::Repetition::type repetition) {
  return PrimitiveNode::Make(name, repetition, pq::LogicalType::String(), pq::Type::BYTE_ARRAY);
}

NodePtr bytes_node(const std::string& name) {
  return PrimitiveNode::Make(name, pq::Repetition::OPTIONAL, pq::LogicalType::None(),
                             pq::Type::BYTE_ARRAY);
}

NodePtr time_node(const std::string& name, pq::LogicalType::TimeUnit::unit unit) {
  return PrimitiveNode::Make(name, pq::Repetition::REQUIRED,
                             pq::LogicalType::Timestamp(/*is_adjusted_to_utc=*/true, unit),
                             pq::Type::INT64);
}

std::shared_ptr<GroupNode> make_schema() {
  const NodePtr pairs = GroupNode::Make(
      "key_value", pq::Repetition::REPEATED,
      {text_node("key", pq::Repetition::REQUIRED), text_node("value", pq::Repetition::OPTIONAL)});
  const NodePtr root = GroupNode::Make(
      "schema", pq::Repetition::REQUIRED,
      {PrimitiveNode::Make("partition", pq::Repetition::REQUIRED, pq::Type::INT32),
       PrimitiveNode::Make("offset", pq::Repetition::REQUIRED, pq::Type::INT64),
       time_node("timestamp", pq::LogicalType::TimeUnit::MILLIS),
       text_node("key", pq::Repetition::OPTIONAL), text_node("value", pq::Repetition::OPTIONAL),
       GroupNode::Make("headers", pq::Repetition::REQUIRED, {pairs}, pq::LogicalType::Map()),
       time_node("ingest_time", pq::LogicalType::TimeUnit::MICROS), bytes_node("value_bytes")});
  return std::static_pointer_cast<GroupNode>(root);
}

std::shared_ptr<pq::WriterProperties> make_properties() {
  pq::WriterProperties::Builder builder;
  builder.created_by("penstock");
  builder.compression(pq::Compression::ZSTD);
  builder.compression_level(kCompressionLevel);
  builder.enable_page_checksum();  // what a disk or a copy has changed is found, not read
  // Offsets rise by one and times hardly change: differences are next to nothing.
  for (const char* name : {"offset", "timestamp", "ingest_time"}) {
    builder.disable_dictionary(name);
    builder.encoding(name, pq::Encoding::DELTA_BINARY_PACKED);
  }
  // Events are all different, so a dictionary would be filled and thrown away; and nobody looks
  // for events by the order of their text.
  for (const char* name : {"value", "value_bytes"}) {
    builder.disable_dictionary(name);
    builder.disable_statistics(name);
  }
  return builder.build();
}

pq::ByteArray byte_array(ByteView bytes) {
  return {static_cast<std::uint32_t>(bytes.size()),
          reinterpret_cast<const std::uint8_t*>(bytes.data())};
}

// Most keys and events are plain ASCII, which is seen eight bytes at a time.
bool is_text(ByteView bytes) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t seen = 0;
  std::size_t at = 0;
  for (; at + sizeof(seen) <= bytes.size(); at += sizeof(seen)) {
    seen |= load_le<std::uint64_t>(bytes.data() + at);
  }
  for (; at < bytes.size(); ++at) {
    seen |= std::to_integer<std::uint64_t>(bytes[at]);
  }
  return (seen & kHighBits) == 0 || is_utf8(as_text(bytes));
}

// Values of an optional or repeated column, with the levels that say where there are none.
struct ByteColumn {
  std::vector<pq::ByteArray> values;
  std::vector<std::int16_t> definition_levels;

  void add(const std::optional<ByteView>& bytes, std::int16_t present_level) {
    if (bytes.has_value()) {
      values.push_back(byte_array(*bytes));
    }
    definition_levels.push_back(
        static_cast<std::int16_t>(bytes.has_value() ? present_level : present_level - 1));
  }

  void clear() {
    values.clear();
    definition_levels.clear();
  }
};

}  // namespace

class ParquetWriter::Impl {
 public:
  Impl(SequentialOutput& output, Options options)
      : options_(options), sink_(std::make_shared<ParquetSink>(output)) {}

  ~Impl() {
    if (!finished_) {
      sink_->abandon();
    }
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status add(const RecordView& record, std::int64_t ingest_us) {
    PENSTOCK_TRY(check_text(record, record.key, "key"));
    const bool is_text_value = !record.value.has_value() || is_text(*record.value);
    offsets_.push_back(record.offset.value());
    timestamps_.push_back(record.timestamp.value());
    ingest_times_.push_back(ingest_us);
    keys_.add(record.key, 1);
    values_.add(is_text_value ? record.value : std::nullopt, 1);
    byte_values_.add(is_text_value ? std::nullopt : record.value, 1);
    PENSTOCK_TRY(add_headers(record));
    const std::uint64_t size = (record.key ? record.key->size() : 0) +
                               (record.value ? record.value->size() : 0) +
                               record.header_bytes.size();
    payload_size_ += size;
    group_size_ += size;
    ++group_rows_;
    if (group_rows_ >= options_.group_rows_max || group_size_ >= options_.group_size_max) {
      PENSTOCK_TRY(write());
      return end_group();
    }
    return {};
  }

  Status write() {
    if (offsets_.empty()) {
      return {};
    }
    const Status written = guarded([&] { write_columns(); });
    row_count_ += offsets_.size();
    clear_rows();
    return written;
  }

  Status finish() {
    PENSTOCK_TRY(write());
    PENSTOCK_TRY(guarded([&] {
      open();
      file_->Close();
    }));
    finished_ = true;
    return {};
  }

  [[nodiscard]] std::uint64_t row_count() const { return row_count_ + offsets_.size(); }

  [[nodiscard]] std::uint64_t payload_size() const { return payload_size_; }

  [[nodiscard]] std::uint64_t buffered_size() const { return group_size_; }

 private:
  // Runs Parquet code and turns its exceptions into our errors.
  template <typename Code>
  Status guarded(Code code) {
    try {
      code();
      return {};
    } catch (const std::exception& failure) {
      if (sink_->error().has_value()) {
        return *sink_->error();
      }
      return Error(ErrorCode::kFatal, std::string("the Parquet library failed: ") + failure.what());
    }
  }

  static Status check_text(const RecordView& record, const std::optional<ByteView>& bytes,
                           const char* column) {
    if (!bytes.has_value() || is_text(*bytes)) [[likely]] {
      return {};
    }
    return Error(ErrorCode::kInvalid, std::string("the ") + column + " at offset " +
                                          to_string(record.offset) + " is not UTF-8 text");
  }

  Status add_headers(const RecordView& record) {
    HeaderReader reader(record);
    HeaderView header;
    std::int16_t repetition = 0;
    while (reader.next(header)) {
      if (is_internal_header(header.key)) {
        continue;
      }
      PENSTOCK_TRY(check_text(record, as_bytes(header.key), "header name"));
      PENSTOCK_TRY(check_text(record, header.value, "header"));
      header_keys_.add(as_bytes(header.key), 1);
      header_values_.add(header.value, 2);
      header_repetitions_.push_back(repetition);
      repetition = 1;
    }
    if (repetition == 0) {  // an empty map
      header_keys_.definition_levels.push_back(0);
      header_values_.definition_levels.push_back(0);
      header_repetitions_.push_back(0);
    }
    return {};
  }

  void open() {
    if (file_ == nullptr) {
      file_ = pq::ParquetFileWriter::Open(sink_, make_schema(), make_properties());
    }
  }

  void write_columns() {
    open();
    if (group_ == nullptr) {
      group_ = file_->AppendBufferedRowGroup();
    }
    const auto rows = static_cast<std::int64_t>(offsets_.size());
    partitions_.assign(offsets_.size(), options_.partition);
    column<pq::Int32Writer>(kPartition)->WriteBatch(rows, nullptr, nullptr, partitions_.data());
    column<pq::Int64Writer>(kOffset)->WriteBatch(rows, nullptr, nullptr, offsets_.data());
    column<pq::Int64Writer>(kTimestamp)->WriteBatch(rows, nullptr, nullptr, timestamps_.data());
    column<pq::Int64Writer>(kIngestTime)->WriteBatch(rows, nullptr, nullptr, ingest_times_.data());
    write_bytes(kKey, keys_, nullptr);
    write_bytes(kValue, values_, nullptr);
    write_bytes(kValueBytes, byte_values_, nullptr);
    write_bytes(kHeaderKey, header_keys_, header_repetitions_.data());
    write_bytes(kHeaderValue, header_values_, header_repetitions_.data());
  }

  void write_bytes(Column which, const ByteColumn& data, const std::int16_t* repetitions) {
    column<pq::ByteArrayWriter>(which)->WriteBatch(
        static_cast<std::int64_t>(data.definition_levels.size()), data.definition_levels.data(),
        repetitions, data.values.data());
  }

  template <typename Writer>
  Writer* column(Column which) {
    return static_cast<Writer*>(group_->column(which));
  }

  Status end_group() {
    group_rows_ = 0;
    group_size_ = 0;
    pq::RowGroupWriter* const group = std::exchange(group_, nullptr);
    return guarded([&] { group->Close(); });
  }

  void clear_rows() {
    offsets_.clear();
    timestamps_.clear();
    ingest_times_.clear();
    keys_.clear();
    values_.clear();
    byte_values_.clear();
    header_keys_.clear();
    header_values_.clear();
    header_repetitions_.clear();
  }

  const Options options_;
  std::shared_ptr<ParquetSink> sink_;
  std::unique_ptr<pq::ParquetFileWriter> file_;
  pq::RowGroupWriter* group_ = nullptr;  // owned by file_
  std::int64_t group_rows_ = 0;
  std::uint64_t group_size_ = 0;
  std::uint64_t row_count_ = 0;
  std::uint64_t payload_size_ = 0;
  bool finished_ = false;

  // The rows since the last write(), by column.
  std::vector<std::int32_t> partitions_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::int64_t> timestamps_;
  std::vector<std::int64_t> ingest_times_;
  ByteColumn keys_;
  ByteColumn values_;
  ByteColumn byte_values_;  // those that are not text
  ByteColumn header_keys_;
  ByteColumn header_values_;
  std::vector<std::int16_t> header_repetitions_;
};

ParquetWriter::ParquetWriter(SequentialOutput& output, Options options)
    : impl_(std::make_unique<Impl>(output, options)) {}

ParquetWriter::~ParquetWriter() = default;

Status ParquetWriter::add(const RecordView& record, std::int64_t ingest_us) {
  return impl_->add(record, ingest_us);
}

Status ParquetWriter::write() {
  return impl_->write();
}

Status ParquetWriter::finish() {
  return impl_->finish();
}

std::uint64_t ParquetWriter::row_count() const {
  return impl_->row_count();
}

std::uint64_t ParquetWriter::payload_size() const {
  return impl_->payload_size();
}

std::uint64_t ParquetWriter::buffered_size() const {
  return impl_->buffered_size();
}

}  // namespace penstock::sinks
