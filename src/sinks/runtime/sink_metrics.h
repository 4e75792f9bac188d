// The figures of one sink. Every sink has the same, with its name and topic as labels.
#pragma once

#include <string>

#include "core/circuit_breaker.h"
#include "core/counter.h"
#include "telemetry/registry.h"

namespace penstock::sinks {

struct SinkMetrics {
  SinkMetrics(telemetry::Registry& registry, const std::string& sink, const std::string& topic)
      : labels({{"sink", sink}, {"topic", topic}}),
        rows(registry.counter("penstock_sink_rows_total", "Records delivered by a sink.", labels)),
        batches(registry.counter("penstock_sink_batches_total",
                                 "Transactions of a sink with its destination that succeeded.",
                                 labels)),
        batch_rows(registry.gauge("penstock_sink_batch_rows",
                                  "Records in the newest of these transactions.", labels)),
        write_seconds(registry.histogram("penstock_sink_write_seconds",
                                         "How long these transactions took.", labels)),
        dead_letters(dead_letters_by(registry, sink, topic, "refused")),
        unreadable(dead_letters_by(registry, sink, topic, "does_not_fit")),
        retries(registry.counter("penstock_sink_retries_total",
                                 "Failed attempts to reach a sink's destination or to write to it.",
                                 labels)),
        missing(registry.counter("penstock_sink_missing_records_total",
                                 "Offsets that were gone from the log before a sink read them.",
                                 labels)),
        lag_records(registry.gauge("penstock_sink_lag_records",
                                   "Records in the log that a sink has not delivered.", labels)),
        lag_seconds(registry.gauge("penstock_sink_lag_seconds",
                                   "How long the oldest of them has been waiting.", labels)),
        breaker_state(registry.gauge("penstock_sink_breaker_state",
                                     "A sink's circuit breaker: 0 closed, 1 open, 2 half-open.",
                                     labels)),
        up(registry.gauge("penstock_sink_up",
                          "1 while a sink is connected, 0 while it is not or has been displaced.",
                          labels)) {}

  static Counter& dead_letters_by(telemetry::Registry& registry, const std::string& sink,
                                  const std::string& topic, const char* reason) {
    return registry.counter("penstock_sink_dead_letters_total",
                            "Records that a destination refused, by reason.",
                            {{"sink", sink}, {"topic", topic}, {"reason", reason}});
  }

  void show(CircuitBreaker::State state) {
    breaker_state.set(state == CircuitBreaker::State::kClosed ? 0
                      : state == CircuitBreaker::State::kOpen ? 1
                                                              : 2);
  }

  telemetry::Labels labels;
  Counter& rows;
  Counter& batches;
  telemetry::Gauge& batch_rows;
  telemetry::LatencyHistogram& write_seconds;
  Counter& dead_letters;
  Counter& unreadable;
  Counter& retries;
  Counter& missing;
  telemetry::Gauge& lag_records;
  telemetry::Gauge& lag_seconds;
  telemetry::Gauge& breaker_state;
  telemetry::Gauge& up;
};

}  // namespace penstock::sinks
