// How a topology is written in C++ and tried by hand: a job that keeps only the events of a topic
// whose value is new for their key.
#include "engine/topology_driver.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "store/table_store.h"
#include "testing/sim_clock.h"

namespace penstock::engine {
namespace {

using topology::ProcessorContext;
using topology::RecordSpan;

constexpr std::string_view kStore = "last";

class OnlyChanges final : public topology::Processor {
 public:
  Status init(ProcessorContext& context) override {
    context_ = &context;
    store_ = &context.store_of<store::TableStore>(kStore);
    output_ = &context.output("changes");
    return {};
  }

  Status process(const RecordSpan& records) override {
    for (std::size_t index = 0; index < records.size(); ++index) {
      const std::string key(as_text(*topology::to_optional(records.keys[index])));
      const std::string value(as_text(*topology::to_optional(records.values[index])));
      if (std::exchange(seen_[key], value) == value) {
        ++context_->counts().dropped;
        continue;
      }
      const store::TableStore::Update update{
          {as_bytes(key), store::KeyTag::kString},
          as_bytes(value),
          {records.timestamps[index], records.from.partition, records.offsets[index]}};
      store_->put({&update, 1});
      output_->append(records.timestamps[index], as_bytes(key), as_bytes(value));
    }
    return {};
  }

  void committed() override { committed_ = seen_; }

  void aborted() override { seen_ = committed_; }

 private:
  ProcessorContext* context_ = nullptr;
  store::TableStore* store_ = nullptr;
  topology::Output* output_ = nullptr;
  std::map<std::string, std::string> seen_;
  std::map<std::string, std::string> committed_;
};

topology::Topology make_topology() {
  topology::TopologyBuilder builder;
  builder.add_source("readings", {"readings"})
      .add_processor("only-changes", [] { return std::make_unique<OnlyChanges>(); }, {"readings"})
      .add_store(std::string(kStore),
                 [](const topology::StoreContext& context) {
                   store::TableStore::Options options;
                   options.name = kStore;
                   options.hash_seed = context.hash_seed;
                   return std::make_unique<store::TableStore>(options);
                 },
                 {"only-changes"})
      .add_sink("changes", {.topic = "changes"}, {"only-changes"});
  auto topology = builder.build();
  PENSTOCK_CHECK(topology.has_value());
  return *std::move(topology);
}

class TopologyDriverTest : public ::testing::Test {
 protected:
  TopologyDriverTest() {
    auto driver = TopologyDriver::open(topology_, {{"readings", 2}, {"changes", 1}}, clock_);
    PENSTOCK_CHECK(driver.has_value());
    driver_ = *std::move(driver);
  }

  void send(std::int32_t partition, std::int64_t time, const std::string& key,
            const std::string& value) {
    driver_->send("readings", {PartitionId(partition), Timestamp(time), key, value, Offset(0)});
  }

  std::vector<std::string> changes() {
    std::vector<std::string> texts;
    for (const DrivenRecord& record : driver_->output("changes")) {
      texts.push_back(*record.key + "=" + *record.value);
    }
    return texts;
  }

  testing::SimClock clock_;
  const topology::Topology topology_ = make_topology();
  std::unique_ptr<TopologyDriver> driver_;
};

TEST_F(TopologyDriverTest, ShowsWhatComesOutOnceItIsCommitted) {
  send(0, 10, "a", "1");
  send(0, 20, "a", "1");
  send(0, 30, "a", "2");
  ASSERT_TRUE(driver_->run().has_value());
  EXPECT_TRUE(changes().empty());

  ASSERT_TRUE(driver_->commit().has_value());

  EXPECT_EQ(changes(), (std::vector<std::string>{"a=1", "a=2"}));
  EXPECT_EQ(driver_->counts().dropped, 1U);
}

TEST_F(TopologyDriverTest, EachPartitionHasAStoreOfItsOwn) {
  send(0, 10, "a", "1");
  send(1, 10, "b", "1");
  send(1, 11, "c", "1");
  ASSERT_TRUE(driver_->run().has_value());
  ASSERT_TRUE(driver_->commit().has_value());

  EXPECT_EQ(driver_->store(kStore, PartitionId(0)).entry_count(), 1U);
  EXPECT_EQ(driver_->store(kStore, PartitionId(1)).entry_count(), 2U);
}

TEST_F(TopologyDriverTest, WhatWasTakenBackComesAgain) {
  send(0, 10, "a", "1");
  ASSERT_TRUE(driver_->run().has_value());
  driver_->abort();
  EXPECT_EQ(driver_->store(kStore, PartitionId(0)).entry_count(), 0U);

  ASSERT_TRUE(driver_->run().has_value());
  ASSERT_TRUE(driver_->commit().has_value());

  EXPECT_EQ(changes(), (std::vector<std::string>{"a=1"}));
  EXPECT_EQ(driver_->store(kStore, PartitionId(0)).entry_count(), 1U);
}

TEST_F(TopologyDriverTest, RefusesATopologyWithoutItsPartitionCounts) {
  topology::TopologyBuilder builder;
  builder.add_source("s", {"in"})
      .add_internal_topic({"out", topology::InternalTopic::Kind::kOutput, "in", std::nullopt})
      .add_sink("out", {.topic = "out"}, {"s"});
  const auto topology = builder.build();
  ASSERT_TRUE(topology.has_value());

  const auto driver = TopologyDriver::open(*topology, {}, clock_);

  ASSERT_FALSE(driver.has_value());
  EXPECT_EQ(driver.error().code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace penstock::engine
