// RecordBatchBuilder and RecordBatchView write and read Kafka's record batch format v2.
//
// The batch is the unit of everything: encoded once at the edge, stored, fetched, archived and
// sent as the same bytes. 61 bytes of header, then records of varint-coded fields. The CRC-32C
// covers everything from `attributes` on; base offset, length and leader epoch lie before it, so
// the log can assign offsets without touching the payload.
// Format: docs/formats/record-batch.md; source: Kafka documentation, "Record Batch" (magic 2).
//
// A batch may be compressed with LZ4; a reader unpacks it into memory of its own.
//
// Nothing here allocates, locks or calls virtually per record. Views do not own: the bytes given
// to RecordBatchView::parse() must outlive the view and every record read from it, and the reader
// of a batch the records that it gave out.
//
// Threads   a builder or reader belongs to one thread; views may be read by many.
// Errors    kInvalid  a batch is malformed, or compressed otherwise (message says where)
//           kCorrupt  the checksum does not match
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/buffer.h"
#include "core/bytes.h"
#include "core/result.h"
#include "record/types.h"

namespace penstock {

inline constexpr std::size_t kBatchHeaderSize = 61;

struct HeaderView {
  std::string_view key;
  std::optional<ByteView> value;
};

struct RecordView {
  Offset offset;
  Timestamp timestamp;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  // Undecoded headers: count, and their bytes; read them with HeaderReader.
  std::uint32_t header_count = 0;
  ByteView header_bytes;
};

// Reads the headers of one record in order.
class HeaderReader {
 public:
  explicit HeaderReader(const RecordView& record);
  // False after the last one.
  [[nodiscard]] bool next(HeaderView& header);

 private:
  const std::byte* at_;
  const std::byte* end_;
  std::uint32_t left_;
};

// The value of the first header of that name, if there is one.
[[nodiscard]] std::optional<ByteView> find_header(const RecordView& record, std::string_view key);

// A finished batch: its bytes as they go to the log.
struct RecordBatch {
  Buffer bytes;

  [[nodiscard]] bool empty() const { return bytes.empty(); }
};

enum class Compression { kNone, kLz4 };

// Compresses batches that become smaller by it, one after the other, in the same memory.
class BatchCompressor {
 public:
  explicit BatchCompressor(Compression compression) : compression_(compression) {}

 private:
  friend class RecordBatchBuilder;

  // `payload` compressed; empty where it is not worth it. Valid until the next call.
  [[nodiscard]] ByteView compress(ByteView payload);

  Compression compression_;
  Buffer scratch_;
};

class RecordBatchBuilder {
 public:
  // `reserve_bytes` is allocated at once; the buffer grows past it where records need it.
  explicit RecordBatchBuilder(std::size_t reserve_bytes = 0);

  // As many bytes of a batch will not need more memory.
  void reserve(std::size_t bytes) { buffer_.reserve(bytes); }

  // Reuses the memory of a batch that is no longer needed.
  void recycle(RecordBatch batch);

  // Headers are encoded in the given order. `key` and `value` may be absent (null), not the same
  // as empty. The batch must stay under 2 GiB (checked): close batches long before.
  void append(Timestamp timestamp, std::optional<ByteView> key, std::optional<ByteView> value) {
    append_parts(timestamp, parts(key), parts(value));
  }

  void append(Timestamp timestamp, std::optional<ByteView> key, std::optional<ByteView> value,
              std::span<const HeaderView> headers);

  // Leaves out the next `count` offsets, as compaction does with records that nobody needs.
  void skip_offsets(std::uint32_t count) { skipped_ += count; }

  [[nodiscard]] std::uint32_t record_count() const { return count_; }

  [[nodiscard]] bool empty() const { return count_ == 0; }

  // Size that finish() would have now.
  [[nodiscard]] std::size_t size_bytes() const { return count_ == 0 ? 0 : used_; }

  // Fills the header, computes the CRC and hands the bytes over; the builder is empty after it.
  // There must be a record, or a skipped offset.
  [[nodiscard]] RecordBatch finish(ProducerId producer = kNoProducerId,
                                   ProducerEpoch epoch = kNoProducerEpoch,
                                   std::int32_t base_sequence = -1);

  // The same, compressed if that is worth it: then the batch is as large as it needs to be, and the
  // builder keeps its memory for the next one. See also release_memory().
  [[nodiscard]] RecordBatch finish(BatchCompressor& compressor);

  // The memory of an empty builder, for recycle().
  [[nodiscard]] RecordBatch release_memory();

 private:
  // A nullable field in two registers: an optional would go through memory, per record.
  struct Parts {
    const std::byte* data;
    std::int64_t size;  // -1: null
  };

  [[nodiscard]] static Parts parts(const std::optional<ByteView>& bytes) {
    return bytes.has_value() ? Parts{bytes->data(), static_cast<std::int64_t>(bytes->size())}
                             : Parts{nullptr, -1};
  }

  [[nodiscard]] static std::byte* put_parts(std::byte* to, Parts parts);
  void append_parts(Timestamp timestamp, Parts key, Parts value);
  // Writes the record up to its header count and returns where that goes; end_record() writes the
  // length in front of it.
  [[nodiscard]] std::byte* begin_record(Timestamp timestamp, Parts key, Parts value,
                                        std::size_t headers_size);
  void end_record(std::byte* end);
  void grow(std::size_t needed);

  struct Producer {
    ProducerId id = kNoProducerId;
    ProducerEpoch epoch = kNoProducerEpoch;
    std::int32_t base_sequence = -1;
  };

  // Writes the header of the batch that `bytes` are, but for that complete, and begins anew.
  void seal(std::span<std::byte> bytes, Compression compression, const Producer& producer);

  Buffer buffer_;  // its capacity is used; its size is set by finish()
  std::size_t used_ = kBatchHeaderSize;
  std::size_t length_size_ = 0;  // bytes kept free for the length of the record being written
  std::uint32_t count_ = 0;
  std::uint32_t skipped_ = 0;  // offsets without a record
  Timestamp base_timestamp_;
  Timestamp max_timestamp_;
};

class RecordBatchView {
 public:
  enum class Verify { kHeaderOnly, kChecksum };

  // Reads the header of the batch that `bytes` begins with, and checks that it lies within
  // `bytes` whole and that its numbers can be right. More may follow it: see size_bytes().
  [[nodiscard]] static Result<RecordBatchView> parse(ByteView bytes, Verify verify);

  [[nodiscard]] Offset base_offset() const;
  [[nodiscard]] Offset last_offset() const;
  [[nodiscard]] std::uint32_t record_count() const;
  [[nodiscard]] Timestamp base_timestamp() const;
  [[nodiscard]] Timestamp max_timestamp() const;
  [[nodiscard]] ProducerId producer_id() const;
  [[nodiscard]] ProducerEpoch producer_epoch() const;
  [[nodiscard]] std::int32_t base_sequence() const;
  [[nodiscard]] bool is_control() const;
  [[nodiscard]] Compression compression() const;

  [[nodiscard]] std::size_t size_bytes() const { return bytes_.size(); }

  [[nodiscard]] ByteView bytes() const { return bytes_; }

 private:
  friend class RecordReader;

  explicit RecordBatchView(ByteView bytes) : bytes_(bytes) {}

  ByteView bytes_;
};

// Reads the records of one batch in order. A malformed record ends it with kInvalid from status(),
// as does a compressed batch that cannot be unpacked.
// Offsets rise strictly from record to record and lie within the batch's.
class RecordReader {
 public:
  explicit RecordReader(const RecordBatchView& batch);

  RecordReader(RecordReader&&) = default;
  RecordReader& operator=(RecordReader&&) = default;

  // False at the end or at a malformed record.
  [[nodiscard]] bool next(RecordView& record);

  [[nodiscard]] const Status& status() const { return status_; }

 private:
  [[nodiscard]] bool fail(const char* reason);
  void unpack(ByteView payload);

  Buffer unpacked_;  // the records of a compressed batch
  const std::byte* at_;
  const std::byte* end_;
  std::uint32_t left_;
  Offset base_offset_;
  Timestamp base_timestamp_;
  std::int64_t next_delta_ = 0;  // the least offset delta that the next record may have
  std::int64_t last_delta_;
  Status status_;
};

// Sets the base offset of an encoded batch, as the log does when it accepts it.
void set_base_offset(std::span<std::byte> batch, Offset offset);

}  // namespace penstock
