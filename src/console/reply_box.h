// ReplyBox keeps the requests of one event loop that wait for an answer made on another thread.
//
// A Responder must stay on its loop's thread. So it stays here, and a ReplyTicket travels instead:
// the thread that has the answer puts it into the ticket, and the loop sends it in its next turn. A
// ticket that is dropped, because a queue refused it or the server stops, answers 503; one that
// outlives its box, or comes after its request's time was over, answers nobody.
//
// Invariants
//   I1  At most `waiting_max` requests wait.
//   I2  A request of hold_for() is answered within its time, if the loop runs.
// Threads   ReplyBox belongs to the loop's thread; a ReplyTicket to one thread at a time.
// Lifetime  `loop` outlives the box, and does not run after the box is destroyed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/guarded.h"
#include "core/ref_counted.h"
#include "net/event_loop.h"
#include "net/http_server.h"

namespace penstock::console {

class ReplyBox;

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string extra_headers;  // whole lines, as in net::HttpResponse
};

// An error of `status`, {"code":...,"message":...}; 429 and 503 ask to come back in a second.
[[nodiscard]] Reply error_reply(int status, std::string_view code, std::string_view message);

class ReplyTicket {
 public:
  ReplyTicket(ReplyTicket&& other) noexcept
      : gate_(std::move(other.gate_)), id_(std::exchange(other.id_, 0)) {}

  ReplyTicket& operator=(ReplyTicket&& other) noexcept {
    std::swap(gate_, other.gate_);
    std::swap(id_, other.id_);
    return *this;
  }

  ~ReplyTicket();

  // Once.
  void send(Reply reply);

 private:
  friend class ReplyBox;

  // Shut when the box goes; while it is open, loop and box are there.
  struct Gate final : RefCounted {
    Guarded<ReplyBox*> box{nullptr};
  };

  ReplyTicket(Ref<Gate> gate, std::uint64_t id) : gate_(std::move(gate)), id_(id) {}

  Ref<Gate> gate_;
  std::uint64_t id_;  // 0: sent
};

class ReplyBox {
 public:
  ReplyBox(net::EventLoop& loop, std::size_t waiting_max);
  ~ReplyBox();
  ReplyBox(const ReplyBox&) = delete;
  ReplyBox& operator=(const ReplyBox&) = delete;

  // Keeps `responder` and gives a ticket for it; refuses it with 429 if too many wait already.
  [[nodiscard]] std::optional<ReplyTicket> hold(net::Responder responder);

  // The same for `time`; then it is answered with `too_late`.
  [[nodiscard]] std::optional<ReplyTicket> hold_for(std::chrono::milliseconds time,
                                                    net::Responder responder, Reply too_late);

 private:
  friend class ReplyTicket;

  struct Waiting {
    net::Responder responder;
    std::optional<net::EventLoop::TimerId> timer;
  };

  void deliver(std::uint64_t id, const Reply& reply);

  net::EventLoop& loop_;
  const std::size_t waiting_max_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Waiting> waiting_;
  Ref<ReplyTicket::Gate> gate_;
};

// Answers at once, on the loop's thread.
void send(net::Responder& responder, const Reply& reply);

}  // namespace penstock::console
