#include "net/body_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/units.h"

namespace penstock::net {

namespace {

constexpr std::size_t kFirstGrowth = 256 * kKiB;

}  // namespace

std::optional<Refusal> BodyReader::begin(const HeadInfo& head, HttpRequest& request) {
  request_ = &request;
  dropped_ = false;
  wire_size_ = 0;
  left_ = head.content_length;
  if (left_ > size_max_) {
    return too_large();
  }
  state_ = head.chunked ? State::kChunked : State::kLength;
  chunked_.reset();
  give_back_decoder();  // of a body that was cut short
  if (state_ == State::kLength && left_ == 0) {
    return finish();
  }
  if (head.encoding.has_value()) {
    encoding_ = *head.encoding;
    decoder_ = decoders_.take(encoding_);
    decoder_->reset();
  }
  return std::nullopt;
}

std::optional<Refusal> BodyReader::take(ByteView& in) {
  if (state_ == State::kChunked) {
    return take_chunked(in);
  }
  if (state_ == State::kLength) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
    left_ -= size;
    if (auto refusal = store(in.first(size))) {
      return refusal;
    }
    in = in.subspan(size);
    if (left_ == 0) {
      return finish();
    }
  }
  return std::nullopt;
}

std::optional<Refusal> BodyReader::take_chunked(ByteView& in) {
  for (;;) {
    ByteView data;
    switch (chunked_.next(in, data)) {
      case ChunkedReader::Step::kNeedsInput:
        return std::nullopt;
      case ChunkedReader::Step::kMalformed:
        return Refusal{400, "bad_chunk", "the chunked body is malformed"};
      case ChunkedReader::Step::kEnd:
        return finish();
      case ChunkedReader::Step::kData:
        wire_size_ += data.size();
        if (wire_size_ > size_max_) {
          return too_large();
        }
        if (auto refusal = store(data)) {
          return refusal;
        }
    }
  }
}

std::span<std::byte> BodyReader::room() {
  if (state_ != State::kLength || decoder_ != nullptr || dropped_) {
    return {};
  }
  PaddedBuffer& body = request_->body;
  const std::size_t free = body.capacity() - body.size();
  const std::size_t size =
      std::min<std::size_t>(left_, std::max({kFirstGrowth, body.size(), free}));
  if (!grow(body.size() + size)) {
    drop();
    return {};
  }
  return body.prepare(size).first(size);
}

void BodyReader::commit(std::size_t size) {
  request_->body.commit(size);
  left_ -= size;
  if (left_ == 0) {
    state_ = State::kDone;
  }
}

std::optional<Refusal> BodyReader::store(ByteView data) {
  if (dropped_) {
    return std::nullopt;
  }
  if (decoder_ != nullptr) {
    return decode(data);
  }
  if (request_->body.size() + data.size() > size_max_) {
    return too_large();
  }
  if (grow(request_->body.size() + data.size())) {
    request_->body.append(data);
  } else {
    drop();
  }
  return std::nullopt;
}

std::optional<Refusal> BodyReader::decode(ByteView data) {
  PaddedBuffer& body = request_->body;
  std::size_t limit = std::min(size_max_, std::max(body.capacity(), kFirstGrowth));
  for (;;) {
    if (!request_->memory->grow_to(limit + decoder_->memory_bytes())) {
      drop();
      return std::nullopt;
    }
    const auto progress = decoder_->decode(data, body, limit);
    if (!progress) {
      return Refusal{400, "bad_encoding", progress.error().message()};
    }
    if (!request_->memory->grow_to(limit + decoder_->memory_bytes())) {
      drop();
      return std::nullopt;
    }
    if (*progress == compress::Decoder::Progress::kNeedsInput) {
      return std::nullopt;
    }
    if (limit == size_max_) {
      return too_large();
    }
    limit = std::min(size_max_, 2 * limit);
  }
}

std::optional<Refusal> BodyReader::finish() {
  state_ = State::kDone;
  if (decoder_ == nullptr) {
    return std::nullopt;
  }
  const Status status = decoder_->finish();
  give_back_decoder();
  request_->memory->resize_down(request_->body.capacity());
  if (!status) {
    return Refusal{400, "bad_encoding", status.error().message()};
  }
  return std::nullopt;
}

void BodyReader::give_back_decoder() {
  if (decoder_ != nullptr) {
    decoders_.put_back(encoding_, std::move(decoder_));
  }
}

// Takes the memory for a body of `size` bytes; the buffer may double, so it is taken ahead.
bool BodyReader::grow(std::size_t size) {
  PaddedBuffer& body = request_->body;
  if (size <= body.capacity()) {
    return request_->memory->grow_to(body.capacity());
  }
  const std::size_t capacity = std::min(std::max(size, 2 * body.capacity()), size_max_);
  if (!request_->memory->grow_to(capacity)) {
    return false;
  }
  body.reserve(capacity);
  return true;
}

void BodyReader::drop() {
  dropped_ = true;
  give_back_decoder();
  request_->body.release();
  request_->memory->resize_down(0);
}

Refusal BodyReader::too_large() const {
  return {413, "body_too_large", "the body is larger than " + std::to_string(size_max_) + " bytes"};
}

}  // namespace penstock::net
