#include "console/console_api.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "testing/fake_query_port.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::console {
namespace {

struct Recorded {
  int status = 0;
  std::string content_type;
  std::string body;
  std::string extra_headers;
};

// The answers in order of their requests' numbers; lives on the stack of the test.
class Recorder final : public net::ResponseSink {
 public:
  void answer(std::uint64_t sequence, const net::HttpResponse& response) override {
    answers.at(sequence) =
        Recorded{response.status, std::string(response.content_type), std::string(response.body),
                 std::string(response.extra_headers)};
  }

  void add_ref() override {}

  void drop_ref() override {}

  std::vector<std::optional<Recorded>> answers;
};

class ConsoleApiTest : public ::testing::Test {
 protected:
  ConsoleApiTest() {
    health_.set_phase(Phase::kRunning);
    make_router({.version = "1.2.3", .waiting_max = 4, .events_max = 50});
  }

  void make_router(ConsoleOptions options) {
    router_ = std::make_unique<net::Router>();
    add_routes(*router_, loop_, {log_, *worker_, &queries_, metrics_, health_}, std::move(options));
  }

  // Hands the request to the router; its number among the recorded answers.
  std::size_t ask(std::string target, net::Method method = net::Method::kGet) {
    net::RequestPtr request(new net::HttpRequest);
    request->method = method;
    request->head = std::move(target);
    request->target = request->head;
    const std::size_t mark = std::min(request->target.find('?'), request->target.size());
    request->path = request->target.substr(0, mark);
    request->query = request->target.substr(std::min(mark + 1, request->target.size()));
    const std::size_t number = recorder_.answers.size();
    recorder_.answers.emplace_back();
    router_->handle(std::move(request), net::Responder(recorder_, number));
    return number;
  }

  void run_everything() {
    queries_.answer_all();
    worker_->run_once();
    loop_.run_once(std::chrono::microseconds(0));
  }

  Recorded get(std::string target) {
    const std::size_t number = ask(std::move(target));
    run_everything();
    EXPECT_TRUE(recorder_.answers[number].has_value());
    return recorder_.answers[number].value_or(Recorded{});
  }

  TopicId add_topic(const std::string& name, std::int32_t partitions) {
    return log_.ensure_topic({.name = name, .partition_count = partitions})->id;
  }

  void append(TopicId topic, std::int32_t partition, int count) {
    RecordBatchBuilder builder;
    for (int n = 0; n < count; ++n) {
      builder.append(Timestamp(0), std::nullopt, as_bytes("{}"));
    }
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{topic, PartitionId(partition)}, builder.finish()});
    ASSERT_TRUE(log_.append(std::move(batches), [](const Result<log::AppendResult>&) {}));
    log_.run_once();
  }

  static std::string offsets_in(const Recorded& answer) {
    std::string offsets;
    static const std::string before = "\"offset\":";
    for (std::size_t at = answer.body.find(before); at != std::string::npos;
         at = answer.body.find(before, at + 1)) {
      offsets += std::to_string(std::stoi(answer.body.substr(at + before.size()))) + " ";
    }
    return offsets;
  }

  Recorder recorder_;
  testing::SimClock clock_;
  testing::SimLog log_;
  testing::FakeQueryPort queries_;
  telemetry::Registry metrics_;
  Health health_;
  net::EventLoop loop_{clock_};
  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>(
      log_, clock_, Worker::Options{.queue_max = 3, .reader = {.wait_max = {}}});
  std::unique_ptr<net::Router> router_;
};

TEST_F(ConsoleApiTest, ListsTopicsWithTheirOffsets) {
  append(add_topic("web", 2), 1, 7);
  ASSERT_TRUE(log_.ensure_topic({.name = "state",
                                 .cleanup = log::CleanupPolicy::kCompact,
                                 .retention_time = std::chrono::milliseconds(500),
                                 .retention_bytes = 1000}));

  const Recorded answer = get("/v1/topics");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body,
            R"({"topics":[{"name":"state","partitions":[{"partition":0,"start":0,"end":0}],)"
            R"("config":{"cleanup":"compact","retention_ms":500,"retention_bytes":1000}},)"
            R"({"name":"web","partitions":[{"partition":0,"start":0,"end":0},)"
            R"({"partition":1,"start":0,"end":7}],)"
            R"("config":{"cleanup":"delete","retention_ms":null,"retention_bytes":null}}]})");
}

TEST_F(ConsoleApiTest, ShowsOneTopic) {
  append(add_topic("web", 1), 0, 3);

  EXPECT_EQ(get("/v1/topics/web").body,
            R"({"name":"web","partitions":[{"partition":0,"start":0,"end":3}],)"
            R"("config":{"cleanup":"delete","retention_ms":null,"retention_bytes":null}})");
}

TEST_F(ConsoleApiTest, SaysWhichTopicIsUnknown) {
  for (const char* target : {"/v1/topics/nope", "/v1/topics/nope/events"}) {
    const Recorded answer = get(target);

    EXPECT_EQ(answer.status, 404);
    EXPECT_NE(answer.body.find(R"("code":"unknown_topic")"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("nope"), std::string::npos) << answer.body;
  }
}

TEST_F(ConsoleApiTest, ReadsEventsAsLines) {
  append(add_topic("web", 1), 0, 2);

  const Recorded answer = get("/v1/topics/web/events?partition=0&offset=1&limit=5");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/x-ndjson");
  EXPECT_EQ(answer.body,
            R"({"partition":0,"offset":1,"timestamp":"1970-01-01T00:00:00.000Z","key":null,)"
            R"("headers":{},"value":{}})"
            "\n");
  EXPECT_EQ(answer.extra_headers, "Penstock-Next-Offset: 2\r\n");
}

TEST_F(ConsoleApiTest, ReadsAllPartitionsFromTheStartUnlessToldOtherwise) {
  const TopicId web = add_topic("web", 3);
  append(web, 0, 2);
  append(web, 2, 3);

  const Recorded answer = get("/v1/topics/web/events");

  EXPECT_EQ(offsets_in(answer), "0 1 0 1 2 ");
  EXPECT_EQ(answer.extra_headers, "Penstock-Next-Offset: 0:2,1:0,2:3\r\n");
}

TEST_F(ConsoleApiTest, GoesOnWhereThePageBeforeEnded) {
  const TopicId web = add_topic("web", 2);
  append(web, 0, 4);
  append(web, 1, 4);

  const Recorded first = get("/v1/topics/web/events?limit=5");
  const Recorded second = get("/v1/topics/web/events?limit=5&offset=0:4,1:1");

  EXPECT_EQ(first.extra_headers, "Penstock-Next-Offset: 0:4,1:1\r\n");
  EXPECT_EQ(offsets_in(second), "1 2 3 ");
  EXPECT_EQ(second.extra_headers, "Penstock-Next-Offset: 0:4,1:4\r\n");
}

TEST_F(ConsoleApiTest, CountsNegativeOffsetsFromTheEnd) {
  const TopicId web = add_topic("web", 2);
  append(web, 0, 9);
  append(web, 1, 1);

  EXPECT_EQ(offsets_in(get("/v1/topics/web/events?offset=-2")), "7 8 0 ");
  EXPECT_EQ(offsets_in(get("/v1/topics/web/events?partition=0&offset=-100&limit=2")), "0 1 ");
  EXPECT_EQ(offsets_in(get("/v1/topics/web/events?offset=0:-1,1:5")), "8 ");
}

TEST_F(ConsoleApiTest, ReadsNothingBeyondTheEnd) {
  append(add_topic("web", 1), 0, 2);

  const Recorded answer = get("/v1/topics/web/events?partition=0&offset=99");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.extra_headers, "Penstock-Next-Offset: 2\r\n");
}

TEST_F(ConsoleApiTest, NamesTheParameterThatIsWrong) {
  add_topic("web", 2);
  for (const auto& [query, name] :
       {std::pair("partition=2", "partition"), std::pair("partition=-1", "partition"),
        std::pair("offset=x", "offset"), std::pair("offset=0:1,x", "offset"),
        std::pair("offset=0:", "offset"), std::pair("offset=:", "offset"),
        std::pair("limit=0", "limit"), std::pair("limit=51", "limit"),
        std::pair("ofset=1", "ofset")}) {
    const Recorded answer = get("/v1/topics/web/events?" + std::string(query));

    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_NE(answer.body.find(R"("code":"invalid_parameter")"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find("parameter `" + std::string(name) + "`"), std::string::npos)
        << answer.body;
  }
}

TEST_F(ConsoleApiTest, AsksTheStoreForWhatTheUrlSays) {
  get("/v1/stores/status_by_hour/200/a%2Fb?from=1000&to=1970-01-01T00:00:02Z&limit=7&cursor=abc");

  ASSERT_EQ(queries_.asked.size(), 1U);
  const store::StoreQuery& query = queries_.asked.front();
  EXPECT_EQ(query.store, "status_by_hour");
  EXPECT_EQ(query.key, (std::vector<std::string>{"200", "a/b"}));
  EXPECT_EQ(query.from, Timestamp(1000));
  EXPECT_EQ(query.to, Timestamp(2000));
  EXPECT_EQ(query.limit, 7U);
  EXPECT_EQ(query.cursor, "abc");
}

TEST_F(ConsoleApiTest, AsksForAllKeysWithoutAKey) {
  EXPECT_EQ(get("/v1/stores/s").body, R"({"entries":[],"cursor":null,"complete_to":{}})");
  EXPECT_FALSE(queries_.asked.front().key.has_value());
  EXPECT_EQ(queries_.asked.front().limit, 100U);
}

TEST_F(ConsoleApiTest, PassesOnWhyAStoreGivesNoAnswer) {
  for (const auto& [code, status, name] :
       {std::tuple(ErrorCode::kNotFound, 404, "unknown_store"),
        std::tuple(ErrorCode::kInvalid, 400, "invalid_parameter"),
        std::tuple(ErrorCode::kBusy, 429, "busy"),
        std::tuple(ErrorCode::kFatal, 503, "unavailable")}) {
    queries_.answer = [error = code](const store::StoreQuery&) { return Error(error, "because"); };

    const Recorded answer = get("/v1/stores/s");

    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.body, R"({"code":")" + std::string(name) + R"(","message":"because"})");
    EXPECT_EQ(answer.extra_headers, status == 429 || status == 503 ? "Retry-After: 1\r\n" : "");
  }
}

TEST_F(ConsoleApiTest, AnswersAQueryThatTakesTooLong) {
  const std::size_t number = ask("/v1/stores/s");
  clock_.advance(std::chrono::milliseconds(4'999));
  loop_.run_once(std::chrono::microseconds(0));
  ASSERT_FALSE(recorder_.answers[number].has_value());

  clock_.advance(std::chrono::milliseconds(1));
  loop_.run_once(std::chrono::microseconds(0));

  ASSERT_TRUE(recorder_.answers[number].has_value());
  EXPECT_EQ(recorder_.answers[number]->status, 503);
  EXPECT_NE(recorder_.answers[number]->body.find(R"("code":"unavailable")"), std::string::npos);
  EXPECT_EQ(recorder_.answers[number]->extra_headers, "Retry-After: 1\r\n");
  run_everything();  // what comes later is nobody's any more
  EXPECT_EQ(recorder_.answers[number]->status, 503);
}

TEST_F(ConsoleApiTest, ForgetsTheTimeOfAQueryThatWasAnswered) {
  const Recorded answer = get("/v1/stores/s");
  clock_.advance(std::chrono::seconds(10));
  loop_.run_once(std::chrono::microseconds(0));

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(recorder_.answers[0]->status, 200);
}

TEST_F(ConsoleApiTest, ListsStores) {
  queries_.descriptions.push_back({.name = "sensors", .kind = store::StoreKind::kTable});

  EXPECT_NE(get("/v1/stores").body.find(R"({"stores":[{"name":"sensors","kind":"table",)"),
            std::string::npos);
}

TEST_F(ConsoleApiTest, IsLiveWhateverHappens) {
  health_.set_phase(Phase::kStarting);
  log_.set_status({.writable = false, .reason = "disk full"});

  EXPECT_EQ(get("/health/live").status, 200);
}

TEST_F(ConsoleApiTest, IsReadyWhenNothingIsMissing) {
  queries_.descriptions.push_back({.name = "s", .partition_count = 2, .partitions_ready = 2});

  EXPECT_EQ(get("/health/ready").status, 200);
}

TEST_F(ConsoleApiTest, SaysAllReasonsWhyItIsNotReady) {
  health_.set_phase(Phase::kStopping);
  log_.set_status({.writable = false, .reason = "disk full"});
  queries_.descriptions.push_back({.name = "s", .partition_count = 2, .partitions_ready = 1});

  const Recorded answer = get("/health/ready");

  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find(R"("reasons":["stopping","the log takes no events: disk full",)"
                             R"("store s is being restored: 1 of 2 partitions are ready"])"),
            std::string::npos)
      << answer.body;
}

TEST_F(ConsoleApiTest, ShowsMetrics) {
  metrics_.counter("penstock_things_total", "Things.").add(3);

  const Recorded answer = get("/metrics");

  EXPECT_EQ(answer.content_type, telemetry::exposition_content_type());
  EXPECT_NE(answer.body.find("penstock_things_total 3\n"), std::string::npos);
}

TEST_F(ConsoleApiTest, ShowsWhatThereIsToAsk) {
  const Recorded answer = get("/");

  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.body.find(R"("version":"1.2.3")"), std::string::npos);
  EXPECT_NE(answer.body.find("GET /v1/stores"), std::string::npos);
}

TEST_F(ConsoleApiTest, RefusesOtherMethodsAndUnknownPaths) {
  const std::size_t wrong_method = ask("/v1/topics", net::Method::kDelete);
  const std::size_t unknown_path = ask("/v1/nothing");

  EXPECT_EQ(recorder_.answers[wrong_method]->status, 405);
  EXPECT_NE(recorder_.answers[wrong_method]->extra_headers.find("Allow: GET"), std::string::npos);
  EXPECT_EQ(recorder_.answers[unknown_path]->status, 404);
}

TEST_F(ConsoleApiTest, RefusesReadersWhenTheWorkerHasEnoughToDo) {
  add_topic("web", 1);
  for (int i = 0; i < 4; ++i) {
    ask("/v1/topics/web/events");  // three fit into the worker's queue
  }
  run_everything();

  EXPECT_EQ(recorder_.answers[2]->status, 200);
  EXPECT_EQ(recorder_.answers[3]->status, 503);
  EXPECT_EQ(recorder_.answers[3]->extra_headers, "Retry-After: 1\r\n");
}

TEST_F(ConsoleApiTest, RefusesReadersWhenTooManyWait) {
  for (int i = 0; i < 5; ++i) {
    ask("/v1/stores/s");  // four may wait for an answer
  }

  EXPECT_FALSE(recorder_.answers[3].has_value());
  EXPECT_EQ(recorder_.answers[4]->status, 429);
  run_everything();
  EXPECT_EQ(get("/v1/stores/s").status, 200);
}

TEST_F(ConsoleApiTest, AnswersNobodyOnceTheRouterIsGone) {
  const std::size_t number = ask("/v1/stores/s");

  router_.reset();
  const Recorded last = *recorder_.answers[number];
  run_everything();

  EXPECT_EQ(last.status, 500);  // from the Responder that was dropped with the router
  EXPECT_EQ(recorder_.answers[number]->status, 500);
}

}  // namespace
}  // namespace penstock::console
