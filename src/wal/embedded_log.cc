#include "wal/embedded_log.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "log/topic_rules.h"
#include "wal/consumer.h"
#include "wal/core.h"
#include "wal/index_file.h"
#include "wal/recovery.h"
#include "wal/transactional_producer.h"

namespace penstock::wal {
namespace {

Error no_such_topic(std::string_view name) {
  return {ErrorCode::kNotFound, "there is no topic \"" + std::string(name) + "\""};
}

// The next epoch of a transactional id; a new producer id where the epochs are used up.
ProducerState next_producer(const Catalog& catalog, std::string_view transactional_id) {
  const ProducerState* current = catalog.producer(transactional_id);
  constexpr std::int16_t kEpochMax = std::numeric_limits<std::int16_t>::max();
  if (current == nullptr || current->epoch.value() == kEpochMax) {
    return {ProducerId(catalog.counters().next_producer), ProducerEpoch(0)};
  }
  return {current->producer, ProducerEpoch(static_cast<std::int16_t>(current->epoch.value() + 1))};
}

std::vector<telemetry::CallbackGuard> make_gauges(telemetry::Registry& registry, Shared& shared) {
  std::vector<telemetry::CallbackGuard> gauges;
  gauges.push_back(registry.gauge_callback(
      "penstock_log_queue_bytes", "Appends that wait for the disk.", {},
      [&shared] { return static_cast<double>(shared.queue_memory.used()); }));
  gauges.push_back(
      registry.gauge_callback("penstock_log_segments", "Segment files in use.", {}, [&shared] {
        return shared.state.with([](const State& state) {
          return static_cast<double>(state.catalog.segments().size());
        });
      }));
  gauges.push_back(registry.gauge_callback(
      "penstock_log_tail_cache_bytes", "Memory of groups kept for readers.", {}, [&shared] {
        return shared.state.with(
            [](const State& state) { return static_cast<double>(state.tail.size_bytes()); });
      }));
  gauges.push_back(registry.gauge_callback(
      "penstock_log_lost_records", "Offsets within retention whose loss an operator accepted.", {},
      [&shared] {
        std::uint64_t count = 0;
        shared.state.with([&](const State& state) {
          for (const LostRange& lost : state.catalog.lost()) {
            count += lost.count();
          }
        });
        return static_cast<double>(count);
      }));
  gauges.push_back(registry.gauge_callback(
      "penstock_log_writable", "1 while appends are accepted.", {}, [&shared] {
        return shared.state.with(
            [](const State& state) { return state.failure || state.no_space ? 0.0 : 1.0; });
      }));
  return gauges;
}

// The first offset from `from` on whose batch holds a record of `timestamp` or later.
std::optional<Offset> first_in_time(const std::vector<IndexEntry>& entries, Offset from,
                                    Timestamp timestamp) {
  const auto entry = std::ranges::find_if(entries, [&](const IndexEntry& e) {
    return e.last() >= from && e.max_timestamp >= timestamp;
  });
  return entry == entries.end() ? std::optional<Offset>() : std::max(entry->base, from);
}

struct TimeSearch {
  Offset offset;
  Ref<Run> unloaded;  // the offset is in it, but its entries are on disk
  ScanRange range;
};

// Up to the first run that must be loaded; the partition's end if nothing is so late.
TimeSearch search_memory(const Catalog& catalog, const Partition& partition, Offset from,
                         Timestamp timestamp) {
  for (auto run = partition.run_at(from); run != partition.runs.end(); ++run) {
    if ((*run)->summary.max_timestamp < timestamp) {
      continue;
    }
    if (!(*run)->in_memory()) {
      const SegmentState& segment = catalog.segments().at((*run)->segment->number);
      return {from, *run, {segment.segment, segment.end_position, segment.damage_accepted}};
    }
    if (const auto offset = first_in_time((*run)->entries, from, timestamp)) {
      return {*offset, {}, {}};
    }
  }
  return {partition.end, {}, {}};
}

}  // namespace

// --- Opening and closing -----------------------------------------------------------------------

Status EmbeddedLog::Core::start(telemetry::Registry& registry) {
  PENSTOCK_TRY_ASSIGN(Recovered recovered, recover(shared, spares, report));
  shared.metrics.torn_tails.add(report.torn_bytes > 0 ? 1 : 0);
  PENSTOCK_TRY_ASSIGN(ProofFile proof, ProofFile::open(shared.files, shared.options.directory));
  LogEnd& end = recovered.end;
  auto file = recovered.must_start_segment
                  ? Writer::start_segment(shared, spares, end)
                  : AppendFile::open(shared.files, os::join_path(shared.options.directory,
                                                                 segment_file_name(end.segment)));
  if (!file) {
    return std::move(file).error();
  }
  writer =
      std::make_unique<Guarded<Writer>>(shared, spares, end, std::move(proof), *std::move(file));
  PENSTOCK_TRY(writer->with([](Writer& w) { return w.write_empty_group(); }));
  PENSTOCK_TRY(writer->with([](Writer& w) { return w.prove(); }));
  submitter = std::make_unique<Submitter>(shared, *writer);
  keeper = std::make_unique<Keeper>(shared, spares, *submitter);
  gauges = make_gauges(registry, shared);
  return {};
}

Result<std::unique_ptr<EmbeddedLog>> EmbeddedLog::open(Options options, os::FileSystem& files,
                                                       const os::Clock& clock, os::Random& random,
                                                       telemetry::Registry& metrics) {
  PENSTOCK_TRY(check_options(options));
  PENSTOCK_TRY(files.create_directories(options.directory));
  PENSTOCK_TRY_ASSIGN(
      std::unique_ptr<os::FileLock> lock,
      files.lock_file(os::join_path(options.directory, std::string(kLockFileName))));
  auto core =
      std::make_unique<Core>(std::move(lock), std::move(options), files, clock, random, metrics);
  PENSTOCK_TRY(core->start(metrics));
  return std::unique_ptr<EmbeddedLog>(new EmbeddedLog(std::move(core)));
}

EmbeddedLog::EmbeddedLog(std::unique_ptr<Core> core) : core_(std::move(core)) {}

EmbeddedLog::~EmbeddedLog() {
  core_->shared.queue.close();
  core_->writer->with([](Writer& writer) {
    writer.refuse_all({ErrorCode::kFatal, "the log was destroyed"});
  });
}

Status EmbeddedLog::close() {
  core_->shared.state.with([](State& state) { state.closed = true; });
  return core_->writer->with([this](Writer& writer) -> Status {
    PENSTOCK_TRY(writer.run_once(core_->shared.clock.now()));
    return writer.prove();
  });
}

const RecoveryReport& EmbeddedLog::recovery() const {
  return core_->report;
}

// --- Threads -----------------------------------------------------------------------------------

Result<std::size_t> EmbeddedLog::run_once(os::TimePoint now) {
  return core_->writer->with([now](Writer& writer) { return writer.run_once(now); });
}

void EmbeddedLog::wait(std::chrono::microseconds timeout) {
  core_->shared.queue.wait(timeout);
}

void EmbeddedLog::wake() {
  core_->shared.queue.wake();
}

Status EmbeddedLog::maintain_once(os::TimePoint now) {
  return core_->keeper->run_once(now);
}

void EmbeddedLog::wait_for_maintenance(std::chrono::microseconds timeout) {
  core_->shared.keeper_wake.wait(timeout);
}

void EmbeddedLog::wake_maintenance() {
  core_->shared.keeper_wake.raise();
}

// --- Topics ------------------------------------------------------------------------------------

Result<log::TopicInfo> EmbeddedLog::ensure_topic(const log::TopicConfig& config) {
  PENSTOCK_TRY(log::check_topic_config(config));
  if (const auto existing = topic(config.name); existing && existing->config == config) {
    return existing;  // also when the disk is full
  }
  Request request;
  request.decide = [config](const Catalog& catalog, EntryList& entries) -> Status {
    const Topic* existing = catalog.find(config.name);
    if (existing == nullptr) {
      if (catalog.counters().next_topic > kTopicIdMax) {
        return Error(ErrorCode::kInvalid, "no topic can be created any more: this log has had " +
                                              std::to_string(kTopicIdMax));
      }
      entries.put(TopicEntry{TopicId(catalog.counters().next_topic), config});
      return {};
    }
    PENSTOCK_TRY(log::check_same_topic(existing->info.config, config));
    if (existing->info.config != config) {
      entries.put(TopicEntry{existing->info.id, config});
    }
    return {};
  };
  PENSTOCK_TRY(core_->submitter->submit_and_wait(std::move(request)));
  return topic(config.name);
}

Result<log::TopicInfo> EmbeddedLog::topic(std::string_view name) const {
  return core_->shared.state.with([&](const State& state) -> Result<log::TopicInfo> {
    const Topic* topic = state.catalog.find(name);
    if (topic == nullptr) {
      return no_such_topic(name);
    }
    return topic->info;
  });
}

std::vector<log::TopicInfo> EmbeddedLog::topics() const {
  return core_->shared.state.with([](const State& state) { return state.catalog.topics(); });
}

Status EmbeddedLog::delete_topic(std::string_view name) {
  Request request;
  request.uses_reserve = true;  // it makes space
  request.decide = [name = std::string(name)](const Catalog& catalog,
                                              EntryList& entries) -> Status {
    const Topic* existing = catalog.find(name);
    if (existing == nullptr) {
      return no_such_topic(name);
    }
    entries.put(TopicDeletedEntry{existing->info.id});
    return {};
  };
  PENSTOCK_TRY(core_->submitter->submit_and_wait(std::move(request)));
  core_->shared.keeper_wake.raise();
  return {};
}

Status EmbeddedLog::delete_records(const std::vector<log::Consumer::Position>& before) {
  Request request;
  request.uses_reserve = true;  // it makes space
  request.decide = [before](const Catalog& catalog, EntryList& entries) -> Status {
    for (const log::Consumer::Position& at : before) {
      const Partition* partition = catalog.find(at.partition);
      if (partition == nullptr) {
        return Error(ErrorCode::kNotFound, "there is no " + describe(catalog, at.partition));
      }
      const log::TopicConfig& config = catalog.find(at.partition.topic)->info.config;
      PENSTOCK_TRY(log::check_deletion(config, at.offset, partition->end));
    }
    for (const log::Consumer::Position& at : before) {
      if (at.offset > catalog.find(at.partition)->start) {
        entries.put(StartEntry{at.partition, at.offset});
      }
    }
    return {};
  };
  return core_->submitter->submit_and_wait(std::move(request));
}

Result<log::PartitionOffsets> EmbeddedLog::offsets(TopicPartition at) const {
  return core_->shared.state.with([&](const State& state) -> Result<log::PartitionOffsets> {
    const Partition* partition = state.catalog.find(at);
    if (partition == nullptr) {
      return Error(ErrorCode::kNotFound, "there is no " + describe(state.catalog, at));
    }
    return log::PartitionOffsets{partition->start, partition->end};
  });
}

Result<Offset> EmbeddedLog::offset_for_time(TopicPartition at, Timestamp timestamp) const {
  Offset from(0);
  for (;;) {
    PENSTOCK_TRY_ASSIGN(const TimeSearch found,
                        core_->shared.state.with([&](const State& state) -> Result<TimeSearch> {
                          const Partition* partition = state.catalog.find(at);
                          if (partition == nullptr) {
                            return Error(ErrorCode::kNotFound,
                                         "there is no " + describe(state.catalog, at));
                          }
                          from = std::max(from, partition->start);
                          return search_memory(state.catalog, *partition, from, timestamp);
                        }));
    if (!found.unloaded) {
      return found.offset;
    }
    PENSTOCK_TRY_ASSIGN(const std::vector<IndexEntry> entries,
                        load_entries(core_->shared.files, *found.unloaded, found.range));
    if (const auto offset = first_in_time(entries, from, timestamp)) {
      return *offset;
    }
    from = found.unloaded->summary.last + 1;
  }
}

// --- Appending and reading ---------------------------------------------------------------------

Status EmbeddedLog::append(std::vector<log::PartitionBatch> batches, log::AppendDone done) {
  Request request;
  PENSTOCK_TRY_ASSIGN(request.shapes, check_batches(batches));
  request.batches = std::move(batches);
  request.done = std::move(done);
  return core_->submitter->submit(std::move(request));
}

Result<std::unique_ptr<log::TransactionalProducer>> EmbeddedLog::open_transactional_producer(
    std::string_view transactional_id) {
  // Only one of two that open the same id at once is the newest in the end; it learns its own
  // epoch.
  ProducerState state;
  Request request;
  request.uses_reserve = true;  // so that a program starts and joins again on a full disk
  request.decide = [&state, id = std::string(transactional_id)](const Catalog& catalog,
                                                                EntryList& entries) -> Status {
    state = next_producer(catalog, id);
    entries.put(ProducerEntry{id, state.producer, state.epoch});
    return {};
  };
  PENSTOCK_TRY(core_->submitter->submit_and_wait(std::move(request)));
  return std::unique_ptr<log::TransactionalProducer>(std::make_unique<EmbeddedProducer>(
      core_->shared, *core_->submitter, ProducerIdentity{std::string(transactional_id), state}));
}

Result<std::unique_ptr<log::Consumer>> EmbeddedLog::open_consumer(log::ConsumerOptions options) {
  auto consumer =
      std::make_unique<EmbeddedConsumer>(core_->shared, *core_->submitter, std::move(options));
  PENSTOCK_TRY(consumer->join());
  return std::unique_ptr<log::Consumer>(std::move(consumer));
}

Result<std::vector<log::OffsetCommit>> EmbeddedLog::committed(std::string_view group_id) const {
  PENSTOCK_TRY(core_->submitter->flush());
  return core_->shared.state.with([&](const State& state) {
    std::vector<log::OffsetCommit> offsets;
    if (const Catalog::GroupOffsets* group = state.catalog.offsets_of(group_id); group != nullptr) {
      for (const auto& [partition, commit] : *group) {
        offsets.push_back(commit);
      }
    }
    return offsets;
  });
}

log::LogStatus EmbeddedLog::status() const {
  return core_->shared.state.with([](const State& state) -> log::LogStatus {
    if (state.failure) {
      return {false, state.failure->message()};
    }
    if (state.no_space) {
      return {false, state.no_space->message()};
    }
    return {!state.closed, state.closed ? "the log is closed" : ""};
  });
}

}  // namespace penstock::wal
