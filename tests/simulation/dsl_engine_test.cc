// A program of the DSL on the real engine and the simulated log: repartitioned windows, a join of a
// stream with a table, transactions that fail and crashes in between. Each result is a running
// count, so that a lost or repeated record shows as a gap or a repetition.
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"
#include "dsl/dsl.h"
#include "engine/streams.h"
#include "record/partitioner.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/random.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::testing {
namespace {

using namespace std::chrono_literals;
using Text = std::string;
using Number = std::int64_t;

constexpr std::int32_t kPartitionCount = 3;

// Orders "product" by customer; customers: the country. Counts orders of each country and minute,
// and of each customer. What is "broken" is a dead letter.
topology::Topology orders_by_country() {
  dsl::StreamBuilder builder({.application_id = "shop",
                              .errors = {.processing = dsl::ErrorResponse::kDeadLetter,
                                         .dead_letter_topic = "dead-letters"}});
  const auto customers =
      builder.table<Text, Text>("customers", dsl::Materialized("customers-store"));
  const auto orders = builder.stream<Text, Text>("orders");
  orders
      .filter([](const Text& product) -> Result<bool> {
        if (product == "broken") {
          return Error(ErrorCode::kInvalid, "it is broken");
        }
        return product != "none";
      })
      .join(
          customers,
          [](const Text& product, const Text& country) { return country + "/" + product; },
          dsl::Joined("with-country"))
      .group_by([](const Text&, const Text& value) { return value.substr(0, value.find('/')); })
      .windowed_by(dsl::TimeWindows::of_size_and_grace(1min, 24h))
      .count(dsl::Materialized("per-country"))
      .to_stream()
      .to("per-country");
  orders.group_by_key().count(dsl::Materialized("per-customer")).to_stream().to("per-customer");
  auto topology = std::move(builder).build();
  PENSTOCK_CHECK(topology.has_value());
  return *std::move(topology);
}

using Counts = std::map<std::string, std::vector<Number>>;  // by key bytes, in order

class DslEngine : public ::testing::Test {
 protected:
  DslEngine() : logger_(clock_, {.write = [](std::string_view) {}}) {
    for (const char* name :
         {"orders", "customers", "per-country", "per-customer", "dead-letters"}) {
      log::TopicConfig topic;
      topic.name = name;
      topic.partition_count = kPartitionCount;
      PENSTOCK_CHECK(log_.ensure_topic(topic).has_value());
    }
  }

  ~DslEngine() override { streams_.reset(); }

  void start() {
    std::vector<engine::Job> jobs;
    jobs.push_back({"shop", orders_by_country()});
    engine::Streams::Options options;
    options.threads_per_job = 2;
    options.thread.hash_seed = 42;
    options.thread.exactly_once = exactly_once_;
    options.thread.repartition_purge_interval = 10ms;
    auto streams =
        engine::Streams::open(log_, clock_, registry_, logger_, std::move(jobs), options);
    ASSERT_TRUE(streams.has_value()) << streams.error().to_string();
    streams_ = *std::move(streams);
  }

  void send(const std::string& topic, const Text& key, const Text& value, std::int64_t at) {
    RecordBatchBuilder builder;
    builder.append(Timestamp(at), as_bytes(key), as_bytes(value));
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{log_.topic(topic)->id, partition_for_key(as_bytes(key), kPartitionCount)},
                       builder.finish()});
    ASSERT_TRUE(log_.append(std::move(batches), [](auto) {}).has_value());
  }

  void run_engine_once() {
    for (engine::StreamThread* thread : streams_->threads()) {
      const auto worked = thread->run_once();
      ASSERT_TRUE(worked) << worked.error().to_string();
    }
    clock_.advance(3ms);
  }

  void step() {
    run_engine_once();
    log_.run_once();
  }

  void run_until_idle() {
    streams_->drain();
    for (int index = 0; index < 100'000 && !streams_->is_drained(); ++index) {
      step();
    }
    ASSERT_TRUE(streams_->is_drained());
  }

  // kill -9: the engine is gone with all its memory, the log keeps what is durable.
  void crash() {
    streams_.reset();
    log_.crash();
    start();
  }

  // Crashes when a commit has become durable and the engine does not know yet.
  void crash_after_commit() {
    while (log_.waiting_count() > 0) {
      log_.run_once();
    }
    for (int index = 0; index < 200 && log_.waiting_count() == 0; ++index) {
      run_engine_once();
    }
    log_.run_once();
    crash();
  }

  template <typename Take>
  void read(const std::string& topic, Take take) {
    const TopicId id = log_.topic(topic)->id;
    for (std::int32_t number = 0; number < kPartitionCount; ++number) {
      auto consumer =
          log_.open_consumer({.name = "test", .group_id = {}, .topics = {}, .instance_id = {}});
      PENSTOCK_CHECK(consumer.has_value());
      PENSTOCK_CHECK((*consumer)->assign({{{id, PartitionId(number)}, Offset(0)}}).has_value());
      while (true) {
        auto polled = (*consumer)->poll(1 << 20);
        PENSTOCK_CHECK(polled.has_value());
        if (polled->batches.empty()) {
          break;
        }
        for (const log::FetchedBatch& batch : polled->batches) {
          const auto view = RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kChecksum);
          PENSTOCK_CHECK(view.has_value());
          RecordReader reader(*view);
          for (RecordView record; reader.next(record);) {
            take(record);
          }
        }
      }
    }
  }

  [[nodiscard]] Counts counts_in(const std::string& topic) {
    Counts counts;
    read(topic, [&](const RecordView& record) {
      counts[std::string(as_text(*record.key))].push_back(
          load_be<std::int64_t>(record.value->data()));
    });
    return counts;
  }

  // How many of each key.
  [[nodiscard]] std::map<std::string, Number> dead_letters() {
    std::map<std::string, Number> letters;
    read("dead-letters", [&](const RecordView& record) {
      EXPECT_EQ(as_text(*record.value), "broken");
      ++letters[std::string(as_text(*record.key))];
    });
    return letters;
  }

  // Counts through failed commits and crashes. Whether every record was counted once.
  [[nodiscard]] bool counts_each_record_once(bool exactly_once);

  bool exactly_once_ = true;
  SimClock clock_;
  telemetry::Registry registry_;
  telemetry::Logger logger_;
  SimLog log_;
  std::unique_ptr<engine::Streams> streams_;
};

std::string window_key(const Text& country, std::int64_t at) {
  Bytes bytes;
  dsl::Serde<dsl::Windowed<Text>>::encode(
      {country, {Timestamp(at / 60'000 * 60'000), Timestamp(0)}}, bytes);
  return std::string(as_text(bytes));
}

// 1, 2, ... up to how often each key was counted.
Counts sequences(const std::map<std::string, Number>& totals) {
  Counts counts;
  for (const auto& [key, total] : totals) {
    for (Number number = 1; number <= total; ++number) {
      counts[key].push_back(number);
    }
  }
  return counts;
}

bool DslEngine::counts_each_record_once(bool exactly_once) {
  exactly_once_ = exactly_once;
  start();
  SeededRandom random(7);
  const std::vector<Text> countries = {"FR", "JP", "BR"};
  for (int customer = 0; customer < 10; ++customer) {
    send("customers", "c" + std::to_string(customer),
         countries[static_cast<std::size_t>(customer) % 3], 0);
  }
  run_until_idle();
  crash();  // also takes the drained engine away

  std::map<std::string, Number> per_country;
  std::map<std::string, Number> per_customer;
  std::map<std::string, Number> broken;
  for (int number = 0; number < 600; ++number) {
    const auto customer = random.below(10);
    const Text key = "c" + std::to_string(customer);
    const std::vector<Text> products = {"none", "broken", "p1", "p2", "p3", "p4"};
    const Text product = products[random.below(products.size())];
    const std::int64_t at = std::int64_t{number} * 500 + static_cast<int>(random.below(90'000));
    send("orders", key, product, at);
    ++per_customer[key];
    broken[key] += product == "broken" ? 1 : 0;
    if (product.starts_with('p')) {
      ++per_country[window_key(countries[customer % 3], at)];
    }
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
  run_until_idle();

  return counts_in("per-customer") == sequences(per_customer) &&
         counts_in("per-country") == sequences(per_country) && dead_letters() == broken;
}

TEST_F(DslEngine, CountsEveryRecordOnceThroughFailedCommitsAndCrashes) {
  EXPECT_TRUE(counts_each_record_once(true));
}

TEST_F(DslEngine, DeletesRepartitionRecordsThatWereRead) {
  ASSERT_TRUE(counts_each_record_once(true));

  const TopicId between = log_.topic("shop-per-country-repartition")->id;
  for (std::int32_t number = 0; number < kPartitionCount; ++number) {
    const auto offsets = log_.offsets({between, PartitionId(number)});
    ASSERT_TRUE(offsets);
    if (offsets->end > Offset(0)) {
      EXPECT_GT(offsets->start, Offset(0));
    }
  }
}

TEST_F(DslEngine, NegativeControlFindsDoublesWhenOffsetsAreCommittedOutsideTheTransaction) {
  EXPECT_FALSE(counts_each_record_once(false));
}

}  // namespace
}  // namespace penstock::testing
