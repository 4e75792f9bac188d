#include "kafka/metrics.h"

#include <cstdint>

namespace penstock::kafka {
namespace {

constexpr std::array kNames = {"append", "transaction", "reader", "member"};  // as ClientKind
constexpr double kMicrosPerSecond = 1e6;

}  // namespace

RequestMetrics::RequestMetrics(telemetry::Registry& registry, const char* client)
    : answered_(registry.counter("penstock_kafka_requests_total", "Requests to Kafka brokers.",
                                 {{"client", client}, {"outcome", "answered"}})),
      failed_(registry.counter("penstock_kafka_requests_total", "Requests to Kafka brokers.",
                               {{"client", client}, {"outcome", "failed"}})),
      seconds_(registry.counter_callback(
          "penstock_kafka_request_seconds_total",
          "Time that answers of Kafka brokers took, added up; fetches wait for records.",
          {{"client", client}},
          [this] { return static_cast<double>(microseconds_.get()) / kMicrosPerSecond; })) {}

void RequestMetrics::add(bool was_answered, std::chrono::microseconds round_trip) {
  (was_answered ? answered_ : failed_).add(1);
  if (was_answered && round_trip.count() > 0) {
    microseconds_.add(static_cast<std::uint64_t>(round_trip.count()));
  }
}

Metrics::Metrics(telemetry::Registry& registry)
    : lost_ends_(registry.counter("penstock_kafka_lost_transaction_ends_total",
                                  "Requests to end a transaction whose answer did not come.")) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    requests_[i] = std::make_unique<RequestMetrics>(registry, kNames[i]);
  }
}

}  // namespace penstock::kafka
