#include "console/store_json.h"

#include <string>

#include <gtest/gtest.h>

namespace penstock::console {
namespace {

using store::AggregateColumn;
using store::KeyPart;
using store::StoreAnswer;

std::string entries_of(const StoreAnswer& answer) {
  const std::string text = to_json(answer);
  const std::size_t begin = text.find('[');
  return text.substr(begin, text.rfind("],\"cursor\":") + 1 - begin);
}

TEST(StoreJson, WritesTheAnswerOfTheManual) {
  const StoreAnswer answer{
      .columns = {{AggregateColumn::Kind::kCount, ""}, {AggregateColumn::Kind::kSum, "/bytes"}},
      .entries = {{.key = {{KeyPart::Kind::kNumber, "200"}},
                   .window = store::Window{Timestamp(0), Timestamp(3'600'000)},
                   .aggregates = {std::int64_t{12}, std::int64_t{3456}},
                   .value = std::nullopt}},
      .next_cursor = "abc",
      .complete_to = {{"web", PartitionId(0), Offset(17)},
                      {"web", PartitionId(1), Offset(5)},
                      {"app", PartitionId(0), Offset(1)}}};

  EXPECT_EQ(to_json(answer),
            R"({"entries":[{"key":[200],"window_start":"1970-01-01T00:00:00.000Z",)"
            R"("window_end":"1970-01-01T01:00:00.000Z","count":12,"sum":{"/bytes":3456}}],)"
            R"("cursor":"abc","complete_to":{"web":{"0":17,"1":5},"app":{"0":1}}})");
}

TEST(StoreJson, SaysThatThereIsNoMore) {
  EXPECT_EQ(to_json({}), R"({"entries":[],"cursor":null,"complete_to":{}})");
}

TEST(StoreJson, SaysOfWhichPartOfTheStoreTheAnswerIs) {
  EXPECT_EQ(to_json({.part = StoreAnswer::Part{1, 4}}),
            R"({"entries":[],"cursor":null,"complete_to":{},"part":{"partitions":1,"of":4}})");
}

TEST(StoreJson, KeepsTheTypeOfKeyParts) {
  const StoreAnswer answer{.entries = {{.key = {{KeyPart::Kind::kString, "200"},
                                                {KeyPart::Kind::kNumber, "2.0e2"},
                                                {KeyPart::Kind::kTrue, ""},
                                                {KeyPart::Kind::kFalse, ""},
                                                {KeyPart::Kind::kNull, ""},
                                                {KeyPart::Kind::kString, "a\"\n"}},
                                        .window = std::nullopt,
                                        .aggregates = {},
                                        .value = std::nullopt}}};

  EXPECT_EQ(entries_of(answer), R"([{"key":["200",2.0e2,true,false,null,"a\"\n"]}])");
}

TEST(StoreJson, GroupsColumnsByKindAndWritesNumbersExactly) {
  const StoreAnswer answer{
      .columns = {{AggregateColumn::Kind::kAvg, "/b"},
                  {AggregateColumn::Kind::kSum, "/a"},
                  {AggregateColumn::Kind::kSum, "/b"},
                  {AggregateColumn::Kind::kMin, "/a"},
                  {AggregateColumn::Kind::kMax, "/a"},
                  {AggregateColumn::Kind::kCount, ""}},
      .entries = {{.key = {},
                   .window = std::nullopt,
                   .aggregates = {0.1, std::int64_t{9'007'199'254'740'993}, 1e300, store::Number(),
                                  std::int64_t{-5}, std::int64_t{3}},
                   .value = std::nullopt}}};

  EXPECT_EQ(entries_of(answer), R"([{"key":[],"count":3,"sum":{"/a":9007199254740993,"/b":1e+300},)"
                                R"("min":{"/a":null},"max":{"/a":-5},"avg":{"/b":0.1}}])");
}

TEST(StoreJson, WritesATablesValueAndWhereItCameFrom) {
  const StoreAnswer answer{
      .kind = store::StoreKind::kTable,
      .entries = {{.key = {{KeyPart::Kind::kString, "seattle"}},
                   .window = std::nullopt,
                   .aggregates = {},
                   .value = store::TableValue{to_bytes(R"({"t": 4.0})"), Timestamp(1000),
                                              PartitionId(2), Offset(40)}}}};

  EXPECT_EQ(entries_of(answer),
            R"([{"key":["seattle"],"value":{"t": 4.0},"timestamp":"1970-01-01T00:00:01.000Z",)"
            R"("partition":2,"offset":40}])");
}

TEST(StoreJson, DescribesStores) {
  std::string text;
  JsonWriter json(text);
  json.begin_array();

  write_json(json, {.name = "status_by_hour",
                    .topic = "web",
                    .group_by = {"/status"},
                    .window = std::chrono::hours(1),
                    .grace = std::chrono::hours(24),
                    .columns = {{AggregateColumn::Kind::kCount, ""},
                                {AggregateColumn::Kind::kSum, "/bytes"}},
                    .entry_count = 12,
                    .size_bytes = 3400,
                    .partition_count = 4,
                    .partitions_ready = 3});
  write_json(json, {.name = "sensors",
                    .kind = store::StoreKind::kTable,
                    .topic = "devices",
                    .group_by = {"/sensor"}});
  json.end_array();

  EXPECT_EQ(text, R"([{"name":"status_by_hour","kind":"window","topic":"web",)"
                  R"("group_by":["/status"],"window_ms":3600000,"grace_ms":86400000,)"
                  R"("retention_ms":null,"count":true,"sum":["/bytes"],"min":[],"max":[],)"
                  R"("avg":[],"entries":12,"bytes":3400,"partitions":4,"partitions_ready":3},)"
                  R"({"name":"sensors","kind":"table","topic":"devices","group_by":["/sensor"],)"
                  R"("entries":0,"bytes":0,"partitions":0,"partitions_ready":0}])");
}

}  // namespace
}  // namespace penstock::console
