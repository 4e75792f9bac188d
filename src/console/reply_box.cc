#include "console/reply_box.h"

#include "core/check.h"

namespace penstock::console {

Reply error_reply(int status, std::string_view code, std::string_view message) {
  Reply reply{.status = status, .body = net::error_body(code, message), .extra_headers = ""};
  if (status == 429 || status == 503) {
    reply.extra_headers = "Retry-After: 1\r\n";
  }
  return reply;
}

void send(net::Responder& responder, const Reply& reply) {
  responder.send({.status = reply.status,
                  .content_type = reply.content_type,
                  .body = reply.body,
                  .extra_headers = reply.extra_headers});
}

ReplyTicket::~ReplyTicket() {
  if (id_ != 0) {
    send(error_reply(503, "busy", "the server is too busy for this request; try again"));
  }
}

void ReplyTicket::send(Reply reply) {
  PENSTOCK_CHECK(id_ != 0);
  const std::uint64_t id = std::exchange(id_, 0);
  gate_->box.with([&](ReplyBox* box) {
    if (box != nullptr) {
      box->loop_.post([box, id, kept = std::move(reply)] { box->deliver(id, kept); });
    }
  });
}

ReplyBox::ReplyBox(net::EventLoop& loop, std::size_t waiting_max)
    : loop_(loop), waiting_max_(waiting_max), gate_(make_ref<ReplyTicket::Gate>()) {
  gate_->box.with([this](ReplyBox*& box) { box = this; });
}

ReplyBox::~ReplyBox() {
  gate_->box.with([](ReplyBox*& box) { box = nullptr; });
  for (const auto& [id, waiting] : waiting_) {
    if (waiting.timer.has_value()) {
      loop_.cancel(*waiting.timer);
    }
  }
}

std::optional<ReplyTicket> ReplyBox::hold(net::Responder responder) {
  if (waiting_.size() >= waiting_max_) {
    console::send(responder, error_reply(429, "busy", "too many requests wait for an answer"));
    return std::nullopt;
  }
  const std::uint64_t id = next_id_++;
  waiting_.emplace(id, Waiting{std::move(responder), std::nullopt});
  return ReplyTicket(gate_, id);
}

std::optional<ReplyTicket> ReplyBox::hold_for(std::chrono::milliseconds time,
                                              net::Responder responder, Reply too_late) {
  std::optional<ReplyTicket> ticket = hold(std::move(responder));
  if (ticket.has_value()) {
    const std::uint64_t id = ticket->id_;
    waiting_.at(id).timer = loop_.call_at(
        loop_.now() + time, [this, id, reply = std::move(too_late)] { deliver(id, reply); });
  }
  return ticket;
}

void ReplyBox::deliver(std::uint64_t id, const Reply& reply) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) {
    return;  // its time was over
  }
  if (found->second.timer.has_value()) {
    loop_.cancel(*found->second.timer);
  }
  console::send(found->second.responder, reply);
  waiting_.erase(found);
}

}  // namespace penstock::console
