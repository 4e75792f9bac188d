// What the tests of the sink runtime share: a simulated log with a topic, a fake database, and the
// audit that compares them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "core/check.h"
#include "log/read_partition.h"
#include "os/random.h"
#include "record/dead_letter.h"
#include "sinks/runtime/fake_destination_for_test.h"
#include "sinks/runtime/sink_runner.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::sinks {

struct FoundLetter {
  std::string value;
  std::map<std::string, std::string> headers;
};

class SinkWorld {
 public:
  static constexpr std::int32_t kPartitions = 3;

  explicit SinkWorld(std::uint64_t seed = 1) : random_(seed) {
    options_.name = "db";
    options_.topic = "app";
    options_.breaker.minimum_number_of_calls = 5;
    options_.breaker.sliding_window_size = 5;
    options_.breaker.wait_duration_in_open_state = std::chrono::seconds(20);
    log::TopicConfig config;
    config.name = "app";
    config.partition_count = kPartitions;
    topic_ = log_.ensure_topic(config)->id;
  }

  // Appends records whose values are unique; with gaps in the offsets, as transactions leave them.
  std::vector<std::string> append(std::int32_t partition, std::size_t count) {
    RecordBatchBuilder builder;
    std::vector<std::string> values;
    for (std::size_t i = 0; i < count; ++i) {
      if (random_.below(4) == 0) {
        builder.skip_offsets(1);
      }
      values.push_back("event-" + std::to_string(next_event_++));
      builder.append(Timestamp(1000), std::nullopt, as_bytes(values.back()));
    }
    builder.skip_offsets(static_cast<std::uint32_t>(random_.below(2)));
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{topic_, PartitionId(partition)}, builder.finish()});
    PENSTOCK_CHECK(log_.append(std::move(batches), [](auto) {}).has_value());
    log_.run_once();
    sent_.insert(values.begin(), values.end());
    return values;
  }

  std::unique_ptr<SinkRunner> make_runner() {
    return std::make_unique<SinkRunner>(
        SinkRunner::Surroundings{log_, clock_, random_, registry_, logger_},
        std::make_unique<FakeDestination>(*database_, ++owners_), options_);
  }

  // Runs until nothing is left to do, as time goes by. The error that ended the sink, if one did.
  Status drain(SinkRunner& runner) {
    for (int idle = 0; idle < 40;) {
      PENSTOCK_TRY_ASSIGN(const bool busy, runner.run_once());
      idle = busy || log_.run_once() > 0 ? 0 : idle + 1;
      clock_.advance(busy ? std::chrono::milliseconds(1) : std::chrono::seconds(3));
    }
    return {};
  }

  std::vector<FoundLetter> letters() {
    std::vector<FoundLetter> found;
    const auto topic = log_.topic(dead_letter_topic("app"));
    if (topic) {
      const Status read = log::read_partition(
          log_, {topic->id, PartitionId(0)}, "test", [&](const RecordView& record) -> Status {
            FoundLetter letter{std::string(as_text(*record.value)), {}};
            HeaderReader reader(record);
            HeaderView header;
            while (reader.next(header)) {
              letter.headers[std::string(header.key)] = as_text(*header.value);
            }
            found.push_back(std::move(letter));
            return {};
          });
      PENSTOCK_CHECK(read.has_value());
    }
    return found;
  }

  // What is wrong: events that are not exactly once in the database or among the dead letters.
  std::vector<std::string> audit() {
    std::map<std::string, int> times = database_->rows;
    for (const FoundLetter& letter : letters()) {
      ++times[letter.value];
    }
    std::vector<std::string> problems;
    for (const std::string& value : sent_) {
      if (times[value] != 1) {
        problems.push_back(value + " is there " + std::to_string(times[value]) + " times");
      }
    }
    for (const auto& [value, count] : times) {
      if (!sent_.contains(value)) {
        problems.push_back(value + " was never sent");
      }
    }
    return problems;
  }

  testing::SimLog log_;
  testing::SimClock clock_;
  os::SeededRandom random_;
  telemetry::Registry registry_;
  telemetry::Logger logger_{
      clock_, {.level = telemetry::LogLevel::kError, .write = [](std::string_view) {}}};
  std::unique_ptr<FakeDatabase> database_ = std::make_unique<FakeDatabase>();
  SinkRunner::Options options_;
  TopicId topic_;
  std::set<std::string> sent_;

 private:
  std::uint64_t next_event_ = 0;
  std::uint64_t owners_ = 0;
};

}  // namespace penstock::sinks
