// BodyReader turns what comes after a request's head into its body: framing undone, content
// decoded, within the limits and the memory budget. No socket.
//
// Bytes that need neither unchunking nor decoding can be read from the socket straight into the
// body (room()); all else goes through take(). Memory is taken from the budget as the body grows,
// never because a header promises a lot. If the budget has no more, the rest of the body is read
// and dropped (dropped() is true), so that the connection can go on after the answer.
//
// Threads   belongs to one connection.
// Lifetime  the pool outlives it; the request given to begin() stays until done() or the next
// begin().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "compress/decoder.h"
#include "core/bytes.h"
#include "core/memory_budget.h"
#include "net/chunked_reader.h"
#include "net/decoder_pool.h"
#include "net/http_head.h"
#include "net/http_message.h"
#include "net/refusal.h"

namespace penstock::net {

class BodyReader {
 public:
  BodyReader(std::size_t body_bytes_max, DecoderPool& decoders)
      : size_max_(body_bytes_max), decoders_(decoders) {}

  // `request.memory` is set.
  [[nodiscard]] std::optional<Refusal> begin(const HeadInfo& head, HttpRequest& request);

  // Takes from `in` what belongs to the body.
  [[nodiscard]] std::optional<Refusal> take(ByteView& in);

  // Where the next bytes of the socket may go without take(); empty if they need it.
  [[nodiscard]] std::span<std::byte> room();
  void commit(std::size_t size);

  [[nodiscard]] bool done() const { return state_ == State::kDone; }

  // There was no memory for this body.
  [[nodiscard]] bool dropped() const { return dropped_; }

 private:
  enum class State { kLength, kChunked, kDone };

  [[nodiscard]] std::optional<Refusal> take_chunked(ByteView& in);
  [[nodiscard]] std::optional<Refusal> store(ByteView data);
  [[nodiscard]] std::optional<Refusal> decode(ByteView data);
  [[nodiscard]] std::optional<Refusal> finish();
  [[nodiscard]] bool grow(std::size_t size);
  void give_back_decoder();
  void drop();
  [[nodiscard]] Refusal too_large() const;

  const std::size_t size_max_;
  DecoderPool& decoders_;
  HttpRequest* request_ = nullptr;
  State state_ = State::kDone;
  bool dropped_ = false;
  std::uint64_t left_ = 0;     // kLength: bytes to come
  std::size_t wire_size_ = 0;  // kChunked: bytes of data so far
  ChunkedReader chunked_;
  compress::Encoding encoding_ = compress::Encoding::kGzip;
  std::unique_ptr<compress::Decoder> decoder_;  // absent: the body is not encoded
};

}  // namespace penstock::net
