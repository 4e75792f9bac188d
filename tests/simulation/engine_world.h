// EngineWorld drives an aggregate job on the simulated log, and knows what must come out.
//
// It sends events, lets the engine run, fail, crash and come back, and recomputes every aggregate
// naively from the events that are in the log: the model that store, changelog and output are
// compared with.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "engine/streams.h"
#include "jobs/aggregate_job.h"
#include "os/random.h"
#include "store/query.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::testing {

// One event as the gateway would write it. `group` is part of the JSON, and the record's key if the
// topic is keyed by it.
struct SimEvent {
  std::int32_t partition = 0;
  std::int64_t timestamp = 0;
  std::string key;
  std::string json;
};

// (group, window start) -> aggregates as text, in the form of WorldResult.
struct Row {
  std::int64_t count = 0;
  std::int64_t sum = 0;

  friend auto operator<=>(const Row&, const Row&) = default;
};

using Rows = std::map<std::pair<std::string, std::int64_t>, Row>;

class EngineWorld {
 public:
  struct Options {
    jobs::AggregateOptions job;
    std::int32_t threads = 1;
    std::uint64_t state_bytes_max = 1 << 30;
    std::size_t commit_bytes_max = 8 << 20;
    std::size_t fetch_bytes = 4 << 20;
    std::size_t queue_bytes_max = 16 << 20;
    bool exactly_once = true;
    bool marks_transactions = false;  // see SimLog
    bool shares_out_anew = false;     // the same
    bool is_shared = false;           // there may be a second process, see start_second()
  };

  explicit EngineWorld(Options options);
  ~EngineWorld();

  // Appends events in one request; durable when the log runs.
  void send(const std::vector<SimEvent>& events);

  // One step of the engine's threads only: the log stands still.
  void run_engine_once();
  // A few steps of everything: engine threads and log.
  void run(int steps);
  // Until every thread has nothing left to do.
  void run_until_idle();

  // What kill -9 does: the engine is gone with all its memory, the log keeps what is durable.
  void crash();
  void start(std::optional<std::uint64_t> state_bytes_max = std::nullopt);

  // Another process that runs the same job, and its orderly end. Queries then go to both.
  void start_second();
  void stop_second();

  [[nodiscard]] SimLog& log() { return *log_; }

  [[nodiscard]] SimClock& clock() { return clock_; }

  [[nodiscard]] engine::Streams& streams() { return *streams_; }

  [[nodiscard]] engine::Streams& second() { return *second_; }

  [[nodiscard]] telemetry::Registry& registry() { return registry_; }

  // All entries of the store, asked for page by page.
  [[nodiscard]] Rows query_all(std::uint32_t page_size);
  [[nodiscard]] Result<store::StoreAnswer> query(store::StoreQuery query);
  [[nodiscard]] Result<store::StoreAnswer> query(engine::Streams& process, store::StoreQuery query);

  // The latest update of each key in the output topic.
  [[nodiscard]] Rows output();

  // Recomputed from the source topic, partition by partition.
  [[nodiscard]] Rows expected();

  // Among the events, by the same recomputation.
  [[nodiscard]] std::uint64_t expected_late() const { return expected_late_; }

  // What a thread of the engine failed with since it was started; empty if none did.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  void step();
  [[nodiscard]] std::unique_ptr<engine::Streams> open_streams(const std::string& instance,
                                                              telemetry::Registry& registry,
                                                              std::uint64_t state_bytes_max);
  void run_once(engine::Streams& process);
  void query_all(engine::Streams& process, std::uint32_t page_size, Rows& rows);

  [[nodiscard]] bool has_sum() const { return options_.job.columns.size() > 1; }

  const Options options_;
  SimClock clock_;
  telemetry::Registry registry_;
  telemetry::Registry second_registry_;
  telemetry::Logger logger_;
  std::unique_ptr<SimLog> log_;
  std::unique_ptr<engine::Streams> streams_;
  std::unique_ptr<engine::Streams> second_;
  TopicId topic_;
  std::uint64_t expected_late_ = 0;
  std::string failure_;
};

}  // namespace penstock::testing
