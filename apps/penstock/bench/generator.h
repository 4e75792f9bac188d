// Generator sends the workload's requests over a number of keep-alive connections and measures how
// long each takes to be acknowledged.
//
// A connection sends a burst of `pipeline` requests one behind the other, without waiting for
// answers between them (HTTP/1.1 pipelining, RFC 9112 section 9.3.2), and the next burst when all
// are answered. Each request is counted and timed by itself.
//
// With a rate it is an open loop, whose requests are due by a fixed schedule (schedule.h): a server
// that stalls is charged for every request that it made wait (no coordinated omission). Without a
// rate each connection sends its next burst as soon as the one before is answered, and latency
// counts from the sending; that finds the highest throughput, and its latency says little.
//
// One thread, one epoll loop, one send() per burst where the socket takes it: the generator must
// stay cheap, since it often shares the machine with the server.
//
// Threads   one object belongs to one thread.
// Lifetime  workload and clock outlive it.
// Errors    open(): kInvalid   the address cannot be resolved
//                   kRetry     the server refuses connections
//           run_once(): kFatal the system refused to wait for sockets
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "os/clock.h"
#include "penstock/bench/answer_parser.h"
#include "penstock/bench/schedule.h"
#include "penstock/bench/socket.h"
#include "penstock/bench/workload.h"
#include "telemetry/latency_histogram.h"

namespace penstock::bench {

// What has happened so far.
struct Totals {
  std::uint64_t requests = 0;  // answered with 200
  std::uint64_t events = 0;    // accepted by these answers
  std::uint64_t duplicates = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t bytes = 0;    // of bodies, of the requests answered with 200
  std::uint64_t refused = 0;  // answered 429 or 503: not taken, not sent again
  std::uint64_t failed = 0;   // answered otherwise
  std::uint64_t unknown = 0;  // no answer: the connection broke, or 20 s after the end
  std::uint64_t unsent = 0;   // of the schedule: no connection was free, until 20 s after the end
  std::string first_problem;  // one sentence about the first of the last four
};

class Generator {
 public:
  struct Options {
    std::string host;
    std::uint16_t port = 0;
    std::size_t connections = 16;
    std::size_t pipeline = 1;      // requests that a connection sends at once
    double events_per_second = 0;  // 0: as fast as possible
    std::chrono::nanoseconds duration{0};
  };

  [[nodiscard]] static Result<std::unique_ptr<Generator>> open(const Options& options,
                                                               Workload& workload,
                                                               const os::Clock& clock);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // Begins the schedule.
  void start(os::TimePoint now);

  // Sends what is due and takes what has come; waits at most `wait_max` for something to do.
  [[nodiscard]] Status run_once(std::chrono::nanoseconds wait_max);

  // True once the time is over and nothing is on its way.
  [[nodiscard]] bool finished() const;

  [[nodiscard]] const Totals& totals() const { return totals_; }

  [[nodiscard]] telemetry::HistogramSnapshot latency() const { return latency_->snapshot(); }

  // When the last answer came.
  [[nodiscard]] os::TimePoint last_answer_at() const { return last_answer_at_; }

 private:
  enum class State { kIdle, kSending, kWaiting, kPaused, kClosed };

  struct Connection {
    Socket socket;
    State state = State::kIdle;
    std::string requests;  // room for a whole burst
    Burst burst;           // on its way
    std::size_t sent = 0;  // bytes of it
    std::size_t answered = 0;
    bool waits_until_writable = false;
    os::TimePoint paused_until;
    AnswerParser parser;

    [[nodiscard]] std::size_t unanswered() const { return burst.requests - answered; }
  };

  Generator(const Options& options, Workload& workload, const os::Clock& clock, Poller poller);

  [[nodiscard]] Status connect(Connection& connection);
  void dispatch(os::TimePoint now);
  void wake_paused(os::TimePoint now);
  // Long after the end, what is not done is not waited for.
  void drop_overdue(os::TimePoint now);
  void begin_burst(Connection& connection, const Burst& burst);
  void continue_sending(Connection& connection);
  void receive(Connection& connection);
  void take_answers(Connection& connection);
  void take_answer(Connection& connection, const Answer& answer);
  void count_answer(const Answer& answer, os::TimePoint counted_from);
  void end_burst(Connection& connection);
  void give_up(Connection& connection, const std::string& problem);
  void reconnect(Connection& connection);
  void note_problem(const std::string& problem);
  [[nodiscard]] std::chrono::nanoseconds wait_time(os::TimePoint now,
                                                   std::chrono::nanoseconds wait_max) const;

  const Options options_;
  Workload& workload_;
  const os::Clock& clock_;
  Address address_;
  Poller poller_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;
  std::vector<Connection*> paused_;
  Schedule schedule_;
  os::TimePoint last_answer_at_;
  std::size_t in_flight_ = 0;  // requests
  std::size_t closed_ = 0;
  Totals totals_;
  std::unique_ptr<telemetry::LatencyHistogram> latency_;
};

}  // namespace penstock::bench
