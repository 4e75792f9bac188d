// Metrics are the figures of a log's librdkafka clients on the metrics page.
//
// Counted request by request through an interceptor. librdkafka's own statistics would be a JSON
// document of each client and interval, nearly all of it to be thrown away.
//
// Threads   any.
// Lifetime  the registry outlives it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>

#include "core/counter.h"
#include "kafka/client_settings.h"
#include "telemetry/registry.h"

namespace penstock::kafka {

// Of all clients of one kind.
class RequestMetrics {
 public:
  RequestMetrics(telemetry::Registry& registry, const char* client);

  // Not answered: the connection broke, or it took too long.
  void add(bool was_answered, std::chrono::microseconds round_trip);

 private:
  Counter& answered_;
  Counter& failed_;
  Counter microseconds_;  // from sending to the answer, of all that were answered
  telemetry::CallbackGuard seconds_;
};

class Metrics {
 public:
  explicit Metrics(telemetry::Registry& registry);

  [[nodiscard]] RequestMetrics& of(ClientKind kind) {
    return *requests_[static_cast<std::size_t>(kind)];
  }

  // Requests to end a transaction whose answer was lost, see Client::lost_end_count().
  void end_was_lost() { lost_ends_.add(1); }

 private:
  std::array<std::unique_ptr<RequestMetrics>, 4> requests_;
  Counter& lost_ends_;
};

}  // namespace penstock::kafka
