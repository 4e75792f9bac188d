// What declared jobs put out and keep, record by record, without a log: the JSON of updates, which
// events are late or dropped, and which event of a key is the latest.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"
#include "engine/topology_driver.h"
#include "jobs/aggregate_job.h"
#include "jobs/table_job.h"
#include "testing/sim_clock.h"

namespace penstock::testing {
namespace {

using engine::DrivenRecord;
using engine::TopologyDriver;
using std::chrono::milliseconds;
using Kind = store::AggregateColumn::Kind;

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kTen = 10 * kHour;  // 1970-01-01T10:00:00.000Z

class JobsTest : public ::testing::Test {
 protected:
  void open(Result<topology::Topology> topology, std::int32_t partition_count = 1) {
    ASSERT_TRUE(topology.has_value()) << topology.error().message();
    topology_.emplace(*std::move(topology));
    auto driver = TopologyDriver::open(*topology_, {{"in", partition_count}}, clock_);
    ASSERT_TRUE(driver.has_value()) << driver.error().message();
    driver_ = *std::move(driver);
  }

  void send(std::int64_t time, std::optional<std::string> key, std::optional<std::string> value,
            std::int32_t partition = 0) {
    driver_->send("in", {PartitionId(partition), Timestamp(time), std::move(key), std::move(value),
                         Offset(0)});
  }

  // Processes and commits, twice with the emit interval between, so that every update is out.
  void settle() {
    for (int turn = 0; turn < 2; ++turn) {
      ASSERT_TRUE(driver_->run().has_value());
      ASSERT_TRUE(driver_->commit().has_value());
      clock_.advance(std::chrono::seconds(2));
    }
    ASSERT_TRUE(driver_->run().has_value());
    ASSERT_TRUE(driver_->commit().has_value());
  }

  std::vector<std::string> updates(const std::string& topic) {
    std::vector<std::string> texts;
    for (const DrivenRecord& record : driver_->output(topic)) {
      texts.push_back(*record.key + " " + *record.value);
    }
    std::ranges::sort(texts);
    return texts;
  }

  std::uint64_t entry_count(const std::string& store, std::int32_t partition_count) {
    std::uint64_t count = 0;
    for (std::int32_t at = 0; at < partition_count; ++at) {
      count += driver_->store(store, PartitionId(at)).entry_count();
    }
    return count;
  }

  SimClock clock_;
  std::optional<topology::Topology> topology_;
  std::unique_ptr<TopologyDriver> driver_;
};

jobs::AggregateOptions counting(std::vector<std::string> group_by) {
  jobs::AggregateOptions options;
  options.name = "totals";
  options.topic = {"in", "/k", 1};
  options.group_by = std::move(group_by);
  options.window = milliseconds(kHour);
  options.grace = milliseconds(kHour);
  options.columns = {{Kind::kCount, ""}};
  return options;
}

TEST_F(JobsTest, AnUpdateIsJsonWithTheKeysOwnTypes) {
  open(jobs::make_aggregate_topology(counting({"/status", "/path"})));
  send(kTen, "u", R"({"status":200,"path":"/a \"b\"\n"})");
  send(kTen + 1, "u", R"({"status":"200","path":true})");
  send(kTen + 2, "u", R"({"status":1.50})");

  settle();

  const std::string window =
      R"("window_start":"1970-01-01T10:00:00.000Z","window_end":"1970-01-01T11:00:00.000Z")";
  const std::string start = R"("1970-01-01T10:00:00.000Z"])";
  EXPECT_EQ(updates("totals"),
            (std::vector<std::string>{
                R"(["200",true,)" + start + R"( {"key":["200",true],)" + window + R"(,"count":1})",
                R"([1.50,null,)" + start + R"( {"key":[1.50,null],)" + window + R"(,"count":1})",
                R"([200,"/a \"b\"\n",)" + start + R"( {"key":[200,"/a \"b\"\n"],)" + window +
                    R"(,"count":1})",
            }));
}

TEST_F(JobsTest, AnUpdateHasAllAggregatesInAFixedOrder) {
  jobs::AggregateOptions options = counting({"/k"});
  options.columns = {{Kind::kAvg, "/n"}, {Kind::kMax, "/n"}, {Kind::kSum, "/a/b"},
                     {Kind::kCount, ""}, {Kind::kSum, "/n"}, {Kind::kMin, "/none"}};
  open(jobs::make_aggregate_topology(options));
  send(kTen, "x", R"({"k":"x","n":1,"a":{"b":0.5}})");
  send(kTen, "x", R"({"k":"x","n":2,"a":{"b":0.25}})");

  settle();

  EXPECT_EQ(
      updates("totals"),
      (std::vector<std::string>{R"(["x","1970-01-01T10:00:00.000Z"] {"key":["x"],)"
                                R"("window_start":"1970-01-01T10:00:00.000Z",)"
                                R"("window_end":"1970-01-01T11:00:00.000Z","count":2,)"
                                R"("sum":{"/a/b":0.75,"/n":3},"min":{"/none":null},"max":{"/n":2},)"
                                R"("avg":{"/n":1.5}})"}));
}

TEST_F(JobsTest, OneGroupOfAllHasAnEmptyKey) {
  open(jobs::make_aggregate_topology(counting({})));
  send(kTen, "x", R"({"k":"x"})");
  send(kTen, "y", R"({"k":"y"})");

  settle();

  EXPECT_EQ(updates("totals"),
            (std::vector<std::string>{R"(["1970-01-01T10:00:00.000Z"] {"key":[],)"
                                      R"("window_start":"1970-01-01T10:00:00.000Z",)"
                                      R"("window_end":"1970-01-01T11:00:00.000Z","count":2})"}));
}

TEST_F(JobsTest, ALaterUpdateOfAKeyHasTheWholeTruth) {
  open(jobs::make_aggregate_topology(counting({"/k"})));
  send(kTen, "x", R"({"k":"x"})");
  settle();
  send(kTen + 1, "x", R"({"k":"x"})");

  settle();

  const auto& records = driver_->output("totals");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].key, records[1].key);
  EXPECT_NE(records[1].value->find(R"("count":2)"), std::string::npos);
}

TEST_F(JobsTest, ChangesWithinAnIntervalAreOneUpdate) {
  jobs::AggregateOptions options = counting({"/k"});
  options.emit_interval = milliseconds(1000);
  open(jobs::make_aggregate_topology(options));
  for (int turn = 0; turn < 5; ++turn) {
    send(kTen + turn, "x", R"({"k":"x"})");
    ASSERT_TRUE(driver_->run().has_value());
    ASSERT_TRUE(driver_->commit().has_value());
    clock_.advance(milliseconds(100));
  }
  EXPECT_TRUE(driver_->output("totals").empty());

  settle();

  ASSERT_EQ(driver_->output("totals").size(), 1U);
  EXPECT_NE(driver_->output("totals")[0].value->find(R"("count":5)"), std::string::npos);
}

TEST_F(JobsTest, WhatComesAfterTheGraceIsLateAndCounted) {
  open(jobs::make_aggregate_topology(counting({"/k"})));
  send(kTen, "x", R"({"k":"x"})");
  send(kTen + 2 * kHour - 1, "x", R"({"k":"x"})");  // the last moment of the first window's grace
  send(kTen, "x", R"({"k":"x"})");
  send(kTen + 2 * kHour, "x", R"({"k":"x"})");
  send(kTen, "x", R"({"k":"x"})");  // late
  settle();

  EXPECT_EQ(driver_->counts().late, 1U);
  EXPECT_EQ(entry_count("totals", 1), 3U);
}

TEST_F(JobsTest, WhatHasNoGroupIsDroppedAndWhatIsNoNumberIgnoredBothCounted) {
  jobs::AggregateOptions options = counting({"/g"});
  options.columns.push_back({Kind::kSum, "/n"});
  open(jobs::make_aggregate_topology(options));
  send(kTen, "x", R"({"g":{"a":1}})");
  send(kTen, "x", R"({"g":[1]})");
  send(kTen, "x", "no json");
  send(kTen, "x", R"({"g":"y","n":"12"})");
  send(kTen, "x", R"({"g":"y","n":null})");  // null is no value, and no mistake

  settle();

  EXPECT_EQ(driver_->counts().dropped, 3U);
  EXPECT_EQ(driver_->counts().ignored_values, 1U);
  EXPECT_EQ(entry_count("totals", 1), 1U);
}

TEST_F(JobsTest, GroupsThatSpanPartitionsAreMerged) {
  jobs::AggregateOptions options = counting({"/g"});
  options.topic.partition_count = 3;
  open(jobs::make_aggregate_topology(options), 3);
  for (std::int32_t partition = 0; partition < 3; ++partition) {
    send(kTen + partition, "k", R"({"g":"all"})", partition);
  }

  settle();

  ASSERT_EQ(entry_count("totals", 3), 1U);
  const auto& records = driver_->output("totals");
  ASSERT_FALSE(records.empty());
  EXPECT_NE(records.back().value->find(R"("count":3)"), std::string::npos);
}

class TablesTest : public JobsTest {
 protected:
  void open_table(std::int32_t partition_count, const std::string& topic_key) {
    open(jobs::make_table_topology({"latest", {"in", topic_key, partition_count}, {"/k"}}),
         partition_count);
  }

  // Key and value of each entry of a partition's table.
  std::string table(std::int32_t partition = 0) {
    const auto scan = driver_->store("latest", PartitionId(partition)).scan({.limit = 100});
    while (!scan->advance(10)) {
    }
    std::string text;
    for (const store::ScanEntry& found : scan->take()) {
      text += found.entry.key[0].text + "=";
      text += as_text(found.entry.value->json);
      text += ";";
    }
    return text;
  }
};

TEST_F(TablesTest, KeepsTheLatestByTimeNotByArrival) {
  open_table(1, "/k");
  send(kTen + 5, "a", R"({"k":"a","n":2})");
  send(kTen, "a", R"({"k":"a","n":1})");
  send(kTen, "b", R"({"k":"b","n":3})");
  send(kTen, "b", R"({"k":"b","n":4})");  // as old: the one that came later

  settle();

  EXPECT_EQ(table(), R"(a={"k":"a","n":2};b={"k":"b","n":4};)");
}

TEST_F(TablesTest, AnAbortTakesBackReplacedValuesToo) {
  open_table(1, "/k");
  send(kTen, "a", R"({"k":"a","n":1})");
  settle();
  send(kTen + 1, "a", R"({"k":"a","n":"a longer one"})");
  send(kTen + 1, "b", R"({"k":"b"})");
  ASSERT_TRUE(driver_->run().has_value());

  driver_->abort();

  EXPECT_EQ(table(), R"(a={"k":"a","n":1};)");
}

TEST_F(TablesTest, KeysThatSpanPartitionsComeTogether) {
  open_table(3, "/other");
  send(kTen + 2, "x", R"({"k":"a","n":2})", 2);
  send(kTen + 1, "y", R"({"k":"a","n":1})", 0);

  settle();

  EXPECT_EQ(table(0) + table(1) + table(2), R"(a={"k":"a","n":2};)");
}

}  // namespace
}  // namespace penstock::testing
