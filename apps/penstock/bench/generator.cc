#include "penstock/bench/generator.h"

#include <algorithm>
#include <array>

#include "core/check.h"

namespace penstock::bench {

namespace {

constexpr std::size_t kReceiveBytes = 16'384;
// How long after the end requests of the schedule may still go out, and answers may come.
constexpr std::chrono::seconds kOvertime{20};

}  // namespace

Result<std::unique_ptr<Generator>> Generator::open(const Options& options, Workload& workload,
                                                   const os::Clock& clock) {
  PENSTOCK_TRY_ASSIGN(Poller poller, Poller::open());
  std::unique_ptr<Generator> generator(new Generator(options, workload, clock, std::move(poller)));
  PENSTOCK_TRY_ASSIGN(generator->address_, resolve(options.host, options.port));
  for (std::size_t i = 0; i < options.connections; ++i) {
    auto connection = std::make_unique<Connection>();
    connection->request = workload.request();
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
      latency_(std::make_unique<telemetry::LatencyHistogram>()) {
  if (options.events_per_second > 0) {
    interval_ = std::chrono::duration<double>(static_cast<double>(workload.events_per_request()) /
                                              options.events_per_second);
  }
}

Generator::~Generator() = default;

Status Generator::connect(Connection& connection) {
  PENSTOCK_TRY_ASSIGN(connection.socket, Socket::connect(address_, 2 * workload_.request().size()));
  connection.parser.reset();
  poller_.add(connection.socket, &connection);
  return {};
}

void Generator::start(os::TimePoint now) {
  started_at_ = now;
  last_answer_at_ = now;
}

std::optional<os::TimePoint> Generator::next_due(os::TimePoint now) const {
  const os::TimePoint end = started_at_ + options_.duration;
  if (interval_.count() == 0) {
    return now < end ? std::optional(now) : std::nullopt;
  }
  const os::TimePoint due =
      started_at_ + std::chrono::duration_cast<os::TimePoint::duration>(
                        interval_ * static_cast<double>(requests_begun_ + totals_.unsent));
  return due < end ? std::optional(due) : std::nullopt;
}

void Generator::dispatch(os::TimePoint now) {
  while (!idle_.empty()) {
    const std::optional<os::TimePoint> due = next_due(now);
    if (!due || *due > now) {
      return;
    }
    Connection& connection = *idle_.back();
    idle_.pop_back();
    begin_request(connection, *due);
  }
}

void Generator::drop_overdue(os::TimePoint now) {
  if (now < started_at_ + options_.duration + kOvertime) {
    return;
  }
  while (next_due(now)) {
    ++totals_.unsent;
  }
  for (const std::unique_ptr<Connection>& connection : connections_) {
    if (connection->state == State::kSending || connection->state == State::kWaiting) {
      give_up(*connection, "no answer in time");
    }
  }
}

bool Generator::finished() const {
  return in_flight_ == 0 && !next_due(clock_.now());
}

void Generator::begin_request(Connection& connection, os::TimePoint counted_from) {
  workload_.refresh(connection.request, clock_.wall_now().time_since_epoch().count());
  ++requests_begun_;
  ++in_flight_;
  connection.state = State::kSending;
  connection.sent = 0;
  connection.counted_from = counted_from;
  continue_sending(connection);
}

void Generator::continue_sending(Connection& connection) {
  const bool was_partly_sent = connection.sent > 0;
  const Result<std::size_t> count =
      connection.socket.send(std::string_view(connection.request).substr(connection.sent));
  if (!count) {
    give_up(connection, count.error().message());
    return;
  }
  connection.sent += *count;
  if (connection.sent == connection.request.size()) {
    connection.state = State::kWaiting;
    if (was_partly_sent) {
      poller_.change(connection.socket, &connection, Poller::Interest::kReadable);
    }
  } else {
    poller_.change(connection.socket, &connection, Poller::Interest::kReadableAndWritable);
  }
}

void Generator::receive(Connection& connection) {
  std::array<char, kReceiveBytes> bytes;
  const Result<std::optional<std::size_t>> count = connection.socket.receive(bytes);
  if (!count) {
    give_up(connection, count.error().message());
    return;
  }
  if (!*count) {
    return;
  }
  const Result<std::optional<Answer>> answer = connection.parser.feed({bytes.data(), **count});
  if (!answer) {
    give_up(connection, answer.error().message());
  } else if (*answer) {
    take_answer(connection, **answer);
  }
}

void Generator::take_answer(Connection& connection, const Answer& answer) {
  if (connection.state != State::kWaiting) {
    give_up(connection,
            "status " + std::to_string(answer.status) + " came before the request was sent whole");
    return;
  }
  const os::TimePoint now = clock_.now();
  --in_flight_;
  if (answer.status == 200) {
    last_answer_at_ = now;
    latency_->record(now - connection.counted_from);
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
  if (answer.close) {
    reconnect(connection);
  } else if (answer.retry_after_s > 0) {
    connection.state = State::kPaused;
    connection.paused_until = now + std::chrono::seconds(answer.retry_after_s);
    paused_.push_back(&connection);
  } else {
    connection.state = State::kIdle;
    idle_.push_back(&connection);
  }
}

void Generator::give_up(Connection& connection, const std::string& problem) {
  if (connection.state == State::kSending || connection.state == State::kWaiting) {
    --in_flight_;
    ++totals_.unknown;
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
  const std::optional<os::TimePoint> due = idle_.empty() ? std::nullopt : next_due(now);
  if (due) {
    until = std::min(until, *due);
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
