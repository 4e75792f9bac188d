// SinkRunner brings one topic to one Destination, each record exactly once or as a dead letter
// exactly once. What is common to all sinks is here: reading, batches, retries, refusals.
//
//   closed --open--> reading --due--> writing (piece, piece, ...) --> reading ...
//      ^                                 |
//      +-- any error that may pass ------+      after a wait, and while the breaker permits
//
// The destination's own positions say where reading goes on, each time it is opened. So after an
// error nothing is remembered but what the destination and the log have durably, and a write whose
// answer was lost is not done again.
//
// What a destination refuses is found by halving the batch, becomes a dead letter, and the rest
// goes on. A batch is written in order, so whatever happens each partition is delivered up to one
// place, and the dead letters that lie beyond it are known (dead_letter_book.h).
//
// While the circuit breaker is open nothing is read and nothing dropped: the records are safe in
// the log. What a destination refuses is no failure of it.
//
// Invariants
//   I1  No record passes the stored position that is neither stored nor a durable dead letter.
//   I2  No record that is a dead letter of this sink is given to the destination.
// Threads   one; interrupt() from any.
// Lifetime  everything given to the constructor outlives it.
// Errors    of run_once(), for good: the sink stops, others go on.
//           kFenced   another process has opened this sink
//           kCorrupt  the log or the notes of dead letters cannot be read
//           kFatal    the log has failed
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/circuit_breaker.h"
#include "core/result.h"
#include "core/units.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/random.h"
#include "sinks/runtime/backoff.h"
#include "sinks/runtime/dead_letter_book.h"
#include "sinks/runtime/destination.h"
#include "sinks/runtime/lag_age.h"
#include "sinks/runtime/sink_batch.h"
#include "sinks/runtime/sink_metrics.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"

namespace penstock::sinks {

class SinkRunner {
 public:
  struct Options {
    std::string name;
    std::string topic;
    std::size_t batch_rows_max = 5'000;
    std::size_t batch_size_max = 4 * kMiB;
    std::chrono::milliseconds batch_time_max{100};
    Backoff::Options backoff;
    CircuitBreaker::Options breaker;
    std::chrono::milliseconds survey_interval{1'000};  // how often the lag is taken
    std::chrono::milliseconds check_interval{1'000};  // of a destination that nothing is written to
    std::optional<std::chrono::milliseconds> dead_letter_retention;
  };

  struct Surroundings {
    log::Log& log;
    const os::Clock& clock;
    os::Random& random;
    telemetry::Registry& registry;
    telemetry::Logger& logger;
  };

  SinkRunner(const Surroundings& surroundings, std::unique_ptr<Destination> destination,
             Options options);
  ~SinkRunner();
  SinkRunner(const SinkRunner&) = delete;
  SinkRunner& operator=(const SinkRunner&) = delete;

  // One step: at most one poll of the log, or one call of the destination. False: nothing to do
  // now.
  [[nodiscard]] Result<bool> run_once();

  // Returns when there may be something to do, or when time is up.
  void wait(std::chrono::microseconds timeout);

  void interrupt() { destination_->interrupt(); }

  [[nodiscard]] const std::string& name() const { return options_.name; }

  // Where each partition stands at the destination, as far as known.
  [[nodiscard]] const std::vector<Offset>& stored() const { return stored_; }

  [[nodiscard]] CircuitBreaker::State breaker_state() const { return breaker_.state(); }

 private:
  using Piece = std::pair<std::size_t, std::size_t>;  // [begin, end) of the batch's records

  struct Letter {
    DeadLetterBook::Letter letter;
    Counter* reason;
  };

  [[nodiscard]] Result<bool> step();
  template <typename Call>
  [[nodiscard]] auto ask(const Call& call) -> std::optional<decltype(call())>;
  [[nodiscard]] Status open();
  [[nodiscard]] Status take_up(const log::TopicInfo& topic);
  [[nodiscard]] Status read();
  [[nodiscard]] Status take(const log::FetchedBatch& fetched);
  [[nodiscard]] bool is_due() const;
  void begin_writing();
  [[nodiscard]] Status write_piece();
  void piece_is_written(const Piece& piece, std::size_t rows, const std::vector<SinkMove>& moves);
  [[nodiscard]] Status halve(const Piece& piece, const Error& error);
  void refuse(std::size_t index, std::string message, Counter& reason);
  void append_letters();
  [[nodiscard]] Status check_missing(PartitionId partition, Offset position);
  void survey();
  void failed(const Error& error);

  log::Log& log_;
  const os::Clock& clock_;
  telemetry::Logger& logger_;
  const Options options_;
  const std::unique_ptr<Destination> destination_;
  SinkMetrics metrics_;
  Backoff backoff_;
  CircuitBreaker breaker_;
  DeadLetterBook book_;

  std::optional<TopicId> topic_;
  std::unique_ptr<log::Consumer> consumer_;
  bool is_open_ = false;
  std::vector<Offset> stored_;
  SinkBatch batch_;
  os::TimePoint batch_begun_;
  std::vector<Piece> pieces_;      // to be written, the next one at the back
  std::vector<Letter> letters_;    // to be appended before pieces go on
  std::vector<Counter*> counted_;  // when what is being appended has been

  os::TimePoint retry_at_;
  os::TimePoint asked_at_;  // when the destination has answered last
  std::optional<os::TimePoint> surveyed_at_;
  LagAge lag_age_;
  std::string last_failure_;
};

}  // namespace penstock::sinks
