// HttpConnection is one client's connection: it reads requests, hands them on, writes responses.
//
//        accepted
//           |
//           v   whole head          whole body, handed on
//   +--> kHead ----------> kBody ---------------------------+
//   |       |                |                              |
//   |       | refused        | refused                      |
//   |       v                v                              |
//   |    kFinished <---------+   (also: Connection: close)  |
//   |       | all responses are out                         |
//   |       v                                               |
//   |    kLingering --> closed                              |
//   +-------------------------------------------------------+
//
// Up to `pipelined_max` requests may be unanswered at a time; each has a slot, so that responses go
// out in order. Reading pauses while the slots are used up or too much is waiting to be written.
// A refusal ends the connection: after its response the client's bytes are read and dropped for a
// moment (kLingering), because closing at once would destroy the response on its way.
//
// Threads   belongs to its loop's thread.
// Lifetime  reference-counted: by its loop until closed, by pending socket operations, by
//           Responders. A closed one holds no socket and may outlive its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "core/memory_budget.h"
#include "net/body_reader.h"
#include "net/http_head.h"
#include "net/http_server.h"
#include "net/input_buffer.h"
#include "net/server_loop.h"

namespace penstock::net {

class HttpConnection final : public ResponseSink {
 public:
  HttpConnection(ServerLoop& server, boost::asio::ip::tcp::socket socket,
                 std::string remote_address);

  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Registers with the loop and begins to read; closes at once if there is no memory for it.
  void start();

  // Writes what is ready; called at the end of a turn in which something became ready.
  void flush();

  // Closes or refuses what has taken too long.
  void check_deadlines(os::TimePoint now);

  // No new requests after those that have begun.
  void begin_stop();

  // Drops everything.
  void close();

  void answer(std::uint64_t sequence, const HttpResponse& response) override;

  void add_ref() override { ++ref_count_; }

  void drop_ref() override {
    if (--ref_count_ == 0) {
      delete this;
    }
  }

  bool dirty = false;             // on the loop's list
  std::size_t list_position = 0;  // in the loop's list of connections

 private:
  enum class State { kHead, kBody, kFinished, kLingering, kClosed };

  // One unanswered request.
  struct Slot {
    bool answered = false;
    ResponseFraming framing;
    std::string bytes;  // its response, while earlier ones are missing
    std::size_t head_size = 0;
  };

  // Holds a reference while a socket operation runs.
  template <void (HttpConnection::*kFunction)(const boost::system::error_code&, std::size_t)>
  struct Completion;

  ~HttpConnection() override = default;

  // Reading.
  void read();
  [[nodiscard]] std::span<std::byte> input_room();
  void on_read(const boost::system::error_code& error, std::size_t size);
  void on_end_of_input();
  void process_input();
  [[nodiscard]] bool paused() const;
  [[nodiscard]] bool take_head();
  void begin_request(std::size_t head_size);
  [[nodiscard]] bool skip_blank_lines();
  [[nodiscard]] bool take_body();
  void hand_on();
  void send_continue();
  void refuse(std::uint64_t sequence, const Refusal& refusal);

  // Writing.
  [[nodiscard]] Slot& slot(std::uint64_t sequence) { return slots_[sequence % slots_.size()]; }

  [[nodiscard]] std::size_t unanswered() const {
    return static_cast<std::size_t>(next_sequence_ - first_sequence_);
  }

  void append_answered();
  void send_rest();
  void on_sent(const boost::system::error_code& error, std::size_t size);
  void after_sending();
  void linger();
  [[nodiscard]] bool account_for_buffers();

  ServerLoop& server_;
  std::optional<boost::asio::ip::tcp::socket> socket_;
  const std::string remote_address_;
  std::size_t ref_count_ = 0;
  State state_ = State::kHead;
  bool reading_ = false;       // a read is under way
  bool reading_body_ = false;  // and goes straight into the body
  bool sending_ = false;       // an asynchronous write is under way
  bool stopping_ = false;
  bool input_ended_ = false;    // the client will send no more
  bool owes_continue_ = false;  // "100 Continue", once the earlier responses are out

  InputBuffer input_;
  HeadScanner scanner_;
  bool head_begun_ = false;  // its first byte is here
  BodyReader body_;
  RequestPtr request_;  // being received
  std::uint64_t request_sequence_ = 0;

  std::vector<Slot> slots_;
  std::uint64_t first_sequence_ = 0;  // the oldest unanswered
  std::uint64_t next_sequence_ = 0;
  std::string output_;
  std::string in_flight_;  // what the asynchronous write is sending
  std::size_t in_flight_sent_ = 0;
  std::size_t waiting_bytes_ = 0;  // in slots
  std::size_t heads_size_ = 0;     // of the requests that are unanswered
  MemoryBudget::Share memory_;

  os::TimePoint idle_since_;
  os::TimePoint head_since_;     // first byte of the head that is being received
  os::TimePoint body_since_;     // begin of the current body_timeout window
  std::size_t body_window_ = 0;  // bytes in it
  os::TimePoint sending_since_;  // begin of the current write_timeout window
  std::size_t sent_window_ = 0;  // bytes in it
  os::TimePoint linger_until_;
};

}  // namespace penstock::net
