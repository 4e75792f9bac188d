// The embedded log's metrics; docs/operations.md says what each means to an operator.
//
// Threads   each counter as telemetry::Registry says; the histogram is the writer's.
#pragma once

#include "telemetry/registry.h"

namespace penstock::wal {

struct Metrics {
  explicit Metrics(telemetry::Registry& registry)
      : groups(registry.counter("penstock_log_groups_total", "Groups written and synced.")),
        bytes(registry.counter("penstock_log_bytes_total", "Bytes written, padding included.")),
        batches(registry.counter("penstock_log_batches_total", "Record batches appended.")),
        records(registry.counter("penstock_log_records_total", "Records appended.")),
        write_seconds(
            registry.histogram("penstock_log_write_seconds", "Time to write and sync one group.")),
        refused_queue_full(registry.counter("penstock_log_appends_refused_total",
                                            "Appends answered with busy.", {{"reason", "queue"}})),
        refused_no_space(registry.counter("penstock_log_appends_refused_total",
                                          "Appends answered with busy.", {{"reason", "disk"}})),
        tail_hits(registry.counter("penstock_log_fetched_batches_total",
                                   "Batches given to consumers.", {{"from", "memory"}})),
        tail_misses(registry.counter("penstock_log_fetched_batches_total",
                                     "Batches given to consumers.", {{"from", "disk"}})),
        damaged_reads(registry.counter("penstock_log_damaged_reads_total",
                                       "Reads refused because the bytes cannot be trusted.")),
        torn_tails(registry.counter("penstock_log_torn_tails_total",
                                    "Groups cut off at start because they were never complete.")),
        rewritten_bytes(registry.counter("penstock_log_rewritten_bytes_total",
                                         "Bytes copied forward to free segments.")),
        compacted_records(registry.counter("penstock_log_compacted_records_total",
                                           "Records that compaction has removed.")),
        expired_bytes(registry.counter("penstock_log_expired_bytes_total",
                                       "Bytes of records that retention has removed.")) {}

  Counter& groups;
  Counter& bytes;
  Counter& batches;
  Counter& records;
  telemetry::LatencyHistogram& write_seconds;
  Counter& refused_queue_full;
  Counter& refused_no_space;
  Counter& tail_hits;
  Counter& tail_misses;
  Counter& damaged_reads;
  Counter& torn_tails;
  Counter& rewritten_bytes;
  Counter& compacted_records;
  Counter& expired_bytes;
};

}  // namespace penstock::wal
