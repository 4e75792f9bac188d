// ThreadMetrics are the figures of one stream thread on the metrics page.
//
// Counted per commit, so what an aborted transaction did is never counted twice. `accepted =
// processed + in flight` can be read off it: the log's end offsets are what was accepted,
// penstock_engine_committed_offset is what was processed, and penstock_engine_lag_records is what
// is in flight between them.
//
// Threads   one; the registry may be read from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "engine/task.h"
#include "os/clock.h"
#include "telemetry/registry.h"

namespace penstock::engine {

class ThreadMetrics {
 public:
  ThreadMetrics(telemetry::Registry& registry, std::string job);

  // What `task` processed since its last commit is committed now.
  void committed(const Task& task, os::WallTime now);
  void commit_took(std::chrono::nanoseconds duration);

  void aborted() { aborts_.add(1); }

  // Where a source partition stands, seen from the log's `end`.
  void position(const std::string& topic, const RecordQueue& queue, Offset end, os::WallTime now);
  void forget(TopicPartition partition);

  void state(std::uint64_t bytes, std::uint64_t entries, std::uint64_t restore_remaining);

  void skipped(std::uint64_t record_count) { skipped_.add(record_count); }

 private:
  struct Partition {
    telemetry::Gauge* committed_offset;
    telemetry::Gauge* lag_records;
    telemetry::Gauge* lag_seconds;
  };

  telemetry::Registry& registry_;
  const std::string job_;
  Counter& records_;
  Counter& bytes_;
  Counter& late_;
  Counter& expired_;
  Counter& dropped_;
  Counter& ignored_values_;
  Counter& skipped_;
  Counter& commits_;
  Counter& aborts_;
  Counter& windows_closed_;
  Counter& windows_dropped_;
  telemetry::Gauge& state_bytes_;
  telemetry::Gauge& state_entries_;
  telemetry::Gauge& restore_remaining_;
  telemetry::LatencyHistogram& commit_seconds_;
  telemetry::LatencyHistogram& latency_seconds_;
  std::map<TopicPartition, Partition> partitions_;
};

}  // namespace penstock::engine
