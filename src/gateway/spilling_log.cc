#include "gateway/spilling_log.h"

#include <utility>

namespace penstock::gateway {

SpillingLog::SpillingLog(log::Log& log, SpillStore& store, const os::Clock& clock,
                         telemetry::Registry& metrics, telemetry::Logger& logger,
                         const Options& options)
    : ForwardingLog(log),
      route_(make_ref<AppendRoute>(log, clock, options.route)),
      shipper_(log, store, *route_, clock, logger, options.shipper) {
  export_metrics(metrics);
}

SpillingLog::~SpillingLog() = default;

Result<log::TopicInfo> SpillingLog::ensure_topic(const log::TopicConfig& config) {
  PENSTOCK_TRY_ASSIGN(log::TopicInfo info, ForwardingLog::ensure_topic(config));
  route_->add_topic(info);
  return info;
}

Status SpillingLog::append(std::vector<log::PartitionBatch> batches, log::AppendDone done) {
  return route_->append(std::move(batches), std::move(done));
}

log::LogStatus SpillingLog::status() const {
  return route_->mode() == AppendRoute::Mode::kDirect ? ForwardingLog::status() : log::LogStatus();
}

void SpillingLog::export_metrics(telemetry::Registry& metrics) {
  const auto gauge = [&](const char* name, const char* help, telemetry::Labels labels, auto value) {
    metrics_.push_back(metrics.gauge_callback(name, help, std::move(labels),
                                              [route = route_, value] { return value(*route); }));
  };
  const auto counter = [&](const char* name, const char* help, telemetry::Labels labels,
                           const Counter& value) {
    metrics_.push_back(metrics.counter_callback(
        name, help, std::move(labels),
        [route = route_, &value] { return static_cast<double>(value.get()); }));
  };

  for (const auto state : {CircuitBreaker::State::kClosed, CircuitBreaker::State::kOpen,
                           CircuitBreaker::State::kHalfOpen}) {
    gauge("penstock_circuit_breaker_state", "1 for the state the breaker is in.",
          {{"name", "log"}, {"state", std::string(to_string(state))}},
          [state](const AppendRoute& r) { return r.view().breaker == state ? 1.0 : 0.0; });
  }
  gauge("penstock_circuit_breaker_failure_rate", "Percent of calls; -1 while too few are known.",
        {{"name", "log"}}, [](const AppendRoute& r) { return r.view().failure_rate.value_or(-1); });
  gauge("penstock_circuit_breaker_slow_call_rate", "Percent of calls; -1 while too few are known.",
        {{"name", "log"}},
        [](const AppendRoute& r) { return r.view().slow_call_rate.value_or(-1); });
  gauge("penstock_spill_active", "1 while events go into the spill instead of the log.", {},
        [](const AppendRoute& r) { return r.mode() == AppendRoute::Mode::kDirect ? 0.0 : 1.0; });
  gauge("penstock_spill_waiting_bytes", "In the spill and not yet shipped.", {},
        [](const AppendRoute& r) { return static_cast<double>(r.view().waiting_bytes); });
  gauge("penstock_spill_oldest_seconds", "Age of the oldest events in the spill.", {},
        [](const AppendRoute& r) {
          return std::chrono::duration<double>(r.view().oldest_age).count();
        });

  const AppendRoute::Counts& appends = route_->counts();
  counter("penstock_circuit_breaker_calls_total", "Appends to the log by what became of them.",
          {{"name", "log"}, {"kind", "successful"}}, appends.direct_succeeded);
  counter("penstock_circuit_breaker_calls_total", "Appends to the log by what became of them.",
          {{"name", "log"}, {"kind", "failed"}}, appends.direct_failed);
  counter("penstock_circuit_breaker_timeouts_total",
          "Appends not answered within timeout_duration.", {{"name", "log"}}, appends.timed_out);
  counter("penstock_spill_appends_total", "Appends that went into the spill.", {}, appends.spilled);
  counter("penstock_spill_appended_bytes_total", "Bytes that went into the spill.", {},
          appends.spilled_bytes);
  counter("penstock_spill_refused_total", "Appends refused at a limit of the spill.", {},
          appends.refused);

  const SpillShipper::Counts& shipped = shipper_.counts();
  counter("penstock_spill_shipped_batches_total", "Batches shipped from the spill to the log.", {},
          shipped.batches);
  counter("penstock_spill_shipped_bytes_total", "Bytes shipped from the spill to the log.", {},
          shipped.bytes);
  counter("penstock_spill_shipping_failures_total",
          "Attempts to ship that failed; nothing is lost by them.", {}, shipped.failures);
}

}  // namespace penstock::gateway
