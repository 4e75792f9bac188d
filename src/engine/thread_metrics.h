// ThreadMetrics are the figures of one stream thread on the metrics page.
//
// Counted per commit, so what an aborted transaction did is never counted twice.
//
// penstock_engine_transaction_records_total is this side of the pipeline's balance: what went into
// transactions, counted record by record. console/balance.h holds it against the offsets that the
// log says are committed.
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

enum class TransactionEnd : std::uint8_t { kCommitted, kTakenBack };

class ThreadMetrics {
 public:
  ThreadMetrics(telemetry::Registry& registry, std::string job);

  // Before the first begun().
  void add_source(TopicId id, const std::string& topic);

  // What `task` processed since its last commit goes into the transaction now ...
  void begun(const Task& task);
  // ... which has come to its end, if there was one.
  void settled(TransactionEnd end);

  // What `task` processed since its last commit is committed now.
  void committed(const Task& task, os::WallTime now);
  void commit_took(std::chrono::nanoseconds duration);

  void aborted() { aborts_.add(1); }

  // Where a source partition stands, seen from the log's `end`.
  void position(const std::string& topic, const RecordQueue& queue, Offset end, os::WallTime now);
  void forget(TopicPartition partition);

  void state(std::uint64_t bytes, std::uint64_t entries, std::uint64_t restore_remaining);

  void state_is_full(bool full) { paused_.set(full ? 1 : 0); }

  void restored(std::uint64_t record_count) { restored_.add(record_count); }

  // Records of global tables, which belong to no task.
  void dropped(std::uint64_t record_count) { dropped_.add(record_count); }

  void skipped(std::uint64_t record_count) { skipped_.add(record_count); }

 private:
  // Records of one source topic in transactions.
  struct Account {
    Counter* begun;
    Counter* committed;
    Counter* taken_back;
    std::uint64_t unsettled = 0;
  };

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
  Counter& dead_lettered_;
  Counter& ignored_values_;
  Counter& skipped_;
  Counter& restored_;
  Counter& commits_;
  Counter& aborts_;
  Counter& windows_closed_;
  Counter& windows_dropped_;
  telemetry::Gauge& state_bytes_;
  telemetry::Gauge& state_entries_;
  telemetry::Gauge& restore_remaining_;
  telemetry::Gauge& paused_;
  telemetry::LatencyHistogram& commit_seconds_;
  telemetry::LatencyHistogram& latency_seconds_;
  std::map<TopicPartition, Partition> partitions_;
  std::map<TopicId, Account> accounts_;
};

}  // namespace penstock::engine
