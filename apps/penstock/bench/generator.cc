#include "penstock/bench/generator.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "core/check.h"

namespace penstock::bench {

namespace {

constexpr std::size_t kReceiveBytes = 16'384;
// How long after the end requests of the schedule may still go out, and answers may come.
constexpr std::chrono::seconds kOvertime{20};

Schedule::Options schedule_options(const Generator::Options& options, const Workload& workload) {
  Schedule::Options schedule{.duration = options.duration, .burst_max = options.pipeline};
  if (options.events_per_second > 0) {
    schedule.interval = std::chrono::duration<double>(
        static_cast<double>(workload.events_per_request()) / options.events_per_second);
  }
  return schedule;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

}  // namespace

Result<std::unique_ptr<Generator>> Generator::open(const Options& options, Workload& workload,
                                                   const os::Clock& clock) {
  PENSTOCK_TRY_ASSIGN(Poller poller, Poller::open());
  std::unique_ptr<Generator> generator(new Generator(options, workload, clock, std::move(poller)));
  PENSTOCK_TRY_ASSIGN(generator->address_, resolve(options.host, options.port));
  for (std::size_t i = 0; i < options.connections; ++i) {
    auto connection = std::make_unique<Connection>();
    connection->requests = repeated(workload.request(), options.pipeline);
    PENSTOCK_TRY(generator->connect(*connection));
    generator->idle_.push_back(connection.get());
    generator->connections_.push_back(std::move(connection));
  }
  return generator;
}

Generator::Generator(const Options& options, Workload& workload, const os::Clock& clock,
                     Poller poller)
    : options_(options),
      workload_(workload),
      clock_(clock),
      poller_(std::move(poller)),
      schedule_(schedule_options(options, workload)),
      latency_(std::make_unique<telemetry::LatencyHistogram>()) {}

Generator::~Generator() = default;

Status Generator::connect(Connection& connection) {
  connection.parser.reset();
  connection.waits_until_writable = false;
  PENSTOCK_TRY_ASSIGN(connection.socket, Socket::connect(address_, 2 * connection.requests.size()));
  poller_.add(connection.socket, &connection);
  return {};
}

void Generator::start(os::TimePoint now) {
  schedule_.start(now);
  last_answer_at_ = now;
}

void Generator::dispatch(os::TimePoint now) {
  while (!idle_.empty()) {
    const std::optional<Burst> burst = schedule_.next(now);
    if (!burst || burst->due > now) {
      return;
    }
    Connection& connection = *idle_.back();
    idle_.pop_back();
    begin_burst(connection, *burst);
  }
}

void Generator::drop_overdue(os::TimePoint now) {
  if (now < schedule_.end() + kOvertime) {
    return;
  }
  while (const std::optional<Burst> burst = schedule_.next(now)) {
    schedule_.take(*burst);
    totals_.unsent += burst->requests;
  }
  for (const std::unique_ptr<Connection>& connection : connections_) {
    if (connection->state == State::kSending || connection->state == State::kWaiting) {
      give_up(*connection, "no answer in time");
    }
  }
}

bool Generator::finished() const {
  return in_flight_ == 0 && !schedule_.next(clock_.now());
}

void Generator::begin_burst(Connection& connection, const Burst& burst) {
  const std::int64_t epoch_ms = clock_.wall_now().time_since_epoch().count();
  const std::size_t request_size = workload_.request().size();
  const std::span<char> requests(connection.requests);
  for (std::size_t i = 0; i < burst.requests; ++i) {
    workload_.refresh(requests.subspan(i * request_size, request_size), epoch_ms);
  }
  schedule_.take(burst);
  in_flight_ += burst.requests;
  connection.state = State::kSending;
  connection.burst = burst;
  connection.sent = 0;
  connection.answered = 0;
  continue_sending(connection);
}

void Generator::continue_sending(Connection& connection) {
  const std::size_t size = connection.burst.requests * workload_.request().size();
  const Result<std::size_t> count = connection.socket.send(
      std::string_view(connection.requests).substr(connection.sent, size - connection.sent));
  if (!count) {
    give_up(connection, count.error().message());
    return;
  }
  connection.sent += *count;
  const bool is_sent = connection.sent == size;
  if (is_sent) {
    connection.state = State::kWaiting;
  }
  if (connection.waits_until_writable == is_sent) {
    connection.waits_until_writable = !is_sent;
    poller_.change(connection.socket, &connection,
                   is_sent ? Poller::Interest::kReadable : Poller::Interest::kReadableAndWritable);
  }
}

void Generator::receive(Connection& connection) {
  std::array<char, kReceiveBytes> bytes;
  const Result<std::optional<std::size_t>> count = connection.socket.receive(bytes);
  if (!count) {
    give_up(connection, count.error().message());
  } else if (*count) {
    connection.parser.feed({bytes.data(), **count});
    take_answers(connection);
  }
}

void Generator::take_answers(Connection& connection) {
  for (;;) {
    // Of a new connection, if an answer ended the one before, this is nothing.
    const Result<std::optional<Answer>> answer = connection.parser.next();
    if (!answer) {
      give_up(connection, answer.error().message());
      return;
    }
    if (!*answer) {
      return;
    }
    take_answer(connection, **answer);
  }
}

void Generator::take_answer(Connection& connection, const Answer& answer) {
  const bool is_expected =
      (connection.state == State::kSending || connection.state == State::kWaiting) &&
      connection.sent >= (connection.answered + 1) * workload_.request().size();
  if (!is_expected) {
    give_up(connection,
            "status " + std::to_string(answer.status) + " came before the request was sent whole");
    return;
  }
  count_answer(answer, schedule_.counted_from(connection.burst, connection.answered));
  --in_flight_;
  ++connection.answered;
  if (answer.retry_after_s > 0) {
    connection.paused_until = clock_.now() + std::chrono::seconds(answer.retry_after_s);
  }
  if (answer.close && connection.unanswered() > 0) {
    give_up(connection, "the server closed the connection before all requests were answered");
  } else if (answer.close) {
    reconnect(connection);
  } else if (connection.unanswered() == 0) {
    end_burst(connection);
  }
}

void Generator::count_answer(const Answer& answer, os::TimePoint counted_from) {
  if (answer.status == 200) {
    last_answer_at_ = clock_.now();
    latency_->record(last_answer_at_ - counted_from);
    ++totals_.requests;
    totals_.events += answer.accepted;
    totals_.duplicates += answer.duplicates;
    totals_.dead_lettered += answer.dead_lettered;
    totals_.bytes += workload_.body_bytes();
  } else {
    const bool is_refusal = answer.status == 429 || answer.status == 503;
    ++(is_refusal ? totals_.refused : totals_.failed);
    note_problem("a request was answered " + std::to_string(answer.status));
  }
}

void Generator::end_burst(Connection& connection) {
  if (connection.paused_until > clock_.now()) {
    connection.state = State::kPaused;
    paused_.push_back(&connection);
  } else {
    connection.state = State::kIdle;
    idle_.push_back(&connection);
  }
}

void Generator::give_up(Connection& connection, const std::string& problem) {
  if (connection.state == State::kSending || connection.state == State::kWaiting) {
    in_flight_ -= connection.unanswered();
    totals_.unknown += connection.unanswered();
  } else {
    std::erase(idle_, &connection);
    std::erase(paused_, &connection);
  }
  note_problem(problem);
  reconnect(connection);
}

void Generator::reconnect(Connection& connection) {
  connection.socket = Socket();  // an open one leaves the poller by being closed
  if (const Status connected = connect(connection); !connected) {
    note_problem(connected.error().message());
    connection.state = State::kClosed;
    ++closed_;
    return;
  }
  connection.state = State::kIdle;
  idle_.push_back(&connection);
}

void Generator::note_problem(const std::string& problem) {
  if (totals_.first_problem.empty()) {
    totals_.first_problem = problem;
  }
}

void Generator::wake_paused(os::TimePoint now) {
  std::erase_if(paused_, [&](Connection* connection) {
    const bool over = connection->paused_until <= now;
    if (over) {
      connection->state = State::kIdle;
      idle_.push_back(connection);
    }
    return over;
  });
}

std::chrono::nanoseconds Generator::wait_time(os::TimePoint now,
                                              std::chrono::nanoseconds wait_max) const {
  os::TimePoint until = now + wait_max;
  const std::optional<Burst> burst = idle_.empty() ? std::nullopt : schedule_.next(now);
  if (burst) {
    until = std::min(until, burst->due);
  }
  for (const Connection* connection : paused_) {
    until = std::min(until, connection->paused_until);
  }
  return std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(until - now));
}

Status Generator::run_once(std::chrono::nanoseconds wait_max) {
  os::TimePoint now = clock_.now();
  wake_paused(now);
  drop_overdue(now);
  dispatch(now);
  if (closed_ == connections_.size()) {
    return Error(ErrorCode::kFatal, "the server is gone: " + totals_.first_problem);
  }
  PENSTOCK_TRY_ASSIGN(const std::span<const epoll_event> events,
                      poller_.wait(wait_time(clock_.now(), wait_max)));
  for (const epoll_event& event : events) {
    auto& connection = *static_cast<Connection*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0 && connection.state == State::kSending) {
      continue_sending(connection);
    }
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
      receive(connection);
    }
  }
  return {};
}

}  // namespace penstock::bench
