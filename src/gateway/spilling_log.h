// SpillingLog is a log whose appends go into a local spill while the log behind it is slow or away.
//
// For a gateway in front of Apache Kafka: events are durable before they are answered, whether
// Kafka is there or not. A circuit breaker watches appends; when it opens, they go to a log on this
// machine's disk, and a shipper brings them to Kafka, exactly once and in order per partition, when
// it is back, also after a crash of this process. docs/adr/0020-spill.md says how and why.
//
// Everything but append() goes straight to the log behind it.
//
// Threads   as log/log.h; run_once() from one thread, wait() from the same, wake() from any.
// Lifetime  the log, the store and the rest given to open() outlive it; the log behind it answers
//           every append before it is destroyed.
// Errors    append()    kBusy  also if the spill has reached a limit
//           run_once()  see spill_shipper.h; the process must stop
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/append_route.h"
#include "gateway/spill_shipper.h"
#include "gateway/spill_store.h"
#include "log/forwarding_log.h"
#include "telemetry/registry.h"

namespace penstock::gateway {

class SpillingLog final : public log::ForwardingLog {
 public:
  struct Options {
    AppendRoute::Options route;
    SpillShipper::Options shipper;
  };

  SpillingLog(log::Log& log, SpillStore& store, const os::Clock& clock,
              telemetry::Registry& metrics, telemetry::Logger& logger, const Options& options);
  ~SpillingLog() override;

  // One step of the shipper; false if there was nothing to do.
  [[nodiscard]] Result<bool> run_once() { return shipper_.run_once(); }

  void wait(std::chrono::microseconds timeout) { shipper_.wait(timeout); }

  void wake() { shipper_.wake(); }

  // False until everything that an earlier process had left in the spill is in the log. No appends
  // before.
  [[nodiscard]] bool is_ready() const { return shipper_.is_ready(); }

  [[nodiscard]] AppendRoute::View view() const { return route_->view(); }

  // --- log::Log ---
  [[nodiscard]] Result<log::TopicInfo> ensure_topic(const log::TopicConfig& config) override;
  [[nodiscard]] Status append(std::vector<log::PartitionBatch> batches,
                              log::AppendDone done) override;
  [[nodiscard]] log::LogStatus status() const override;

 private:
  void export_metrics(telemetry::Registry& metrics);

  const Ref<AppendRoute> route_;
  SpillShipper shipper_;
  std::vector<telemetry::CallbackGuard> metrics_;
};

}  // namespace penstock::gateway
