// Report is what a bench run found out, for people or as one JSON object.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "penstock/bench/bench.h"
#include "penstock/bench/disk_probe.h"
#include "penstock/bench/generator.h"

namespace penstock::bench {

struct Quantiles {
  double p50_ms = 0;
  double p99_ms = 0;
  double p999_ms = 0;
};

[[nodiscard]] Quantiles quantiles_of(const telemetry::HistogramSnapshot& latency);

struct Report {
  BenchOptions options;
  Totals totals;
  double send_seconds = 0;       // from the first request to the last answer
  double processed_seconds = 0;  // from the first request until all was processed
  Quantiles ack_ms;
  std::optional<Quantiles> processed_ms;
  std::uint64_t in_log = 0;    // records, by the log's offsets
  std::uint64_t in_store = 0;  // the sum of all counts in the store
  std::optional<std::chrono::nanoseconds> server_cpu;
  std::chrono::nanoseconds client_cpu{0};
  std::optional<std::uint64_t> rss_bytes_max;
  std::optional<std::uint64_t> log_bytes;  // written by the log until all was processed
  std::optional<DiskSpeed> disk;           // by itself, before the server started
  std::uint32_t cpu_count = 0;
  std::string kernel;

  [[nodiscard]] bool counts_exact() const { return totals.events == in_log && in_log == in_store; }

  [[nodiscard]] bool all_answered() const {
    return totals.refused + totals.failed + totals.unknown + totals.unsent == 0;
  }

  // Through the whole pipeline: until processed.
  [[nodiscard]] double events_per_second() const;

  [[nodiscard]] std::optional<double> log_bytes_per_event() const;
  // 1 MB = 1,000,000 bytes, as of the disk; until all was processed.
  [[nodiscard]] std::optional<double> log_mb_per_second() const;
};

[[nodiscard]] std::string to_json(const Report& report);
[[nodiscard]] std::string to_text(const Report& report);

}  // namespace penstock::bench
