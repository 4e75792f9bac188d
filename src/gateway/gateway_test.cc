#include "gateway/gateway.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/gateway_fixture_test.h"

namespace penstock::gateway {
namespace {

using GatewayTest = GatewayFixture;

constexpr std::string_view kOneAccepted =
    R"({"accepted":1,"duplicates":0,"dead_lettered":0,"errors":[]})";

GatewayOptions plain(std::int32_t partitions = 1) {
  GatewayOptions options;
  TopicOptions web;
  web.log.name = "web";
  web.log.partition_count = partitions;
  options.topics.push_back(web);
  return options;
}

GatewayOptions keyed(std::int32_t partitions = 4) {
  GatewayOptions options = plain(partitions);
  options.topics[0].key = *JsonPointer::parse("/user");
  options.topics[0].timestamp = *JsonPointer::parse("/ts");
  return options;
}

TEST_F(GatewayTest, AnswersOnlyWhenTheEventIsDurable) {
  open(plain());

  const std::size_t request = post("web", R"({"a":1})");
  turn();
  EXPECT_FALSE(answer(request).has_value());
  EXPECT_EQ(log_.waiting_count(), 1U);
  settle();

  ASSERT_TRUE(answer(request).has_value());
  EXPECT_EQ(answer(request)->status, 200);
  EXPECT_EQ(answer(request)->body, kOneAccepted);
  EXPECT_EQ(values("web"), std::vector<std::string>{R"({"a":1})"});
}

TEST_F(GatewayTest, TakesEveryFormOfBody) {
  open(plain());

  EXPECT_EQ(ask("web", R"({"a":1})").body, kOneAccepted);
  for (const std::string_view body :
       {"[{\"a\":1},{\"a\":2}]", "{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}{\"a\":2}"}) {
    EXPECT_EQ(ask("web", body).body,
              R"({"accepted":2,"duplicates":0,"dead_lettered":0,"errors":[]})")
        << body;
  }
  EXPECT_EQ(ask("web", "[]").body,
            R"({"accepted":0,"duplicates":0,"dead_lettered":0,"errors":[]})");

  EXPECT_EQ(values("web").size(), 7U);
}

TEST_F(GatewayTest, CompressedEventsComeBackAsTheyWere) {
  GatewayOptions options = keyed();
  options.compression = Compression::kLz4;
  open(options);
  std::string body;
  std::vector<std::string> sent;
  for (int round = 0; round < 3; ++round) {  // later batches use memory of earlier ones
    body.clear();
    for (int i = 0; i < 400; ++i) {
      sent.push_back(R"({"user":"u\u0031)" + std::to_string(i) + R"(","round":)" +
                     std::to_string(round) + "}");
      body += sent.back() + "\n";
    }
    EXPECT_EQ(ask("web", body).status, 200);
  }
  std::sort(sent.begin(), sent.end());

  EXPECT_EQ(values("web"), sent);
  EXPECT_LT(stored_bytes("web"), 3 * body.size() / 2);
  EXPECT_EQ(records("web").at(0).key->substr(0, 2), "u1");
}

TEST_F(GatewayTest, BadEventsBecomeDeadLettersAndTheRestGoesOn) {
  open(keyed());

  const Answer answer = ask("web", "{\"user\":\"a\"}\n{\"user\":}\n{\"no\":1}\n{\"user\":\"b\"}\n");

  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body.starts_with(
      R"({"accepted":2,"duplicates":0,"dead_lettered":2,"errors":[{"index":1,"code":"invalid_json",)"))
      << answer.body;
  EXPECT_NE(answer.body.find(R"({"index":2,"code":"missing_key",)"), std::string::npos);
  EXPECT_EQ(values("web").size(), 2U);
  EXPECT_EQ(values("web.dlq"), (std::vector<std::string>{R"({"no":1})", R"({"user":})"}));
}

TEST_F(GatewayTest, DeadLettersSayWhatWasWrong) {
  open(keyed());

  ask("web", "{\"user\":\"a\"}\n{\"user\":1,}", {{"Penstock-Dlq-Replay", "3"}});

  const Record letter = records("web.dlq").at(0);
  EXPECT_EQ(letter.value, R"({"user":1,})");
  EXPECT_EQ(letter.key, std::nullopt);
  EXPECT_EQ(letter.headers.at("penstock.dlq.code"), "invalid_json");
  EXPECT_TRUE(letter.headers.at("penstock.dlq.message").ends_with(" (byte 23 of the body)"));
  EXPECT_EQ(letter.headers.at("penstock.dlq.index"), "1");
  EXPECT_EQ(letter.headers.at("penstock.dlq.time"), "2024-01-01T00:00:00.000Z");
  EXPECT_EQ(letter.headers.at("penstock.dlq.source"), "192.0.2.7");
  EXPECT_EQ(letter.headers.at("penstock.dlq.topic"), "web");
  EXPECT_EQ(letter.headers.at("penstock.dlq.replays"), "3");
  EXPECT_EQ(letter.headers.at("__streams.errors.topic"), "web");
}

TEST_F(GatewayTest, AnEventOverTheLimitIsADeadLetterAndKeptWhole) {
  GatewayOptions options = plain();
  options.event_bytes_max = 100;
  open(options);
  const std::string large = R"({"a":")" + std::string(200, 'x') + R"("})";

  const Answer answer = ask("web", large + "\n{\"b\":1}");

  EXPECT_NE(answer.body.find(R"("code":"too_large")"), std::string::npos) << answer.body;
  EXPECT_EQ(values("web"), std::vector<std::string>{R"({"b":1})"});
  EXPECT_EQ(values("web.dlq"), std::vector<std::string>{large});
}

TEST_F(GatewayTest, ListsAtMostAHundredErrorsAndCountsAll) {
  open(keyed());
  std::string body;
  for (int i = 0; i < 150; ++i) {
    body += "{\"x\":1}\n";
  }

  const Answer answer = ask("web", body);

  EXPECT_NE(answer.body.find(R"("dead_lettered":150)"), std::string::npos);
  EXPECT_NE(answer.body.find(R"("errors_omitted":50)"), std::string::npos);
  EXPECT_NE(answer.body.find(R"("index":99,)"), std::string::npos);
  EXPECT_EQ(answer.body.find(R"("index":100,)"), std::string::npos);
  EXPECT_EQ(values("web.dlq").size(), 150U);
}

TEST_F(GatewayTest, KeysAndTimesGoIntoTheRecords) {
  open(keyed());

  ask("web",
      "{\"user\":\"\\u00e9\",\"ts\":\"2015-05-17T10:05:03Z\"}{\"user\":7,\"ts\":1000}"
      "{\"user\":true}{\"user\":\"x\",\"ts\":\"never\"}");

  std::map<std::string, std::int64_t> times;
  for (const Record& record : records("web")) {
    times[record.key.value()] = record.timestamp;
  }
  const std::int64_t now = clock_.wall_now().time_since_epoch().count();
  EXPECT_EQ(times, (std::map<std::string, std::int64_t>{
                       {"\xc3\xa9", 1431857103000}, {"7", 1000}, {"true", now}, {"x", now}}));
  EXPECT_EQ(metrics_.value("penstock_ingest_arrival_timestamps_total",
                           {{"topic", "web"}, {"reason", "missing"}}),
            1.0);
  EXPECT_EQ(metrics_.value("penstock_ingest_arrival_timestamps_total",
                           {{"topic", "web"}, {"reason", "unreadable"}}),
            1.0);
}

TEST_F(GatewayTest, ATimeFarAheadOfTheClockIsNotBelieved) {
  open(keyed());
  const std::int64_t now = clock_.wall_now().time_since_epoch().count();
  constexpr std::int64_t kHour = 3'600'000;

  ask("web", R"({"user":"near","ts":)" + std::to_string(now + kHour) + R"(}{"user":"far","ts":)" +
                 std::to_string(now + kHour + 1) + "}");

  std::map<std::string, std::int64_t> times;
  for (const Record& record : records("web")) {
    times[record.key.value()] = record.timestamp;
  }
  EXPECT_EQ(times, (std::map<std::string, std::int64_t>{{"near", now + kHour}, {"far", now}}));
  EXPECT_EQ(metrics_.value("penstock_ingest_arrival_timestamps_total",
                           {{"topic", "web"}, {"reason", "ahead"}}),
            1.0);
}

TEST_F(GatewayTest, EveryTimeIsBelievedWithoutALimit) {
  GatewayOptions options = keyed();
  options.timestamp_after_max.reset();
  open(std::move(options));

  ask("web", R"({"user":"far","ts":"9999-01-01T00:00:00Z"})");

  EXPECT_EQ(records("web").front().timestamp, 253370764800000);
}

TEST_F(GatewayTest, OneKeyGoesToOnePartitionInOrder) {
  open(keyed());
  for (int i = 0; i < 5; ++i) {
    post("web", "{\"user\":\"ann\",\"n\":" + std::to_string(i) + "}{\"user\":\"bob\"}");
    turn();
  }
  settle();

  std::set<std::int32_t> partitions;
  std::vector<std::string> order;
  for (const Record& record : records("web")) {
    if (record.key == "ann") {
      partitions.insert(record.partition);
      order.push_back(record.value);
    }
  }
  EXPECT_EQ(partitions.size(), 1U);
  ASSERT_EQ(order.size(), 5U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(GatewayTest, EventsWithoutKeyAreSpreadOverThePartitions) {
  open(plain(4));
  for (int i = 0; i < 400; ++i) {
    ask("web", R"({"a":")" + std::string(1000, 'x') + R"("})");
  }

  std::map<std::int32_t, int> counts;
  for (const Record& record : records("web")) {
    ++counts[record.partition];
  }
  ASSERT_EQ(counts.size(), 4U);
  for (const auto& [partition, count] : counts) {
    EXPECT_GE(count, 60) << partition;
  }
}

TEST_F(GatewayTest, AKeyMayBeOptional) {
  GatewayOptions options = keyed();
  options.topics[0].key_required = false;
  open(options);

  EXPECT_EQ(ask("web", R"({"no":1})").body, kOneAccepted);

  EXPECT_EQ(records("web").at(0).key, std::nullopt);
}

TEST_F(GatewayTest, TheFirstRecordOfABatchCarriesTheTimeOfAcceptance) {
  open(plain());

  ask("web", "{\"a\":1}{\"a\":2}");

  const auto all = records("web");
  const auto time =
      decode_ingest_time(as_bytes(all.at(0).headers.at(std::string(kIngestTimeHeader))));
  EXPECT_EQ(time, 1704067200000000);
  EXPECT_TRUE(all.at(1).headers.empty());
}

TEST_F(GatewayTest, OneRequestIsOneAppend) {
  open(keyed(8));
  std::string body;
  for (int i = 0; i < 50; ++i) {
    body += "{\"user\":" + std::to_string(i) + "}{\"bad\"}";
  }

  post("web", body, {{"Idempotency-Key", "k"}});
  turn();

  EXPECT_EQ(log_.waiting_count(), 1U);
}

TEST_F(GatewayTest, WhileOneAppendIsUnderWayRequestsShareTheNext) {
  open(plain());
  post("web", R"({"n":0})");
  turn();
  ASSERT_EQ(log_.waiting_count(), 1U);

  for (int i = 1; i < 10; ++i) {
    post("web", R"({"n":1})");
    turn();
  }
  EXPECT_EQ(log_.waiting_count(), 1U);
  log_.run_once();
  turn();

  EXPECT_EQ(log_.waiting_count(), 1U);
  settle();
  EXPECT_EQ(values("web").size(), 10U);
}

TEST_F(GatewayTest, AnAppendGoesOffAfterTheLingerTimeOrWhenItIsLarge) {
  GatewayOptions options = plain();
  options.append_bytes_max = 10'000;
  open(options);
  post("web", R"({"n":0})");
  turn();

  post("web", R"({"n":1})");
  turn();
  EXPECT_EQ(log_.waiting_count(), 1U);
  clock_.advance(std::chrono::microseconds(1000));
  turn();
  EXPECT_EQ(log_.waiting_count(), 2U);

  post("web", R"({"n":")" + std::string(20'000, 'x') + R"("})");
  EXPECT_EQ(log_.waiting_count(), 3U);
}

TEST_F(GatewayTest, UnknownTopicsAreNotFound) {
  open(plain());

  const Answer answer = ask("nope", "{}");

  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, R"({"code":"unknown_topic","message":"no topic 'nope' takes events"})");
  EXPECT_EQ(ask("web.dlq", "{}").status, 404);
  EXPECT_EQ(ask("__idempotency_keys", "{}").status, 404);
}

TEST_F(GatewayTest, BodiesWithoutAnyEventAreRefused) {
  open(plain());

  EXPECT_EQ(ask("web", "").status, 400);
  EXPECT_EQ(ask("web", "").body, R"({"code":"empty_body","message":"the body has no events"})");
  EXPECT_EQ(ask("web", "hello").status, 400);
  EXPECT_EQ(ask("web", " \n ").status, 400);
  EXPECT_EQ(values("web").size(), 0U);
  EXPECT_EQ(values("web.dlq").size(), 0U);
}

TEST_F(GatewayTest, ABusyLogIsAnswered429AndNothingIsKept) {
  open(plain());
  log_.refuse_appends(1, ErrorCode::kBusy);

  const Answer answer = ask("web", "{}");

  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers, "Retry-After: 1\r\n");
  EXPECT_EQ(ask("web", "{}").status, 200);
  EXPECT_EQ(values("web").size(), 1U);
  EXPECT_EQ(metrics_.value("penstock_ingest_memory_bytes"), 0.0);
}

TEST_F(GatewayTest, AFailedLogIsAnswered503) {
  open(plain());
  log_.fail_appends(1, ErrorCode::kFatal);
  EXPECT_EQ(ask("web", "{}").status, 503);

  log_.refuse_appends(1, ErrorCode::kFatal);
  const Answer answer = ask("web", "{}");

  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers, "Retry-After: 1\r\n");
  EXPECT_EQ(events("web", "accepted"), 0.0);
}

TEST_F(GatewayTest, WaitsForDurabilityWithinItsMemory) {
  GatewayOptions options = plain();
  options.memory_bytes_max = 10'000;
  open(options);
  const std::string body = R"({"a":")" + std::string(3000, 'x') + R"("})";

  std::vector<std::size_t> requests;
  for (int i = 0; i < 5; ++i) {
    requests.push_back(post("web", body));
    turn();
  }
  settle();

  EXPECT_EQ(answer(requests[0])->status, 200);
  EXPECT_EQ(answer(requests[1])->status, 200);
  EXPECT_EQ(answer(requests[2])->status, 429);
  EXPECT_EQ(ask("web", body).status, 200);
  EXPECT_EQ(metrics_.value("penstock_ingest_memory_bytes"), 0.0);
}

TEST_F(GatewayTest, WhatDeadLettersTakeCountsTowardsTheMemory) {
  GatewayOptions options = keyed();
  options.memory_bytes_max = 100'000;
  open(options);
  std::string body;
  for (int i = 0; i < 1000; ++i) {
    body += "{}\n";
  }

  const std::size_t first = post("web", body);
  const std::size_t second = post("web", body);
  settle();

  EXPECT_EQ(answer(first)->status, 200);
  EXPECT_EQ(answer(second)->status, 429);
  EXPECT_EQ(metrics_.value("penstock_ingest_memory_bytes"), 0.0);
}

// Of a body that is shared with others in an append nothing can be taken back, so none may grow to
// more than the log takes; a body of its own may be refused. Pieces of all kinds and the longest
// topic name.
TEST_F(GatewayTest, NoSmallBodyMakesALargeAppend) {
  const std::string name(245, 't');
  GatewayOptions options;
  options.topics.push_back(topic(name));
  options.topics[0].key = pointer("/key");
  options.memory_bytes_max = 1 * kGiB;
  open(options);
  for (const std::string_view piece :
       {"{}", "x\n", "x ",    "}",   "]",      ",",  ":",  "\"",  "{",
        "[",  "{\n", "[\n",   "1\n", "\xff\n", "x",  "[]", "{}x", "\"\n",
        "{]", "\\",  "\n{\n", "}\n", "]{}",    "[,", "1,,"}) {
    for (const std::string_view begin : {"{}", "["}) {
      std::string body(begin);
      while (body.size() + piece.size() <= 66 * kKiB) {
        body += piece;
      }
      const std::size_t before = stored_bytes(name) + stored_bytes(name + ".dlq");
      const std::size_t other = post(name, R"({"key":1})");

      const Answer answer = ask(name, body);

      EXPECT_TRUE(answer.status == 200 || answer.status == 400 || answer.status == 413)
          << answer.body;
      EXPECT_LT(stored_bytes(name) + stored_bytes(name + ".dlq") - before, 30 * kMiB)
          << begin << piece;
      EXPECT_EQ(this->answer(other)->body, kOneAccepted);
    }
  }
}

TEST_F(GatewayTest, ALargeBodyThatWouldMakeATooLargeAppendIsRefused) {
  open(keyed());
  std::string body;
  for (int i = 0; i < 100'000; ++i) {
    body += "{}\n";  // no key: 100,000 dead letters are more than 32 MiB
  }
  const std::size_t first = post("web", R"({"user":1})");

  const Answer answer = ask("web", body, {{"Idempotency-Key", "k"}});

  EXPECT_EQ(answer.status, 413);
  EXPECT_TRUE(answer.body.starts_with(R"({"code":"too_many_events",)")) << answer.body;
  EXPECT_EQ(this->answer(first)->status, 200);
  EXPECT_EQ(values("web").size(), 1U);
  EXPECT_EQ(values("web.dlq").size(), 0U);
  EXPECT_EQ(metrics_.value("penstock_ingest_memory_bytes"), 0.0);
  EXPECT_EQ(ask("web", R"({"user":1})", {{"Idempotency-Key", "k"}}).body, kOneAccepted);
}

TEST_F(GatewayTest, ASmallLogNeverGetsMoreThanItTakesAtOnce) {
  GatewayOptions options = keyed();
  options.log_append_bytes_max = 256 * kKiB;
  options.append_bytes_max = 64 * kKiB;
  options.linger = std::chrono::seconds(1);
  open(options);
  const std::size_t first = post("web", R"({"user":1})");

  for (int count = 1; count <= 4096; count *= 2) {
    std::string body;
    for (int i = 0; i < count; ++i) {
      body += "1\n";
    }
    const std::size_t before = stored_bytes("web.dlq");

    const Answer answer = ask("web", body);

    EXPECT_TRUE(answer.status == 200 || answer.status == 413) << answer.body;
    EXPECT_EQ(answer.status, count <= 256 ? 200 : answer.status) << count;
    EXPECT_LE(stored_bytes("web.dlq") - before, 256 * kKiB) << count;
  }
  EXPECT_EQ(answer(first)->status, 200);
}

TEST_F(GatewayTest, ARequestOfTooManyEventsIsRefused) {
  GatewayOptions options = with_ids();
  options.topics.push_back(topic("plain"));
  open(options);
  std::string body;
  for (int i = 0; i < 250'001; ++i) {
    body += "{}";
  }

  EXPECT_EQ(ask("web", body).status, 413);
  EXPECT_EQ(ask("plain", body).status, 413);
  EXPECT_EQ(ask("plain", std::string_view(body).substr(2)).status, 200);
  EXPECT_EQ(log_.offsets({log_.topic("plain")->id, PartitionId(0)})->end, Offset(250'000));
}

TEST_F(GatewayTest, TopicsComeIntoBeingWhereThatIsAllowed) {
  GatewayOptions options = plain();
  options.auto_create = TopicOptions();
  options.auto_create->log.partition_count = 3;
  options.auto_created_max = 2;
  ASSERT_TRUE(log_.ensure_topic({.name = "output_of_the_engine"}));
  // It has dead letters once a sink's destination has refused something of it.
  options.outputs = {"delivered_output"};
  ASSERT_TRUE(log_.ensure_topic({.name = "delivered_output"}));
  ASSERT_TRUE(log_.ensure_topic({.name = "delivered_output.dlq"}));
  open(options);

  EXPECT_EQ(ask("new", "{}").status, 200);
  EXPECT_EQ(ask("new", "{}").status, 200);
  EXPECT_EQ(log_.topic("new")->config.partition_count, 3);
  EXPECT_TRUE(log_.topic("new.dlq"));
  for (const std::string_view name :
       {"new.dlq", "__internal", "output_of_the_engine", "delivered_output", "a b", "..", "%2F"}) {
    EXPECT_EQ(ask(name, "{}").status, 404) << name;
  }
  EXPECT_EQ(ask("newer", "{}").status, 200);
  EXPECT_EQ(ask("newest", "{}").status, 429);

  crash_and_reopen(options);
  EXPECT_EQ(ask("new", "{}").status, 200);
  EXPECT_EQ(ask("newest", "{}").status, 429);
  EXPECT_EQ(values("new").size(), 3U);
}

TEST_F(GatewayTest, BadHeadersAreRefused) {
  open(plain());

  EXPECT_EQ(ask("web", "{}", {{"Idempotency-Key", ""}}).status, 400);
  EXPECT_EQ(ask("web", "{}", {{"Idempotency-Key", std::string(257, 'k')}}).status, 400);
  EXPECT_EQ(ask("web", "{}", {{"Idempotency-Key", "a"}, {"idempotency-key", "b"}}).status, 400);
  EXPECT_EQ(ask("web", "{}", {{"Penstock-Dlq-Replay", "many"}}).status, 400);
  EXPECT_EQ(ask("web", "{}", {{"Penstock-Dlq-Replay", "1"}, {"Penstock-Dlq-Replay", "0"}}).status,
            400);
}

TEST_F(GatewayTest, CountsWhatTheLogGetsBeforeItAnswersAndWhatItRefuses) {
  const auto records = [this](const char* topic, const char* stage) {
    return metrics_.value("penstock_ingest_log_records_total",
                          {{"topic", topic}, {"stage", stage}});
  };
  open({.topics = {topic("web")}});

  post("web", "{}\n{}\n7");
  turn();
  EXPECT_EQ(records("web", "sent"), 2.0);
  EXPECT_EQ(records("web.dlq", "sent"), 1.0);
  EXPECT_EQ(events("web", "accepted"), 0.0);
  settle();
  EXPECT_EQ(events("web", "accepted"), 2.0);
  EXPECT_EQ(records("web", "refused"), 0.0);

  log_.refuse_appends(1, ErrorCode::kBusy);
  EXPECT_EQ(ask("web", "{}\n7\n8").status, 429);
  EXPECT_EQ(records("web", "sent"), 3.0);
  EXPECT_EQ(records("web", "refused"), 1.0);
  EXPECT_EQ(records("web.dlq", "refused"), 2.0);

  // A failed log may have them all the same.
  log_.fail_appends(1, ErrorCode::kFatal);
  EXPECT_EQ(ask("web", "{}").status, 503);
  EXPECT_EQ(records("web", "sent"), 4.0);
  EXPECT_EQ(records("web", "refused"), 1.0);
}

TEST_F(GatewayTest, CountsEventsByOutcome) {
  open(keyed());

  ask("web", "{\"user\":1}{\"user\":2}{\"x\":1}");

  EXPECT_EQ(events("web", "accepted"), 2.0);
  EXPECT_EQ(events("web", "dead_lettered"), 1.0);
  EXPECT_EQ(
      metrics_.value("penstock_dead_letters_total", {{"topic", "web"}, {"reason", "missing_key"}}),
      1.0);
  EXPECT_EQ(metrics_.value("penstock_ingest_requests_total", {{"outcome", "accepted"}}), 1.0);
}

}  // namespace
}  // namespace penstock::gateway
