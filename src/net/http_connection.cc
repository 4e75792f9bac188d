#include "net/http_connection.h"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include "core/check.h"

namespace penstock::net {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Read at a time while the size of what comes is not known; most requests are smaller.
constexpr std::size_t kInputSize = 8 * kKiB;
// The same while a chunked or compressed body comes in.
constexpr std::size_t kBodyInputSize = 32 * kKiB;
// The connection object, its slots and small buffers.
constexpr std::size_t kConnectionSize = 2 * kKiB;
// Output buffers larger than this are given back when empty.
constexpr std::size_t kOutputKept = 16 * kKiB;
constexpr std::chrono::seconds kLingerTime{2};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

template <void (HttpConnection::*kFunction)(const boost::system::error_code&, std::size_t)>
struct HttpConnection::Completion {
  explicit Completion(HttpConnection& to) : connection(&to) { to.add_ref(); }

  Completion(Completion&& other) noexcept : connection(std::exchange(other.connection, nullptr)) {}

  Completion(const Completion&) = delete;
  Completion& operator=(const Completion&) = delete;

  ~Completion() {
    if (connection != nullptr) {
      connection->drop_ref();
    }
  }

  void operator()(const boost::system::error_code& error, std::size_t size) {
    (connection->*kFunction)(error, size);
  }

  HttpConnection* connection;
};

HttpConnection::HttpConnection(ServerLoop& server, tcp::socket socket, std::string remote_address)
    : server_(server),
      socket_(std::move(socket)),
      remote_address_(std::move(remote_address)),
      scanner_(server.limits),
      body_(server.limits.body_bytes_max, server.decoders),
      slots_(server.limits.pipelined_max),
      memory_(server.shared.memory) {}

void HttpConnection::start() {
  add_ref();  // the loop's; dropped by close()
  server_.add(*this);
  boost::system::error_code ignored;
  socket_->non_blocking(true, ignored);
  socket_->set_option(tcp::no_delay(true), ignored);
  idle_since_ = server_.loop.now();
  read();
}

// --- Reading -----------------------------------------------------------------------------------

bool HttpConnection::paused() const {
  return unanswered() == slots_.size() ||
         output_.size() + in_flight_.size() > server_.limits.response_bytes_max;
}

void HttpConnection::read() {
  if (reading_ || input_ended_ || state_ == State::kClosed || state_ == State::kFinished ||
      (state_ == State::kHead && paused())) {
    return;
  }
  std::span<std::byte> room = state_ == State::kBody ? body_.room() : std::span<std::byte>();
  reading_body_ = !room.empty();
  if (!reading_body_) {
    room = input_room();
    if (!account_for_buffers()) {
      server_.metrics.count_refusal("no_memory");
      close();
      return;
    }
  }
  reading_ = true;
  socket_->async_read_some(asio::buffer(room.data(), room.size()),
                           Completion<&HttpConnection::on_read>(*this));
}

std::span<std::byte> HttpConnection::input_room() {
  const std::size_t size = state_ == State::kBody ? kBodyInputSize : kInputSize;
  if (input_.empty() && input_.capacity() > size) {
    input_.release();
  }
  return input_.prepare(size);
}

void HttpConnection::on_read(const boost::system::error_code& error, std::size_t size) {
  reading_ = false;
  if (state_ == State::kClosed) {
    request_.reset();
    return;
  }
  if (error) {
    if (error == asio::error::eof) {
      on_end_of_input();
    } else {
      close();
    }
    return;
  }
  server_.metrics.bytes_received.add(size);
  body_window_ += size;
  if (state_ == State::kHead || state_ == State::kBody) {
    if (reading_body_) {
      body_.commit(size);
    } else {
      input_.commit(size);
    }
    process_input();
  } else {
    request_.reset();
  }
  read();  // what comes while lingering is read over itself
}

void HttpConnection::on_end_of_input() {
  input_ended_ = true;
  if (state_ == State::kBody) {
    refuse(request_sequence_, {400, "incomplete_body", "the body ends before its end"});
  } else if (state_ == State::kLingering || (unanswered() == 0 && !sending_ && output_.empty())) {
    close();
  }
}

void HttpConnection::process_input() {
  while (state_ == State::kHead || state_ == State::kBody) {
    if (state_ == State::kHead ? !take_head() : !take_body()) {
      return;
    }
  }
}

// Empty lines before a request are allowed (RFC 9112 section 2.2); half of one may be here so far.
bool HttpConnection::skip_blank_lines() {
  while (as_text(input_.unread()).starts_with("\r\n")) {
    input_.consume(2);
  }
  return !input_.empty() && as_text(input_.unread()) != "\r";
}

bool HttpConnection::take_head() {
  if (paused() || (!head_begun_ && !skip_blank_lines())) {
    return false;
  }
  if (!head_begun_) {
    head_begun_ = true;
    head_since_ = server_.loop.now();
  }
  std::size_t size = 0;
  if (const auto refusal = scanner_.scan(as_text(input_.unread()), size)) {
    slot(next_sequence_).framing = {};
    refuse(next_sequence_++, *refusal);
    return false;
  }
  if (size == 0) {
    return false;
  }
  begin_request(size);
  return state_ == State::kBody;
}

void HttpConnection::begin_request(std::size_t head_size) {
  request_ = server_.requests.take();
  request_->memory.emplace(server_.shared.memory);
  request_->head.assign(as_text(input_.unread()).substr(0, head_size));
  request_->remote_address = remote_address_;
  request_->started_at = head_since_;
  input_.consume(head_size);
  scanner_.reset();
  head_begun_ = false;
  request_sequence_ = next_sequence_++;
  slot(request_sequence_).head_size = head_size;
  heads_size_ += head_size;
  if (!account_for_buffers()) {
    server_.metrics.count_refusal("no_memory");
    close();
    return;
  }
  HeadInfo head;
  auto refusal = parse_head(*request_, head);
  slot(request_sequence_).framing = {.http11 = head.http11,
                                     .head_only = request_->method == Method::kHead,
                                     .close = !head.keep_alive || stopping_};
  if (!refusal.has_value()) {
    refusal = body_.begin(head, *request_);
  }
  if (refusal.has_value()) {
    refuse(request_sequence_, *refusal);
    return;
  }
  state_ = State::kBody;
  body_since_ = server_.loop.now();
  body_window_ = 0;
  if (head.expects_continue && head.http11 && !body_.done() && input_.empty()) {
    owes_continue_ = true;
    send_continue();
  }
}

// The interim response, once the responses before it are on their way.
void HttpConnection::send_continue() {
  if (owes_continue_ && first_sequence_ == request_sequence_) {
    owes_continue_ = false;
    body_since_ = server_.loop.now();
    output_ += kContinue;
    server_.mark_dirty(*this);
  }
}

bool HttpConnection::take_body() {
  const ByteView unread = input_.unread();
  ByteView rest = unread;
  const auto refusal = body_.take(rest);
  input_.consume(unread.size() - rest.size());
  if (refusal.has_value()) {
    refuse(request_sequence_, *refusal);
    return false;
  }
  if (!body_.done()) {
    return false;
  }
  hand_on();
  return true;
}

void HttpConnection::hand_on() {
  request_->received_at = server_.loop.now();
  owes_continue_ = false;
  state_ = slot(request_sequence_).framing.close ? State::kFinished : State::kHead;
  Responder responder(*this, request_sequence_);
  if (body_.dropped()) {
    server_.metrics.count_refusal("no_memory");
    request_.reset();
    responder.send_error(429, "overloaded", "too many requests are being received: try again");
    return;
  }
  server_.handler->handle(std::move(request_), std::move(responder));
}

// Answers the request that is being received, or was to come next, and takes no other.
void HttpConnection::refuse(std::uint64_t sequence, const Refusal& refusal) {
  server_.metrics.count_refusal(refusal.code);
  state_ = State::kFinished;
  if (!reading_) {  // else a read may still be writing into its body
    request_.reset();
  }
  const std::string body = error_body(refusal.code, refusal.message);
  answer(sequence, {.status = refusal.status, .body = body, .close = true});
}

// --- Writing -----------------------------------------------------------------------------------

void HttpConnection::answer(std::uint64_t sequence, const HttpResponse& response) {
  if (state_ == State::kClosed || sequence < first_sequence_) {
    return;
  }
  Slot& to = slot(sequence);
  const bool last = sequence + 1 == next_sequence_ && state_ == State::kHead && input_.empty();
  to.framing.close = to.framing.close || response.close || (stopping_ && last);
  to.answered = true;
  server_.metrics.count_response(response.status);
  server_.format.append(sequence == first_sequence_ ? output_ : to.bytes, response, to.framing);
  if (sequence == first_sequence_) {
    append_answered();
    send_continue();
    server_.mark_dirty(*this);
  } else {
    waiting_bytes_ += to.bytes.size();
  }
  if (!account_for_buffers()) {
    server_.metrics.count_refusal("no_memory");
    close();
  }
}

// Moves on past the first request, which is answered, and all answered ones after it.
void HttpConnection::append_answered() {
  while (first_sequence_ < next_sequence_ && slot(first_sequence_).answered) {
    Slot& done = slot(first_sequence_);
    output_ += done.bytes;
    waiting_bytes_ -= done.bytes.size();
    done.bytes.clear();
    done.answered = false;
    heads_size_ -= std::exchange(done.head_size, 0);
    ++first_sequence_;
    if (done.framing.close) {
      first_sequence_ = next_sequence_;  // what came after it stays unanswered
      state_ = State::kFinished;
    }
  }
}

bool HttpConnection::account_for_buffers() {
  const std::size_t size = kConnectionSize + input_.capacity() + output_.capacity() +
                           in_flight_.capacity() + waiting_bytes_ + heads_size_;
  memory_.resize_down(size);
  return memory_.grow_to(size);
}

void HttpConnection::flush() {
  if (state_ == State::kClosed || sending_) {
    return;
  }
  if (!output_.empty()) {
    boost::system::error_code error;
    const std::size_t size = socket_->write_some(asio::buffer(output_), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again) {
      close();
      return;
    }
    server_.metrics.bytes_sent.add(size);
    if (size < output_.size()) {
      in_flight_.swap(output_);
      in_flight_sent_ = size;
      sending_since_ = server_.loop.now();
      sent_window_ = 0;
      send_rest();
    }
    output_.clear();
    if (output_.capacity() > kOutputKept) {
      output_.shrink_to_fit();
    }
  }
  after_sending();
}

void HttpConnection::send_rest() {
  sending_ = true;
  socket_->async_write_some(
      asio::buffer(in_flight_.data() + in_flight_sent_, in_flight_.size() - in_flight_sent_),
      Completion<&HttpConnection::on_sent>(*this));
}

void HttpConnection::on_sent(const boost::system::error_code& error, std::size_t size) {
  sending_ = false;
  if (state_ == State::kClosed) {
    return;
  }
  if (error) {
    close();
    return;
  }
  server_.metrics.bytes_sent.add(size);
  in_flight_sent_ += size;
  sent_window_ += size;
  if (in_flight_sent_ < in_flight_.size()) {
    send_rest();
    return;
  }
  in_flight_.clear();
  if (in_flight_.capacity() > kOutputKept) {
    in_flight_.shrink_to_fit();
  }
  flush();
}

// Slots or room for output may have become free; or everything is done.
void HttpConnection::after_sending() {
  if (state_ == State::kHead) {
    process_input();
    read();
  }
  if (state_ == State::kClosed || unanswered() > 0 || sending_ || !output_.empty()) {
    return;
  }
  idle_since_ = server_.loop.now();
  if (state_ == State::kFinished) {
    linger();
  } else if (state_ == State::kHead && (input_ended_ || (stopping_ && input_.empty()))) {
    close();
  }
}

// --- Ending ------------------------------------------------------------------------------------

void HttpConnection::linger() {
  state_ = State::kLingering;
  linger_until_ = server_.loop.now() + kLingerTime;
  boost::system::error_code ignored;
  socket_->shutdown(tcp::socket::shutdown_send, ignored);
  if (input_ended_) {
    close();
    return;
  }
  if (!reading_) {
    input_.release();
  }
  read();
}

void HttpConnection::begin_stop() {
  stopping_ = true;
  if (state_ == State::kHead && unanswered() == 0 && input_.empty() && output_.empty() &&
      !sending_) {
    close();
  }
}

void HttpConnection::check_deadlines(os::TimePoint now) {
  const HttpLimits& limits = server_.limits;
  if (sending_ && now - sending_since_ > limits.write_timeout) {
    if (sent_window_ < limits.response_bytes_per_timeout) {
      server_.metrics.count_refusal("write_timeout");
      close();
      return;
    }
    sending_since_ = now;
    sent_window_ = 0;
  }
  switch (state_) {
    case State::kHead:
      if (head_begun_ && !paused() && now - head_since_ > limits.head_timeout) {
        slot(next_sequence_).framing = {};
        refuse(next_sequence_++, {408, "head_timeout", "the request head came too slowly"});
      } else if (!head_begun_ && unanswered() == 0 && output_.empty() && !sending_ &&
                 now - idle_since_ > limits.idle_timeout) {
        close();
      }
      break;
    case State::kBody:
      if (!owes_continue_ && now - body_since_ > limits.body_timeout) {
        const bool too_slow = body_window_ < limits.body_bytes_per_timeout;
        body_since_ = now;
        body_window_ = 0;
        if (too_slow) {
          refuse(request_sequence_, {408, "body_timeout", "the request body came too slowly"});
        }
      }
      break;
    case State::kLingering:
      if (now > linger_until_) {
        close();
      }
      break;
    case State::kFinished:
    case State::kClosed:
      break;
  }
}

void HttpConnection::close() {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  socket_.reset();  // pending operations end with an error in a later turn
  if (!reading_) {
    request_.reset();
  }
  output_ = {};
  slots_ = {};
  memory_.resize_down(0);
  server_.remove(*this);
  drop_ref();
}

}  // namespace penstock::net
