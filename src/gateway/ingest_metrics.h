// The gateway's metrics, counted per request and per append by one event loop.
//
// Threads   belongs to its loop's thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/counter.h"
#include "gateway/outcome.h"
#include "telemetry/registry.h"

namespace penstock::gateway {

// "receive", "parse", "wait", "durable" of penstock_ingest_stage_seconds.
[[nodiscard]] telemetry::LatencyHistogram& stage_histogram(telemetry::Registry& registry,
                                                           std::string_view stage);

// How long requests spend where, after they are taken apart.
struct StageMetrics {
  explicit StageMetrics(telemetry::Registry& registry);

  telemetry::LatencyHistogram& wait;     // for its append to go off
  telemetry::LatencyHistogram& durable;  // for the log
  telemetry::LatencyHistogram& ack;      // first byte to answer
};

// Requests by what was answered.
struct RequestMetrics {
  explicit RequestMetrics(telemetry::Registry& registry);

  Counter& accepted;
  Counter& rejected;     // 400, 404
  Counter& overloaded;   // 429
  Counter& unavailable;  // 503
};

struct TopicMetrics {
  TopicMetrics(telemetry::Registry& registry, const std::string& topic);

  // Counts what an answer counts.
  void add(const Outcome& outcome, std::size_t body_size);

  // Counts records of a request on their way: before the log gets them, and when it has answered
  // that it took none of them.
  void sent(const Outcome& outcome);
  void refused(const Outcome& outcome);

  Counter& accepted;
  Counter& duplicates;
  Counter& dead_lettered;
  Counter& sent_events;
  Counter& sent_dead_letters;
  Counter& refused_events;
  Counter& refused_dead_letters;
  Counter& bytes;
  Counter& timestamps_missing;
  Counter& timestamps_unreadable;
  Counter& timestamps_ahead;
  std::vector<std::reference_wrapper<Counter>> dead_letters;  // by reason
};

}  // namespace penstock::gateway
