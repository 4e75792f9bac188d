// What an event costs the gateway between the received body and the log, on one thread.
//
// The log takes every append at once and gives it back, so its own cost is not in here.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "gateway/gateway.h"
#include "log/forwarding_log.h"
#include "net/event_loop.h"
#include "net/request_pool.h"
#include "os/clock.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/sim_log.h"

namespace penstock::gateway {
namespace {

// Durable at once.
class InstantLog final : public log::ForwardingLog {
 public:
  explicit InstantLog(log::Log& topics) : ForwardingLog(topics) {}

  Status append(std::vector<log::PartitionBatch> batches, log::AppendDone done) override {
    for (const log::PartitionBatch& batch : batches) {
      bytes_ += batch.batch.bytes.size();
    }
    done(log::AppendResult{std::move(batches)});
    return {};
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

class Answers final : public net::ResponseSink {
 public:
  void answer(std::uint64_t, const net::HttpResponse& response) override {
    ok_ += response.status == 200 ? 1 : 0;
  }

  void add_ref() override {}

  void drop_ref() override {}

  [[nodiscard]] std::size_t ok() const { return ok_; }

 private:
  std::size_t ok_ = 0;
};

// Events of about 100 bytes; every id is different.
std::string make_body(std::size_t event_count, std::size_t& number) {
  std::string body;
  for (std::size_t i = 0; i < event_count; ++i, ++number) {
    std::string id = std::to_string(number);
    id.insert(0, 12 - id.size(), '0');
    body += R"({"id":")" + id + R"(","user":"user-)" + std::to_string(100'000 + number % 900'000) +
            R"(","ts":"2024-05-17T10:05:03.000Z","amount":12.5,"type":"view"})" + "\n";
  }
  return body;
}

enum class Ids { kNone, kDeduplicated };

void ingest(benchmark::State& state, Ids ids) {
  const auto event_count = static_cast<std::size_t>(state.range(0));
  os::RealClock clock;
  telemetry::Registry metrics;
  telemetry::Logger logger(clock, {.level = telemetry::LogLevel::kError});
  penstock::testing::SimLog topics;
  InstantLog log(topics);
  GatewayOptions options;
  TopicOptions topic;
  topic.log.name = "web";
  topic.log.partition_count = 4;
  topic.key = *JsonPointer::parse("/user");
  topic.timestamp = *JsonPointer::parse("/ts");
  if (ids == Ids::kDeduplicated) {
    topic.id = *JsonPointer::parse("/id");
  }
  options.topics.push_back(topic);
  net::EventLoop loop(clock);
  net::RequestPool pool;
  Answers answers;
  auto gateway = *Gateway::open(log, clock, metrics, logger, std::move(options));
  net::Router router;
  gateway->add_routes(router, loop);

  std::size_t number = 0;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < std::max<std::size_t>(4, 400'000 / event_count); ++i) {
    bodies.push_back(make_body(event_count, number));
  }
  std::size_t requests = 0;
  for (auto _ : state) {
    net::RequestPtr request = pool.take();
    request->method = net::Method::kPost;
    request->head = "/v1/topics/web/events";
    request->path = request->head;
    request->remote_address = "192.0.2.1";
    request->body.append(as_bytes(bodies[requests % bodies.size()]));
    router.handle(std::move(request), net::Responder(answers, requests++));
    loop.run_once(std::chrono::microseconds(0));
  }
  loop.run_once(std::chrono::microseconds(0));
  loop.run_once(std::chrono::microseconds(0));
  if (answers.ok() != requests) {
    state.SkipWithError("not all requests were accepted");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(requests * event_count));
  state.SetBytesProcessed(static_cast<std::int64_t>(requests * bodies[0].size()));
}

BENCHMARK_CAPTURE(ingest, plain, Ids::kNone)->ArgName("events")->Arg(1)->Arg(655)->Arg(10'000);
BENCHMARK_CAPTURE(ingest, with_ids, Ids::kDeduplicated)->ArgName("events")->Arg(1)->Arg(655);

}  // namespace
}  // namespace penstock::gateway
