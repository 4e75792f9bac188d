// StreamWorld runs one topology of the DSL on the real engine and the simulated log, step by step.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"
#include "dsl/dsl.h"
#include "engine/streams.h"
#include "record/partitioner.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::testing {

class StreamWorld {
 public:
  using MakeTopology = std::function<dsl::StreamBuilder()>;

  // Each topic has one partition.
  StreamWorld(const std::vector<std::string>& topics, MakeTopology make)
      : logger_(clock_, {.write = [](std::string_view) {}}), make_(std::move(make)) {
    for (const std::string& name : topics) {
      log::TopicConfig topic;
      topic.name = name;
      PENSTOCK_CHECK(log_.ensure_topic(topic).has_value());
    }
  }

  ~StreamWorld() { streams_.reset(); }

  StreamWorld(const StreamWorld&) = delete;
  StreamWorld& operator=(const StreamWorld&) = delete;

  engine::StreamThread::Options options;

  [[nodiscard]] Status start() {
    auto topology = make_().build();
    PENSTOCK_CHECK(topology.has_value());
    std::vector<engine::Job> jobs;
    jobs.push_back({"app", *std::move(topology)});
    engine::Streams::Options all;
    all.thread = options;
    all.thread.hash_seed = 42;
    auto streams = engine::Streams::open(log_, clock_, registry_, logger_, std::move(jobs), all);
    if (!streams) {
      return streams.error();
    }
    streams_ = *std::move(streams);
    return {};
  }

  // Another version of the program, from now on.
  void change(MakeTopology make) { make_ = std::move(make); }

  // kill -9: the engine is gone with all its memory, the log keeps what is durable.
  [[nodiscard]] Status crash() {
    streams_.reset();
    log_.crash();
    return start();
  }

  // The engine leaves in order.
  void stop() {
    for (engine::StreamThread* thread : streams_->threads()) {
      thread->close();
    }
    streams_.reset();
  }

  void send(const std::string& topic, const std::string& key, const std::string& value,
            std::int64_t at) {
    RecordBatchBuilder builder;
    builder.append(Timestamp(at), as_bytes(key), as_bytes(value));
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{log_.topic(topic)->id, PartitionId(0)}, builder.finish()});
    PENSTOCK_CHECK(log_.append(std::move(batches), [](auto) {}).has_value());
    log_.run_once();
  }

  // One turn of the engine, and a millisecond; the log stands still.
  [[nodiscard]] Status step_engine() {
    for (engine::StreamThread* thread : streams_->threads()) {
      const auto worked = thread->run_once();
      if (!worked) {
        return worked.error();
      }
    }
    clock_.advance(std::chrono::milliseconds(1));
    return {};
  }

  // One turn of engine and log.
  [[nodiscard]] Status step() {
    PENSTOCK_TRY(step_engine());
    log_.run_once();
    return {};
  }

  void run(int steps) {
    for (int index = 0; index < steps; ++index) {
      const Status stepped = step();
      ASSERT_TRUE(stepped) << stepped.error().to_string();
    }
  }

  // Until everything is processed and committed. Does not end where the topology fails.
  void run_until_drained() {
    streams_->drain();
    for (int index = 0; index < 100'000 && !streams_->is_drained(); ++index) {
      run(1);
    }
    ASSERT_TRUE(streams_->is_drained());
  }

  // "key=value" of all records of a topic, in order.
  [[nodiscard]] std::vector<std::string> read(const std::string& topic) {
    std::vector<std::string> lines;
    auto consumer =
        log_.open_consumer({.name = "test", .group_id = {}, .topics = {}, .instance_id = {}});
    PENSTOCK_CHECK(consumer.has_value());
    const TopicPartition partition{log_.topic(topic)->id, PartitionId(0)};
    PENSTOCK_CHECK((*consumer)->assign({{partition, Offset(0)}}).has_value());
    while (true) {
      auto polled = (*consumer)->poll(1 << 20);
      PENSTOCK_CHECK(polled.has_value());
      if (polled->batches.empty()) {
        return lines;
      }
      for (const log::FetchedBatch& batch : polled->batches) {
        RecordReader reader(
            *RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kChecksum));
        for (RecordView record; reader.next(record);) {
          lines.push_back(
              std::string(as_text(*record.key)) + "=" +
              (record.value.has_value() ? std::string(as_text(*record.value)) : "null"));
        }
      }
    }
  }

  [[nodiscard]] SimLog& log() { return log_; }

  [[nodiscard]] SimClock& clock() { return clock_; }

  [[nodiscard]] telemetry::Registry& registry() { return registry_; }

 private:
  SimClock clock_;
  telemetry::Registry registry_;
  telemetry::Logger logger_;
  SimLog log_;
  MakeTopology make_;
  std::unique_ptr<engine::Streams> streams_;
};

}  // namespace penstock::testing
