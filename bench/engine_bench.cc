// What an event costs the stream thread, all included: fetch, decode, group, window, table update,
// changelog, updates, commit. On the simulated log, whose own cost is a pointer move per batch.
//
// 100-byte events, 64 KiB batches, 1 M distinct keys. Each turn is one commit of at most 64 k
// events, as at 3 M events/s and 20 ms; the table is filled before the clock starts.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "engine/streams.h"
#include "jobs/aggregate_job.h"
#include "os/random.h"
#include "record/internal_headers.h"
#include "record/partitioner.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock {
namespace {

using store::AggregateColumn;

constexpr std::int64_t kBase = 1'704'067'200'000;
constexpr std::size_t kBatchSize = 64 * 1024;
constexpr std::int32_t kPartitions = 4;

std::string user(std::uint64_t number) {
  std::string text(16, 0);
  text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "u%010llu",
                                                     static_cast<unsigned long long>(number))));
  return text;
}

class Source {
 public:
  explicit Source(testing::SimLog& log) : log_(log) {
    log::TopicConfig topic;
    topic.name = "events";
    topic.partition_count = kPartitions;
    topic_ = log.ensure_topic(topic)->id;
    builders_.resize(kPartitions);
  }

  void add(std::uint64_t number, std::int64_t time) {
    const std::string key = user(number);
    json_ = R"({"user":")" + key + R"(","type":"click","amount":)" + std::to_string(number % 1000) +
            R"(,"page":"/a/b/c/d","session":"0123456789abcdef","n":1)";
    json_.resize(99, ' ');
    json_ += '}';
    const PartitionId partition = partition_for_key(as_bytes(key), kPartitions);
    RecordBatchBuilder& builder = builders_[static_cast<std::size_t>(partition.value())];
    const auto ingest = encode_ingest_time(kBase * 1000);
    const HeaderView header{kIngestTimeHeader, ByteView(ingest)};
    const auto headers = builder.empty() ? std::span(&header, 1) : std::span<const HeaderView>();
    builder.append(Timestamp(kBase + time), as_bytes(key), as_bytes(json_), headers);
    if (builder.size_bytes() >= kBatchSize) {
      close(partition);
    }
  }

  void flush() {
    for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
      if (!builders_[static_cast<std::size_t>(partition)].empty()) {
        close(PartitionId(partition));
      }
    }
    log_.run_once();
  }

 private:
  void close(PartitionId partition) {
    std::vector<log::PartitionBatch> batches;
    batches.push_back(
        {{topic_, partition}, builders_[static_cast<std::size_t>(partition.value())].finish()});
    PENSTOCK_CHECK(log_.append(std::move(batches), [](auto) {}).has_value());
  }

  testing::SimLog& log_;
  TopicId topic_;
  std::vector<RecordBatchBuilder> builders_;
  std::string json_;
};

class Pipeline {
 public:
  explicit Pipeline(jobs::AggregateOptions job)
      : logger_(clock_, {.write = [](std::string_view) {}}), source_(log_) {
    job.name = "totals";
    job.topic.name = "events";
    job.topic.key = "/user";
    job.topic.partition_count = kPartitions;
    job.window = std::chrono::seconds(10);
    job.grace = std::chrono::seconds(10);
    std::vector<engine::Job> jobs;
    jobs.push_back({job.name, *jobs::make_aggregate_topology(job)});
    engine::Streams::Options options;
    options.thread.hash_seed = 7;
    options.thread.commit_interval_idle = options.thread.commit_interval;
    streams_ = *engine::Streams::open(log_, clock_, registry_, logger_, std::move(jobs), options);
  }

  Source& source() { return source_; }

  void run_until(std::uint64_t record_count) {
    while (processed() < record_count) {
      for (engine::StreamThread* thread : streams_->threads()) {
        PENSTOCK_CHECK(thread->run_once().has_value());
      }
      log_.run_once();
      forget_outputs();
      clock_.advance(std::chrono::milliseconds(10));  // two steps are one commit interval
    }
  }

  // Events whose processing is committed.
  [[nodiscard]] std::uint64_t processed() const {
    std::int64_t count = 0;
    const TopicId topic = log_.topic("events")->id;
    for (const log::OffsetCommit& commit : *log_.committed("totals")) {
      count += commit.partition.topic == topic ? commit.next_offset.value() : 0;
    }
    return static_cast<std::uint64_t>(count);
  }

 private:
  // The simulated log keeps everything in memory; a real one writes it out and reuses the memory.
  void forget_outputs() {
    for (const char* topic : {"totals", "totals-changelog"}) {
      const TopicId id = log_.topic(topic)->id;
      for (std::int32_t number = 0; number < kPartitions; ++number) {
        const TopicPartition partition{id, PartitionId(number)};
        log_.drop_before(partition, log_.offsets(partition)->end);
      }
    }
  }

  testing::SimClock clock_;
  telemetry::Registry registry_;
  telemetry::Logger logger_;
  testing::SimLog log_;
  Source source_;
  std::unique_ptr<engine::Streams> streams_;
};

void measure(benchmark::State& state, jobs::AggregateOptions job) {
  const auto key_count = static_cast<std::uint64_t>(state.range(0));
  constexpr std::uint64_t kEvents = 2'000'000;
  job.emit_interval = std::chrono::milliseconds(state.range(1));
  Pipeline pipeline(job);
  for (std::uint64_t number = 0; number < key_count; ++number) {
    pipeline.source().add(number, 0);
  }
  pipeline.source().flush();
  pipeline.run_until(key_count);
  os::SeededRandom random(1);
  for (std::uint64_t count = 0; count < kEvents; ++count) {
    pipeline.source().add(random.below(key_count), 1);
  }
  pipeline.source().flush();
  const std::uint64_t before = pipeline.processed();
  for (auto _ : state) {
    pipeline.run_until(before + kEvents);
  }
  state.counters["cpu_per_event"] =
      benchmark::Counter(kEvents, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

constexpr std::int64_t kNever = std::chrono::milliseconds(std::chrono::hours(1)).count();

void count_by_key(benchmark::State& state) {
  jobs::AggregateOptions job;
  job.group_by = {"/user"};
  job.columns = {{AggregateColumn::Kind::kCount, ""}};
  measure(state, job);
}

void sum_by_key(benchmark::State& state) {
  jobs::AggregateOptions job;
  job.group_by = {"/user"};
  job.columns = {{AggregateColumn::Kind::kCount, ""}, {AggregateColumn::Kind::kSum, "/amount"}};
  measure(state, job);
}

void count_by_field(benchmark::State& state) {
  jobs::AggregateOptions job;
  job.group_by = {"/amount"};
  job.columns = {{AggregateColumn::Kind::kCount, ""}};
  measure(state, job);
}

void settings(benchmark::internal::Benchmark* bench) {
  bench->Iterations(1)->Unit(benchmark::kMillisecond)->ArgNames({"keys", "emit_ms"});
}

BENCHMARK(count_by_key)->Apply(settings)->Args({1'000'000, 1000});
BENCHMARK(count_by_key)->Apply(settings)->Args({1'000'000, kNever});
BENCHMARK(count_by_key)->Apply(settings)->Args({1000, kNever});
BENCHMARK(sum_by_key)->Apply(settings)->Args({1'000'000, kNever});
BENCHMARK(count_by_field)->Apply(settings)->Args({1'000'000, kNever});

}  // namespace
}  // namespace penstock
