#include "gateway/appender.h"

#include <algorithm>

#include "core/check.h"

namespace penstock::gateway {

Appender::Appender(log::Log& log, const os::Clock& clock, telemetry::Registry& metrics,
                   const GatewayOptions& options, MemoryBudget& memory, net::EventLoop& loop)
    : log_(log),
      clock_(clock),
      options_(options),
      memory_(memory),
      loop_(loop),
      home_(make_ref<Home>(&loop)),
      stages_(metrics),
      requests_(metrics),
      records_(clock, options.compression) {}

Appender::~Appender() {
  home_->loop.with([](net::EventLoop*& loop) { loop = nullptr; });
}

Appender::Append& Appender::open() {
  if (open_ == nullptr) {
    open_ = std::make_unique<Append>(memory_);
  }
  return *open_;
}

bool Appender::reserve(std::size_t size) {
  MemoryBudget::Share& share = open().memory;
  return share.grow_to(share.size() + size);
}

void Appender::unreserve(std::size_t size) {
  MemoryBudget::Share& share = open().memory;
  share.resize_down(share.size() - size);
}

DedupWindow::AppendId Appender::append_id(SharedWindow& shared, DedupWindow& window) {
  for (const auto& [known, append] : open().claims) {
    if (known == &shared) {
      return append;
    }
  }
  return open_->claims.emplace_back(&shared, window.begin_append()).second;
}

void Appender::send_open() {
  if (!records_.empty()) {
    send();
  }
}

void Appender::discard_open() {
  PENSTOCK_CHECK(open().requests.empty());
  settle_claims(*open_, false);
  open_.reset();
  records_.recycle(records_.take());
}

void Appender::add_request(CountedRequest request) {
  Append& append = open();
  if (append.requests.empty()) {
    append.opened_at = request.parsed_at;
  }
  append.requests.push_back(std::move(request));
  append.memory.force_to(records_.bytes());  // dead letters take more than their events did
  if (records_.bytes() >= options_.append_bytes_max) {
    send();
  } else {
    loop_.arm(*this);
  }
}

void Appender::on_turn_end() {
  if (records_.empty()) {
    return;
  }
  const os::TimePoint due = open_->opened_at + options_.linger;
  if (under_way_.empty() || loop_.now() >= due) {
    send();
  } else if (!linger_timer_set_) {
    linger_timer_set_ = true;
    loop_.call_at(due, [this] {
      linger_timer_set_ = false;
      on_turn_end();
    });
  }
}

void Appender::send() {
  Append& append = *open_;
  under_way_.push_back(std::move(open_));
  append.sent_at = clock_.now();
  for (const CountedRequest& request : append.requests) {
    stages_.wait.record(append.sent_at - request.parsed_at);
    request.metrics.sent(request.outcome);
  }
  // The log answers on a thread of its own; the loop's is the one that may touch the append.
  const Status taken =
      log_.append(records_.take(), [this, home = home_, &append](Result<log::AppendResult> result) {
        home->loop.with([&](net::EventLoop* loop) {
          if (loop != nullptr) {
            loop->post([this, &append, result = std::move(result)]() mutable {
              settle(append, std::move(result));
            });
          }
        });
      });
  if (!taken) {
    settle(append, taken.error());
  }
}

void Appender::settle(Append& append, Result<log::AppendResult> result) {
  settle_claims(append, result.has_value());
  if (result) {
    stages_.durable.record(clock_.now() - append.sent_at, append.requests.size());
    for (CountedRequest& request : append.requests) {
      answer(request);
    }
    records_.recycle(std::move(result->batches));
  } else {
    fail(append, result.error());
  }
  std::erase_if(under_way_, [&](const auto& candidate) { return candidate.get() == &append; });
  if (!records_.empty()) {
    loop_.arm(*this);
  }
}

void Appender::settle_claims(Append& append, bool durable) {
  for (const auto& [window, id] : append.claims) {
    auto waiters = window->with([&, id = id](DedupWindow& w) { return w.settle(id, durable); });
    for (DedupWindow::Waiter& waiter : waiters) {
      waiter();
    }
  }
}

void Appender::fail(Append& append, const Error& error) {
  const bool busy = error.code() == ErrorCode::kBusy;
  for (CountedRequest& request : append.requests) {
    (busy ? requests_.overloaded : requests_.unavailable).add(1);
    if (busy) {  // after any other failure they may be in the log all the same
      request.metrics.refused(request.outcome);
    }
    request.responder.send_error(busy ? 429 : 503, busy ? "overloaded" : "unavailable",
                                 error.message());
  }
}

void Appender::answer(CountedRequest& request) {
  request.metrics.add(request.outcome, request.body_size);
  requests_.accepted.add(1);
  stages_.ack.record(clock_.now() - request.started_at);
  answer_.clear();
  request.outcome.append_json(answer_);
  request.responder.send({.body = answer_});
}

}  // namespace penstock::gateway
