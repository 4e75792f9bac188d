// Balance shows that accepted = processed + in flight, and checks it by counting twice.
//
// The log says where topics end and what jobs have committed; the gateway and the engine count,
// each for itself and record by record, what they have given to it. As the process started from a
// known state of the log, both sides must have grown alike:
//
//   events and dead letters answered <= growth of the topic's end      <= sent - refused
//     (those of sinks: committed                                          <= begun - taken back)
//   records of committed transactions <= growth of the committed offset <= begun - taken back
//
// The left side is read before the log and the right side after it, so both hold at every moment
// under load without stopping anything; at rest all three are equal. What is outside, in records,
// is `penstock_pipeline_imbalance_records`. It is 0, or something was lost or is there twice.
//
// Threads   one; the registry may be read from any.
// Lifetime  log and registry outlive it. Open it before the gateway and the engine take records.
// Errors    as Log::committed() and Log::offsets(); figures then stay as they were
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/counter.h"
#include "core/result.h"
#include "log/log.h"
#include "os/clock.h"
#include "telemetry/registry.h"

namespace penstock::console {

class Balance {
 public:
  struct Job {
    std::string name;                 // also of its consumer group
    std::vector<std::string> topics;  // that it reads
  };

  struct Options {
    std::vector<Job> jobs = {};
    std::chrono::milliseconds interval{1'000};
  };

  // Notes where everything stands.
  [[nodiscard]] static Result<std::unique_ptr<Balance>> open(const log::Log& log,
                                                             telemetry::Registry& registry,
                                                             Options options);

  // Takes a reading if one is due.
  [[nodiscard]] Status run_once(os::TimePoint now);

 private:
  // A job and a topic that it reads; or no job and a topic that the gateway writes to.
  using Place = std::pair<std::string, std::string>;
  using Figures = std::map<Place, std::int64_t>;

  struct LogReading {
    Figures at;    // committed offsets, or the topic's end
    Figures done;  // the same, but a job that has committed nothing stands where the log begins
    Figures ends;  // of the topic
  };

  Balance(const log::Log& log, telemetry::Registry& registry, Options options)
      : log_(log), registry_(registry), options_(std::move(options)) {}

  [[nodiscard]] Result<LogReading> read_log() const;
  [[nodiscard]] Status read_job(const Job& job, LogReading& reading) const;
  [[nodiscard]] Status read_topics(LogReading& reading) const;
  // What is counted beside the log, at least and at most; 0 where nothing has been counted yet.
  [[nodiscard]] std::int64_t least(const Place& place) const;
  [[nodiscard]] std::int64_t most(const Place& place) const;
  [[nodiscard]] std::int64_t counted(const char* name, telemetry::Labels labels) const;
  void show(const LogReading& reading, const Figures& imbalance);
  [[nodiscard]] telemetry::Gauge* gauge(const char* name, const char* help, const Place& place);

  const log::Log& log_;
  telemetry::Registry& registry_;
  const Options options_;
  Counter& readings_ = registry_.counter("penstock_pipeline_readings_total",
                                         "How often the pipeline's balance has been taken.");
  LogReading base_;  // when the process began
  LogReading last_;
  std::optional<os::TimePoint> read_at_;
  std::map<std::pair<std::string, Place>, telemetry::Gauge*> gauges_;
};

}  // namespace penstock::console
