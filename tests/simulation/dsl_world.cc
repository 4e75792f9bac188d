#include "simulation/dsl_world.h"

#include <utility>

#include "core/check.h"
#include "record/partitioner.h"
#include "simulation/read_topic.h"

namespace penstock::testing {

using namespace std::chrono_literals;

DslWorld::DslWorld(Options options)
    : options_(std::move(options)), logger_(clock_, {.write = [](std::string_view) {}}) {
  for (const std::string& name : options_.topics) {
    log::TopicConfig topic;
    topic.name = name;
    topic.partition_count = kPartitionCount;
    PENSTOCK_CHECK(log_.ensure_topic(topic).has_value());
  }
  start();
}

DslWorld::~DslWorld() {
  streams_.reset();
}

void DslWorld::start() {
  std::vector<engine::Job> jobs;
  jobs.push_back({"shop", options_.topology()});
  engine::Streams::Options options;
  options.threads_per_job = 2;
  options.thread.hash_seed = 42;
  options.thread.exactly_once = options_.exactly_once;
  options.thread.fetch_bytes = options_.fetch_bytes;
  options.thread.repartition_purge_interval = 10ms;
  auto streams = engine::Streams::open(log_, clock_, registry_, logger_, std::move(jobs), options);
  PENSTOCK_CHECK(streams.has_value());
  streams_ = *std::move(streams);
}

void DslWorld::send(const std::string& topic, const std::string& key,
                    const std::optional<std::string>& value, std::int64_t at) {
  RecordBatchBuilder builder;
  builder.append(Timestamp(at), as_bytes(key),
                 value.has_value() ? std::optional(as_bytes(*value)) : std::nullopt);
  std::vector<log::PartitionBatch> batches;
  batches.push_back({{log_.topic(topic)->id, partition_for_key(as_bytes(key), kPartitionCount)},
                     builder.finish()});
  PENSTOCK_CHECK(log_.append(std::move(batches), [](auto) {}).has_value());
}

void DslWorld::run_engine_once() {
  for (engine::StreamThread* thread : streams_->threads()) {
    PENSTOCK_CHECK(thread->run_once().has_value());
  }
  clock_.advance(3ms);
}

void DslWorld::step() {
  run_engine_once();
  log_.run_once();
}

void DslWorld::run_until_idle() {
  streams_->drain();
  for (int index = 0; index < 100'000 && !streams_->is_drained(); ++index) {
    step();
  }
  PENSTOCK_CHECK(streams_->is_drained());
  crash();
}

void DslWorld::crash() {
  streams_.reset();
  log_.crash();
  start();
}

void DslWorld::crash_after_commit() {
  while (log_.waiting_count() > 0) {
    log_.run_once();
  }
  for (int index = 0; index < 200 && log_.waiting_count() == 0; ++index) {
    run_engine_once();
  }
  log_.run_once();
  crash();
}

void DslWorld::disturb(SeededRandom& random) {
  for (std::uint64_t steps = random.below(3); steps > 0; --steps) {
    step();
  }
  if (random.below(40) == 0) {
    log_.fail_commits(1, ErrorCode::kAbortTxn);
  }
  if (random.below(60) == 0) {
    crash_after_commit();
  }
}

Values DslWorld::read(const std::string& topic) {
  Values values;
  read_topic(log_, topic, [&](const RecordView& record) {
    values[std::string(as_text(*record.key))].emplace_back(as_text(*record.value));
  });
  return values;
}

std::map<std::string, std::string> DslWorld::query(const std::string& store,
                                                   const std::optional<std::string>& key) {
  for (int tries = 0; tries < 1000; ++tries) {
    std::optional<Result<store::StoreAnswer>> answer;
    store::StoreQuery query;
    query.store = store;
    query.limit = store::StoreQuery::kLimitMax;
    if (key.has_value()) {
      query.key = {*key};
    }
    streams_->query(std::move(query),
                    [&](Result<store::StoreAnswer> got) { answer = std::move(got); });
    for (int steps = 0; steps < 1000 && !answer.has_value(); ++steps) {
      step();
    }
    PENSTOCK_CHECK(answer.has_value());
    if (answer->has_value()) {
      std::map<std::string, std::string> entries;
      for (const store::StoreEntry& entry : (*answer)->entries) {
        entries[entry.key.front().text] = std::string(as_text(entry.value->json));
      }
      return entries;
    }
    PENSTOCK_CHECK(answer->error().code() == ErrorCode::kBusy);
    step();
  }
  check_failed("the store answers", __FILE__, __LINE__);
}

std::vector<log::PartitionOffsets> DslWorld::offsets(const std::string& topic) const {
  const TopicId id = log_.topic(topic)->id;
  std::vector<log::PartitionOffsets> all;
  for (std::int32_t number = 0; number < kPartitionCount; ++number) {
    all.push_back(*log_.offsets({id, PartitionId(number)}));
  }
  return all;
}

}  // namespace penstock::testing
