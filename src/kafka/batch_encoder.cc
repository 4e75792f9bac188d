#include "kafka/batch_encoder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"

namespace penstock::kafka {
namespace {

// An offset delta has 31 bits, and a batch less than 2 GiB.
constexpr std::int64_t kOffsetsMax = std::int64_t{1} << 30;
constexpr std::size_t kBytesMax = 64 << 20;

struct EncodedBytes final : RefCounted {
  explicit EncodedBytes(Buffer contents) : bytes(std::move(contents)) {}

  Buffer bytes;
};

std::optional<ByteView> view(const void* data, std::size_t size) {
  if (data == nullptr) {
    return std::nullopt;
  }
  return ByteView(static_cast<const std::byte*>(data), size);
}

}  // namespace

void BatchEncoder::append(const rd_kafka_message_t& message) {
  const Offset offset(message.offset);
  PENSTOCK_CHECK(offset >= next_);
  skip_to(offset);
  rd_kafka_timestamp_type_t kind{};
  const Timestamp timestamp(rd_kafka_message_timestamp(&message, &kind));
  const auto key = view(message.key, message.key_len);
  const auto value = view(message.payload, message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    builder_.append(timestamp, key, value);
  } else {
    std::vector<HeaderView> views;
    const char* name = nullptr;
    const void* data = nullptr;
    std::size_t size = 0;
    while (rd_kafka_header_get_all(headers, views.size(), &name, &data, &size) ==
           RD_KAFKA_RESP_ERR_NO_ERROR) {
      views.push_back({name, view(data, size)});
    }
    builder_.append(timestamp, key, value, views);
  }
  next_ = offset + 1;
  if (builder_.size_bytes() > kBytesMax || next_ - base_ >= kOffsetsMax) {
    close();
  }
}

void BatchEncoder::skip_to(Offset to) {
  while (next_ < to) {
    const std::int64_t count = std::min(to - next_, kOffsetsMax - (next_ - base_));
    builder_.skip_offsets(static_cast<std::uint32_t>(count));
    next_ += count;
    if (next_ - base_ >= kOffsetsMax) {
      close();
    }
  }
}

void BatchEncoder::close() {
  if (next_ == base_) {
    return;
  }
  RecordBatch batch = builder_.finish();
  set_base_offset(batch.bytes, base_);
  const auto memory = make_ref<EncodedBytes>(std::move(batch.bytes));
  closed_.push_back({partition_, memory->bytes, memory});
  base_ = next_;
}

void BatchEncoder::finish(std::vector<log::FetchedBatch>& into) {
  close();
  std::ranges::move(closed_, std::back_inserter(into));
  closed_.clear();
}

}  // namespace penstock::kafka
