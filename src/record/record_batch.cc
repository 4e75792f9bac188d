#include "record/record_batch.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "core/crc32c.h"
#include "core/varint.h"
#include "record/lz4_frame.h"

namespace penstock {
namespace {

// Where the header's fields lie; see docs/formats/record-batch.md.
namespace at {
constexpr std::size_t kBaseOffset = 0;
constexpr std::size_t kBatchLength = 8;  // of what follows this field
constexpr std::size_t kLeaderEpoch = 12;
constexpr std::size_t kMagic = 16;
constexpr std::size_t kCrc = 17;
constexpr std::size_t kAttributes = 21;  // the checksum covers from here to the end
constexpr std::size_t kLastOffsetDelta = 23;
constexpr std::size_t kBaseTimestamp = 27;
constexpr std::size_t kMaxTimestamp = 35;
constexpr std::size_t kProducerId = 43;
constexpr std::size_t kProducerEpoch = 51;
constexpr std::size_t kBaseSequence = 53;
constexpr std::size_t kRecordCount = 57;
}  // namespace at

constexpr std::size_t kLengthFieldEnd = at::kLeaderEpoch;
constexpr std::int8_t kMagicV2 = 2;
constexpr std::int16_t kCompressionMask = 0x07;
constexpr std::int16_t kCodecLz4 = 3;  // Kafka's numbers: 1 gzip, 2 snappy, 3 LZ4, 4 zstd
constexpr std::int16_t kControlBit = 0x20;
constexpr std::size_t kBatchSizeMax = std::numeric_limits<std::int32_t>::max();

// Below this a batch is mostly its header, and the log pads groups to blocks of 4 KiB.
constexpr std::size_t kCompressedMin = 512;
// What a compressed batch may hold; larger ones are not compressed. The log's largest append is
// smaller by far: this is a bound on what a hostile batch may cost.
constexpr std::size_t kUnpackedMax = std::size_t{128} << 20;

// Length, attributes, timestamp delta, offset delta, key length, value length, header count: the
// most and the least they take.
constexpr std::size_t kRecordFieldsMax = 5 + 1 + 10 + 5 + 5 + 5 + 5;
constexpr std::size_t kRecordSizeMin = 7;
constexpr std::size_t kRecordFieldsTypical = 9;  // without the length itself
constexpr std::size_t kHeaderFieldsMax = 5 + 5;
constexpr std::size_t kHeaderSizeMin = 2;

std::byte* put_bytes(std::byte* to, const std::byte* bytes, std::size_t size) {
  if (size != 0) {  // memcpy's pointers must not be null, and those of an empty view may be
    std::memcpy(to, bytes, size);
  }
  return to + size;
}

// Room that is enough for these headers.
std::size_t headers_size_max(std::span<const HeaderView> headers) {
  std::size_t size = 0;
  for (const HeaderView& header : headers) {
    size += kHeaderFieldsMax + header.key.size() + (header.value ? header.value->size() : 0);
  }
  return size;
}

// Nearly all numbers in a record take one byte or two: those cases are worth branches of their own.
inline const std::byte* get_number(const std::byte* from, const std::byte* end,
                                   std::int64_t& value) {
  if (end - from >= 2) [[likely]] {
    const auto first = std::to_integer<std::uint64_t>(from[0]);
    if (first < 0x80) {
      value = zigzag_decode(first);
      return from + 1;
    }
    const auto second = std::to_integer<std::uint64_t>(from[1]);
    if (second < 0x80) {
      value = zigzag_decode((first & 0x7f) | (second << 7));
      return from + 2;
    }
  }
  return get_varint(from, end, value);
}

// Reads a length and that many bytes: `size` is -1 for null. Returns nullptr where they do not lie
// within `end`.
inline const std::byte* get_nullable(const std::byte* from, const std::byte* end,
                                     const std::byte*& data, std::int64_t& size) {
  from = get_number(from, end, size);
  if (from == nullptr || size < -1 || size > end - from) [[unlikely]] {
    return nullptr;
  }
  data = from;
  return from + std::max<std::int64_t>(size, 0);
}

// In place: a copied optional costs a stall, because it is stored in parts and loaded as a whole.
inline void set_nullable(std::optional<ByteView>& to, const std::byte* data, std::int64_t size) {
  if (size < 0) {
    to.reset();
  } else {
    to.emplace(data, static_cast<std::size_t>(size));
  }
}

// Adds without undefined overflow: the numbers may come from a damaged or hostile batch.
inline std::int64_t wrapping_add(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) +
                                   static_cast<std::uint64_t>(right));
}

inline std::int64_t wrapping_subtract(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) -
                                   static_cast<std::uint64_t>(right));
}

// True if the record's header bytes are exactly its headers.
bool headers_are_sound(const RecordView& record) {
  const std::byte* from = record.header_bytes.data();
  const std::byte* const end = from + record.header_bytes.size();
  for (std::uint32_t left = record.header_count; left > 0; --left) {
    const std::byte* data = nullptr;
    std::int64_t size = 0;
    from = get_nullable(from, end, data, size);
    if (from == nullptr || size < 0) {  // a header's key is never null
      return false;
    }
    from = get_nullable(from, end, data, size);
    if (from == nullptr) {
      return false;
    }
  }
  return from == end;
}

Error malformed(const std::string& what) {
  return {ErrorCode::kInvalid, "malformed record batch: " + what};
}

// What parse() checks after the checksum: numbers that can only be wrong in a batch made so.
Status check_header(ByteView batch) {
  const std::byte* header = batch.data();
  const auto attributes = load_be<std::int16_t>(header + at::kAttributes);
  const int codec = attributes & kCompressionMask;
  if (codec != 0 && codec != kCodecLz4) {
    return Error(ErrorCode::kInvalid, "the record batch is compressed with codec " +
                                          std::to_string(codec) + "; send it with LZ4, or not");
  }
  const auto base_offset = load_be<std::int64_t>(header + at::kBaseOffset);
  const auto last_delta = load_be<std::int32_t>(header + at::kLastOffsetDelta);
  if (base_offset < 0 || last_delta < 0 ||
      base_offset > std::numeric_limits<std::int64_t>::max() - 1 - last_delta) {
    return malformed("offsets out of range");
  }
  const auto count = load_be<std::int32_t>(header + at::kRecordCount);
  // Compaction may have removed records, so there may be fewer than offsets.
  if (count < 0 || count > std::int64_t{last_delta} + 1) {
    return malformed("record count " + std::to_string(count) + " does not fit its " +
                     std::to_string(std::int64_t{last_delta} + 1) + " offsets");
  }
  if (codec == 0 &&
      static_cast<std::size_t>(count) > (batch.size() - kBatchHeaderSize) / kRecordSizeMin) {
    return malformed("record count " + std::to_string(count) + " does not fit its " +
                     std::to_string(batch.size()) + " bytes");
  }
  return {};
}

}  // namespace

HeaderReader::HeaderReader(const RecordView& record)
    : at_(record.header_bytes.data()),
      end_(at_ + record.header_bytes.size()),
      left_(record.header_count) {}

bool HeaderReader::next(HeaderView& header) {
  if (left_ == 0) {
    return false;
  }
  --left_;
  const std::byte* key = nullptr;
  const std::byte* value = nullptr;
  std::int64_t key_size = 0;
  std::int64_t value_size = 0;
  at_ = get_nullable(at_, end_, key, key_size);
  if (at_ != nullptr && key_size >= 0) {
    at_ = get_nullable(at_, end_, value, value_size);
  }
  if (at_ == nullptr || key_size < 0) {  // cannot be in a record that RecordReader gave out
    left_ = 0;
    return false;
  }
  header.key = as_text(ByteView(key, static_cast<std::size_t>(key_size)));
  set_nullable(header.value, value, value_size);
  return true;
}

std::optional<ByteView> find_header(const RecordView& record, std::string_view key) {
  HeaderReader reader(record);
  HeaderView header;
  while (reader.next(header)) {
    if (header.key == key) {
      return header.value;
    }
  }
  return std::nullopt;
}

RecordBatchBuilder::RecordBatchBuilder(std::size_t reserve_bytes) {
  if (reserve_bytes > 0) {
    buffer_.reserve(std::max(reserve_bytes, kBatchHeaderSize));
  }
}

void RecordBatchBuilder::recycle(RecordBatch batch) {
  if (count_ == 0 && batch.bytes.capacity() > buffer_.capacity()) {
    buffer_ = std::move(batch.bytes);
  }
}

inline std::byte* RecordBatchBuilder::put_parts(std::byte* to, Parts parts) {
  to = put_varint(to, parts.size);
  return parts.size > 0 ? put_bytes(to, parts.data, static_cast<std::size_t>(parts.size)) : to;
}

inline std::byte* RecordBatchBuilder::begin_record(Timestamp timestamp, Parts key, Parts value,
                                                   std::size_t headers_size) {
  const std::size_t payload = static_cast<std::size_t>(std::max<std::int64_t>(key.size, 0)) +
                              static_cast<std::size_t>(std::max<std::int64_t>(value.size, 0)) +
                              headers_size;
  if (used_ + kRecordFieldsMax + payload > buffer_.capacity()) [[unlikely]] {
    grow(used_ + kRecordFieldsMax + payload);
  }
  if (count_ == 0) [[unlikely]] {
    base_timestamp_ = timestamp;
    max_timestamp_ = timestamp;
  }
  max_timestamp_ = std::max(max_timestamp_, timestamp);
  // The length comes first and is known last. Its size is known already, but for a few lengths.
  length_size_ = varint_size(static_cast<std::int64_t>(payload + kRecordFieldsTypical));
  std::byte* to = buffer_.data() + used_ + length_size_;
  *to++ = std::byte{0};  // attributes: none are defined
  to = put_varint(to, wrapping_subtract(timestamp.value(), base_timestamp_.value()));
  to = put_varint(to, std::int64_t{count_} + skipped_);
  to = put_parts(to, key);
  return put_parts(to, value);
}

inline void RecordBatchBuilder::end_record(std::byte* end) {
  std::byte* const begin = buffer_.data() + used_;
  std::byte* const body = begin + length_size_;
  const std::int64_t length = end - body;
  if (const std::size_t size = varint_size(length); size != length_size_) [[unlikely]] {
    std::memmove(begin + size, body, static_cast<std::size_t>(length));
    end = begin + size + length;
  }
  static_cast<void>(put_varint(begin, length));
  used_ = static_cast<std::size_t>(end - buffer_.data());
  ++count_;
}

void RecordBatchBuilder::append_parts(Timestamp timestamp, Parts key, Parts value) {
  std::byte* to = begin_record(timestamp, key, value, 0);
  *to++ = std::byte{0};  // no headers
  end_record(to);
}

void RecordBatchBuilder::append(Timestamp timestamp, std::optional<ByteView> key,
                                std::optional<ByteView> value,
                                std::span<const HeaderView> headers) {
  std::byte* to = begin_record(timestamp, parts(key), parts(value), headers_size_max(headers));
  to = put_varint(to, static_cast<std::int64_t>(headers.size()));
  for (const HeaderView& header : headers) {
    to = put_parts(to, parts(as_bytes(header.key)));
    to = put_parts(to, parts(header.value));
  }
  end_record(to);
}

void RecordBatchBuilder::grow(std::size_t needed) {
  PENSTOCK_CHECK(needed <= kBatchSizeMax);
  constexpr std::size_t kCapacityMin = 4096;
  buffer_.reserve(std::max({needed, buffer_.capacity() * 2, kCapacityMin}));
}

void RecordBatchBuilder::seal(std::span<std::byte> bytes, Compression compression,
                              const Producer& producer) {
  const std::int64_t offsets = std::int64_t{count_} + skipped_;
  PENSTOCK_CHECK(offsets > 0 && offsets <= std::numeric_limits<std::int32_t>::max());
  if (count_ == 0) {
    base_timestamp_ = kNoTimestamp;
    max_timestamp_ = kNoTimestamp;
  }
  const std::int16_t attributes = compression == Compression::kLz4 ? kCodecLz4 : std::int16_t{0};
  std::byte* header = bytes.data();
  store_be(header + at::kBaseOffset, std::int64_t{0});
  store_be(header + at::kBatchLength, static_cast<std::int32_t>(bytes.size() - kLengthFieldEnd));
  store_be(header + at::kLeaderEpoch, std::int32_t{-1});
  store_be(header + at::kMagic, kMagicV2);
  store_be(header + at::kAttributes, attributes);
  store_be(header + at::kLastOffsetDelta, static_cast<std::int32_t>(offsets - 1));
  store_be(header + at::kBaseTimestamp, base_timestamp_.value());
  store_be(header + at::kMaxTimestamp, max_timestamp_.value());
  store_be(header + at::kProducerId, producer.id.value());
  store_be(header + at::kProducerEpoch, producer.epoch.value());
  store_be(header + at::kBaseSequence, producer.base_sequence);
  store_be(header + at::kRecordCount, static_cast<std::int32_t>(count_));
  store_be(header + at::kCrc, crc32c(ByteView(bytes).subspan(at::kAttributes)));
  used_ = kBatchHeaderSize;
  count_ = 0;
  skipped_ = 0;
}

RecordBatch RecordBatchBuilder::finish(ProducerId producer, ProducerEpoch epoch,
                                       std::int32_t base_sequence) {
  buffer_.resize(used_);
  seal({buffer_.data(), buffer_.size()}, Compression::kNone, {producer, epoch, base_sequence});
  return {std::exchange(buffer_, Buffer())};
}

RecordBatch RecordBatchBuilder::finish(BatchCompressor& compressor) {
  buffer_.resize(used_);
  const ByteView payload = compressor.compress(ByteView(buffer_).subspan(kBatchHeaderSize));
  if (payload.empty()) {
    return finish();
  }
  Buffer packed;
  packed.resize(kBatchHeaderSize + payload.size());
  std::ranges::copy(payload, packed.begin() + kBatchHeaderSize);
  seal({packed.data(), packed.size()}, Compression::kLz4, {});
  return {std::move(packed)};
}

RecordBatch RecordBatchBuilder::release_memory() {
  PENSTOCK_CHECK(count_ == 0 && skipped_ == 0);
  return {std::exchange(buffer_, Buffer())};
}

ByteView BatchCompressor::compress(ByteView payload) {
  if (compression_ == Compression::kNone || payload.size() < kCompressedMin ||
      payload.size() > kUnpackedMax) {
    return {};
  }
  scratch_.clear();
  scratch_.resize(lz4_frame_size_max(payload.size()));
  const std::size_t size = write_lz4_frame(payload, scratch_.data());
  return size <= payload.size() - payload.size() / 8 ? ByteView(scratch_).first(size) : ByteView();
}

Result<RecordBatchView> RecordBatchView::parse(ByteView bytes, Verify verify) {
  if (bytes.size() < kBatchHeaderSize) {
    return malformed("cut short in its header, after " + std::to_string(bytes.size()) + " bytes");
  }
  const auto length = load_be<std::int32_t>(bytes.data() + at::kBatchLength);
  if (length < static_cast<std::int32_t>(kBatchHeaderSize - kLengthFieldEnd) ||
      static_cast<std::size_t>(length) > bytes.size() - kLengthFieldEnd) {
    return malformed("length " + std::to_string(length) + " does not fit the " +
                     std::to_string(bytes.size()) + " bytes there are");
  }
  const auto magic = load_be<std::int8_t>(bytes.data() + at::kMagic);
  if (magic != kMagicV2) {
    return malformed("format version (magic) " + std::to_string(magic) + " instead of 2");
  }
  const ByteView batch = bytes.first(static_cast<std::size_t>(length) + kLengthFieldEnd);
  if (verify == Verify::kChecksum &&
      crc32c(batch.subspan(at::kAttributes)) != load_be<std::uint32_t>(batch.data() + at::kCrc)) {
    return Error(ErrorCode::kCorrupt, "the checksum of the record batch at offset " +
                                          std::to_string(load_be<std::int64_t>(batch.data())) +
                                          " does not match");
  }
  PENSTOCK_TRY(check_header(batch));
  return RecordBatchView(batch);
}

Offset RecordBatchView::base_offset() const {
  return Offset(load_be<std::int64_t>(bytes_.data() + at::kBaseOffset));
}

Offset RecordBatchView::last_offset() const {
  return base_offset() + load_be<std::int32_t>(bytes_.data() + at::kLastOffsetDelta);
}

std::uint32_t RecordBatchView::record_count() const {
  return load_be<std::uint32_t>(bytes_.data() + at::kRecordCount);
}

Timestamp RecordBatchView::base_timestamp() const {
  return Timestamp(load_be<std::int64_t>(bytes_.data() + at::kBaseTimestamp));
}

Timestamp RecordBatchView::max_timestamp() const {
  return Timestamp(load_be<std::int64_t>(bytes_.data() + at::kMaxTimestamp));
}

ProducerId RecordBatchView::producer_id() const {
  return ProducerId(load_be<std::int64_t>(bytes_.data() + at::kProducerId));
}

ProducerEpoch RecordBatchView::producer_epoch() const {
  return ProducerEpoch(load_be<std::int16_t>(bytes_.data() + at::kProducerEpoch));
}

std::int32_t RecordBatchView::base_sequence() const {
  return load_be<std::int32_t>(bytes_.data() + at::kBaseSequence);
}

bool RecordBatchView::is_control() const {
  return (load_be<std::int16_t>(bytes_.data() + at::kAttributes) & kControlBit) != 0;
}

Compression RecordBatchView::compression() const {
  return (load_be<std::int16_t>(bytes_.data() + at::kAttributes) & kCompressionMask) == 0
             ? Compression::kNone
             : Compression::kLz4;
}

RecordReader::RecordReader(const RecordBatchView& batch)
    : at_(batch.bytes().data() + kBatchHeaderSize),
      end_(batch.bytes().data() + batch.bytes().size()),
      left_(batch.record_count()),
      base_offset_(batch.base_offset()),
      base_timestamp_(batch.base_timestamp()),
      last_delta_(batch.last_offset() - batch.base_offset()) {
  if (batch.compression() != Compression::kNone) [[likely]] {
    unpack({at_, end_});
  }
}

void RecordReader::unpack(ByteView payload) {
  status_ = read_lz4_frame(payload, kUnpackedMax, unpacked_);
  if (!status_) [[unlikely]] {
    status_ = status_.error().with("the batch at offset " + to_string(base_offset_));
    left_ = 0;
    unpacked_.clear();
  }
  at_ = unpacked_.begin();
  end_ = unpacked_.end();
}

bool RecordReader::fail(const char* reason) {
  status_ = malformed(std::string(reason) + ", " + std::to_string(left_) +
                      " records before the end of the batch at offset " + to_string(base_offset_));
  left_ = 0;
  at_ = end_;
  return false;
}

bool RecordReader::next(RecordView& record) {
  if (left_ == 0) [[unlikely]] {
    return at_ == end_ ? false : fail("bytes left over");
  }
  std::int64_t length = 0;
  const std::byte* from = get_number(at_, end_, length);
  if (from == nullptr || length < static_cast<std::int64_t>(kRecordSizeMin - 1) ||
      length > end_ - from) [[unlikely]] {
    return fail("a record's length does not fit");
  }
  const std::byte* const end = from + length;
  std::int64_t timestamp_delta = 0;
  std::int64_t offset_delta = 0;
  from = get_number(from + 1, end, timestamp_delta);  // + 1: attributes
  from = from == nullptr ? nullptr : get_number(from, end, offset_delta);
  if (from == nullptr || offset_delta < next_delta_ || offset_delta > last_delta_) [[unlikely]] {
    return fail("a record's timestamp or offset does not fit");
  }
  const std::byte* key = nullptr;
  const std::byte* value = nullptr;
  std::int64_t key_size = 0;
  std::int64_t value_size = 0;
  std::int64_t header_count = 0;
  from = get_nullable(from, end, key, key_size);
  from = from == nullptr ? nullptr : get_nullable(from, end, value, value_size);
  from = from == nullptr ? nullptr : get_number(from, end, header_count);
  if (from == nullptr || header_count < 0 ||
      header_count > (end - from) / static_cast<std::int64_t>(kHeaderSizeMin)) [[unlikely]] {
    return fail("a record's key, value or header count does not fit");
  }
  record.offset = base_offset_ + offset_delta;
  record.timestamp = Timestamp(wrapping_add(base_timestamp_.value(), timestamp_delta));
  set_nullable(record.key, key, key_size);
  set_nullable(record.value, value, value_size);
  record.header_count = static_cast<std::uint32_t>(header_count);
  record.header_bytes = ByteView(from, end);
  if (from != end && !headers_are_sound(record)) [[unlikely]] {
    return fail("a record's headers do not fit");
  }
  at_ = end;
  next_delta_ = offset_delta + 1;
  --left_;
  return true;
}

void set_base_offset(std::span<std::byte> batch, Offset offset) {
  PENSTOCK_DCHECK(batch.size() >= kBatchHeaderSize && offset.value() >= 0);
  store_be(batch.data() + at::kBaseOffset, offset.value());
}

}  // namespace penstock
