#include "engine/thread_metrics.h"

#include <algorithm>
#include <utility>

namespace penstock::engine {

namespace {

constexpr double kMicrosPerSecond = 1e6;

telemetry::Labels labels(const std::string& job, std::string_view name = {},
                         std::string_view value = {}) {
  telemetry::Labels labels = {{"job", job}};
  if (!name.empty()) {
    labels.emplace_back(name, value);
  }
  return labels;
}

std::int64_t to_micros(os::WallTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

}  // namespace

ThreadMetrics::ThreadMetrics(telemetry::Registry& registry, std::string job)
    : registry_(registry),
      job_(std::move(job)),
      records_(registry.counter("penstock_engine_processed_records_total",
                                "Records whose processing is committed, internal topics included.",
                                labels(job_))),
      bytes_(registry.counter("penstock_engine_processed_bytes_total",
                              "Key and value bytes of processed records.", labels(job_))),
      late_(registry.counter("penstock_engine_dropped_records_total",
                             "Records processed without being counted in any window or row.",
                             labels(job_, "reason", "late"))),
      expired_(registry.counter("penstock_engine_dropped_records_total",
                                "Records processed without being counted in any window or row.",
                                labels(job_, "reason", "window_dropped"))),
      dropped_(registry.counter("penstock_engine_dropped_records_total",
                                "Records processed without being counted in any window or row.",
                                labels(job_, "reason", "no_key"))),
      dead_lettered_(registry.counter("penstock_engine_dead_letters_total",
                                      "Records that an error handler wrote to the dead letters.",
                                      labels(job_))),
      ignored_values_(registry.counter("penstock_engine_ignored_values_total",
                                       "Fields to be aggregated that were not numbers.",
                                       labels(job_))),
      skipped_(registry.counter("penstock_engine_skipped_records_total",
                                "Records that were gone from the log before they were processed.",
                                labels(job_))),
      restored_(registry.counter("penstock_engine_restored_records_total",
                                 "Records read from changelogs to bring stores back.",
                                 labels(job_))),
      commits_(registry.counter("penstock_engine_commits_total", "Transactions committed.",
                                labels(job_, "outcome", "committed"))),
      aborts_(registry.counter("penstock_engine_commits_total", "Transactions committed.",
                               labels(job_, "outcome", "aborted"))),
      windows_closed_(registry.counter("penstock_engine_windows_closed_total",
                                       "Windows of a partition that take no more records.",
                                       labels(job_))),
      windows_dropped_(registry.counter("penstock_engine_windows_dropped_total",
                                        "Closed windows dropped by retention or for memory.",
                                        labels(job_))),
      state_bytes_(registry.gauge("penstock_engine_state_bytes", "Memory of the state stores.",
                                  labels(job_))),
      state_entries_(registry.gauge("penstock_engine_state_entries", "Entries in the state stores.",
                                    labels(job_))),
      restore_remaining_(registry.gauge("penstock_engine_restore_remaining_records",
                                        "Changelog records still to be read back.", labels(job_))),
      paused_(registry.gauge("penstock_engine_paused",
                             "Threads of a job that wait for state memory.", labels(job_))),
      commit_seconds_(registry.histogram("penstock_engine_commit_seconds",
                                         "From the end of processing to a durable commit.",
                                         labels(job_))),
      latency_seconds_(registry.histogram(
          "penstock_engine_latency_seconds",
          "Of a record: from its acceptance to its committed result.", labels(job_))) {}

void ThreadMetrics::add_source(TopicId id, const std::string& topic) {
  const auto counter = [&](const char* stage) {
    telemetry::Labels where = labels(job_, "topic", topic);
    where.emplace_back("stage", stage);
    return &registry_.counter(
        "penstock_engine_transaction_records_total",
        "Offsets of source topics in transactions: records, those that were gone, and those "
        "without a record.",
        where);
  };
  accounts_[id] = {counter("begun"), counter("committed"), counter("taken_back")};
}

void ThreadMetrics::begun(const Task& task) {
  for (const auto& queue : task.queues()) {
    const std::uint64_t count = queue->record_count() + queue->missing_count() +
                                queue->missing_before_count() + queue->empty_count();
    Account& account = accounts_.at(queue->from().topic);
    account.begun->add(count);
    account.unsettled += count;
  }
}

void ThreadMetrics::settled(TransactionEnd end) {
  for (auto& [topic, account] : accounts_) {
    Counter& counter = end == TransactionEnd::kCommitted ? *account.committed : *account.taken_back;
    counter.add(std::exchange(account.unsettled, 0));
  }
}

void ThreadMetrics::committed(const Task& task, os::WallTime now) {
  const std::int64_t now_us = to_micros(now);
  for (const auto& queue : task.queues()) {
    records_.add(queue->record_count());
    bytes_.add(queue->bytes());
    skipped_.add(queue->missing_count());
    for (const RecordQueue::Accepted& accepted : queue->accepted()) {
      latency_seconds_.record(std::chrono::microseconds(now_us - accepted.ingest_us),
                              accepted.count);
    }
  }
  late_.add(task.counts().late);
  expired_.add(task.counts().expired);
  dropped_.add(task.counts().dropped);
  dead_lettered_.add(task.counts().dead_lettered);
  ignored_values_.add(task.counts().ignored_values);
  for (const auto& store : task.stores()) {
    const store::StateStore::WindowCounts counts = store->take_window_counts();
    windows_closed_.add(counts.closed);
    windows_dropped_.add(counts.dropped);
  }
}

void ThreadMetrics::commit_took(std::chrono::nanoseconds duration) {
  commits_.add(1);
  commit_seconds_.record(duration);
}

void ThreadMetrics::position(const std::string& topic, const RecordQueue& queue, Offset end,
                             os::WallTime now) {
  auto at = partitions_.find(queue.from());
  if (at == partitions_.end()) {
    telemetry::Labels where = labels(job_, "topic", topic);
    where.emplace_back("partition", to_string(queue.from().partition));
    const Partition partition = {
        &registry_.gauge("penstock_engine_committed_offset",
                         "Records of a source partition before this offset are processed.", where),
        &registry_.gauge("penstock_engine_lag_records", "Records accepted and not yet processed.",
                         where),
        &registry_.gauge("penstock_engine_lag_seconds",
                         "Age of the newest processed record while there is a lag, else 0.",
                         where)};
    at = partitions_.emplace(queue.from(), partition).first;
  }
  const std::int64_t lag = std::max<std::int64_t>(0, end - queue.committed());
  at->second.committed_offset->set(static_cast<double>(queue.committed().value()));
  at->second.lag_records->set(static_cast<double>(lag));
  const bool known = lag > 0 && queue.latest_ingest_us().has_value();
  at->second.lag_seconds->set(
      known ? static_cast<double>(to_micros(now) - *queue.latest_ingest_us()) / kMicrosPerSecond
            : 0);
}

void ThreadMetrics::forget(TopicPartition partition) {
  const auto at = partitions_.find(partition);
  if (at != partitions_.end()) {
    at->second.committed_offset->set(0);
    at->second.lag_records->set(0);
    at->second.lag_seconds->set(0);
    partitions_.erase(at);
  }
}

void ThreadMetrics::state(std::uint64_t bytes, std::uint64_t entries,
                          std::uint64_t restore_remaining) {
  state_bytes_.set(static_cast<double>(bytes));
  state_entries_.set(static_cast<double>(entries));
  restore_remaining_.set(static_cast<double>(restore_remaining));
}

}  // namespace penstock::engine
