// Registry holds a process's metrics and writes them as Prometheus' text page.
//
// How a room takes part: its factory gets a `telemetry::Registry&`, asks once per thread for the
// handles it needs, keeps the references and counts per batch or per request, never per event:
//
//   Counter& accepted_ = registry.counter("penstock_events_total", "Events by outcome.",
//                                         {{"topic", name}, {"outcome", "accepted"}});
//
// Every call gives a handle of its own, and series of the same name and labels are added up on the
// page. So two threads never share a cache line and need no coordination, and a histogram has the
// single writer it wants. Values that live elsewhere come by callback.
//
// Names are `penstock_<what>_<unit>`, counters end in `_total`, units are seconds and bytes.
// Histograms show as <name>_bucket/_sum/_count, and for people and benches as gauges
// <name>_quantile{quantile="0.5|0.9|0.99|0.999"} and <name>_max, since the start of the process.
//
// Invariants
//   I1  A name has one type and one help text (checked).
// Threads   all functions from any thread. Callbacks run on the thread that asks for the page, with
//           the registry locked: short, and no call back into the registry.
// Lifetime  the Registry outlives all users of its handles. A callback is removed when its
//           CallbackGuard is destroyed; nothing runs in it after that.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/counter.h"
#include "core/mutex.h"
#include "telemetry/latency_histogram.h"

namespace penstock::telemetry {

// A value that goes up and down.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }

  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }

  [[nodiscard]] double get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

class Registry;

// Removes its callback from the registry when destroyed.
class [[nodiscard]] CallbackGuard {
 public:
  CallbackGuard() = default;
  CallbackGuard(CallbackGuard&& other) noexcept;
  CallbackGuard& operator=(CallbackGuard&& other) noexcept;
  ~CallbackGuard();

 private:
  friend class Registry;

  CallbackGuard(Registry& registry, std::uint64_t id) : registry_(&registry), id_(id) {}

  Registry* registry_ = nullptr;
  std::uint64_t id_ = 0;
};

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  [[nodiscard]] Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  [[nodiscard]] Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  // Durations; the name ends in `_seconds`. The handle belongs to one writing thread.
  [[nodiscard]] LatencyHistogram& histogram(std::string_view name, std::string_view help,
                                            Labels labels = {});

  CallbackGuard gauge_callback(std::string_view name, std::string_view help, Labels labels,
                               std::function<double()> value);
  // `value` never goes down.
  CallbackGuard counter_callback(std::string_view name, std::string_view help, Labels labels,
                                 std::function<double()> value);

  // Runs `change` while no page is written, so that what it sets is seen together or not at all. It
  // must not call the registry.
  void change_together(const std::function<void()>& change);

  // The page of GET /metrics: text format 0.0.4, families and series sorted.
  [[nodiscard]] std::string expose() const;

  // The sum of all counters, gauges and callbacks of that name and these labels; absent if there
  // are none. For tests and for code that checks its own books.
  [[nodiscard]] std::optional<double> value(std::string_view name, Labels labels = {}) const;

  // All histograms of that name whose labels include `labels`, merged.
  [[nodiscard]] HistogramSnapshot histogram_snapshot(std::string_view name,
                                                     const Labels& labels = {}) const;

 private:
  friend class CallbackGuard;

  enum class Type { kCounter, kGauge, kHistogram };
  struct Series;
  struct Family;

  Series& series(Type type, std::string_view name, std::string_view help, Labels labels)
      PENSTOCK_REQUIRES(mutex_);
  CallbackGuard add_callback(Series& to, std::function<double()> value) PENSTOCK_REQUIRES(mutex_);
  void remove_callback(std::uint64_t id);
  static void write_histograms(std::string& page, const std::string& name, const Family& family);

  mutable Mutex mutex_;
  std::map<std::string, Family, std::less<>> families_ PENSTOCK_GUARDED_BY(mutex_);
  std::uint64_t next_callback_id_ PENSTOCK_GUARDED_BY(mutex_) = 1;
};

// "text/plain; version=0.0.4; charset=utf-8", the Content-Type of expose().
[[nodiscard]] std::string_view exposition_content_type();

}  // namespace penstock::telemetry
