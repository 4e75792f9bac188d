// The gateway as it runs: two event loops and the log, each on a thread of its own.
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/counter.h"
#include "core/guarded.h"
#include "gateway/gateway.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "os/clock.h"
#include "os/pause.h"
#include "os/thread.h"
#include "record/record_batch.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/sim_log.h"

namespace penstock::gateway {
namespace {

// SimLog for many threads; what one of them calls run_once() on is durable after it.
class SharedLog final : public log::Log {
 public:
  Result<log::TopicInfo> ensure_topic(const log::TopicConfig& config) override {
    return log_.with([&](auto& log) { return log.ensure_topic(config); });
  }

  Result<log::TopicInfo> topic(std::string_view name) const override {
    return log_.with([&](auto& log) { return log.topic(name); });
  }

  std::vector<log::TopicInfo> topics() const override {
    return log_.with([](auto& log) { return log.topics(); });
  }

  Status delete_topic(std::string_view name) override {
    return log_.with([&](auto& log) { return log.delete_topic(name); });
  }

  Status delete_records(const std::vector<log::Consumer::Position>& before) override {
    return log_.with([&](auto& log) { return log.delete_records(before); });
  }

  Result<log::PartitionOffsets> offsets(TopicPartition partition) const override {
    return log_.with([&](auto& log) { return log.offsets(partition); });
  }

  Result<Offset> offset_for_time(TopicPartition partition, Timestamp timestamp) const override {
    return log_.with([&](auto& log) { return log.offset_for_time(partition, timestamp); });
  }

  Status append(std::vector<log::PartitionBatch> batches, log::AppendDone done) override {
    return log_.with([&](auto& log) { return log.append(std::move(batches), std::move(done)); });
  }

  Result<std::unique_ptr<log::TransactionalProducer>> open_transactional_producer(
      std::string_view id) override {
    return log_.with([&](auto& log) { return log.open_transactional_producer(id); });
  }

  Result<std::unique_ptr<log::Consumer>> open_consumer(log::ConsumerOptions options) override {
    return log_.with([&](auto& log) { return log.open_consumer(std::move(options)); });
  }

  Result<std::vector<log::OffsetCommit>> committed(std::string_view group) const override {
    return log_.with([&](auto& log) { return log.committed(group); });
  }

  log::LogStatus status() const override {
    return log_.with([](auto& log) { return log.status(); });
  }

  std::size_t run_once() {
    return log_.with([](auto& log) { return log.run_once(); });
  }

 private:
  mutable Guarded<penstock::testing::SimLog> log_;
};

// The number behind `name` in an answer.
std::uint64_t number_behind(std::string_view name, const std::string& answer) {
  const std::size_t at = answer.find(name);
  if (at == std::string::npos) {
    ADD_FAILURE() << "no " << name << " in " << answer;
    return 0;
  }
  return std::strtoull(answer.c_str() + at + name.size(), nullptr, 10);
}

class GatewayThreadsTest : public ::testing::Test {
 protected:
  GatewayThreadsTest() {
    GatewayOptions options;
    TopicOptions topic;
    topic.log.name = "web";
    topic.log.partition_count = 3;
    topic.id = *JsonPointer::parse("/id");
    options.topics.push_back(topic);
    gateway_ = *Gateway::open(log_, clock_, metrics_, logger_, options);
    server_ =
        *net::HttpServer::open({.loop_count = 2}, clock_, metrics_, [this](net::EventLoop& loop) {
          auto router = std::make_unique<net::Router>();
          gateway_->add_routes(*router, loop);
          return router;
        });
    for (std::size_t i = 0; i < 2; ++i) {
      threads_.push_back(std::make_unique<os::Thread>("io", [this, i](const os::StopToken& stop) {
        while (!stop.requested()) {
          server_->run_once(i, std::chrono::milliseconds(2));
        }
      }));
    }
    threads_.push_back(std::make_unique<os::Thread>("log", [this](const os::StopToken& stop) {
      while (!stop.requested()) {
        if (log_.run_once() == 0) {
          os::pause(std::chrono::microseconds(50));
        }
      }
    }));
  }

  void stop_threads() {
    for (const auto& thread : threads_) {
      thread->request_stop();
    }
    threads_.clear();
  }

  ~GatewayThreadsTest() override { stop_threads(); }

  os::RealClock clock_;
  telemetry::Registry metrics_;
  telemetry::Logger logger_{clock_, {.write = [](std::string_view) {}}};
  SharedLog log_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<net::HttpServer> server_;
  std::vector<std::unique_ptr<os::Thread>> threads_;
};

TEST_F(GatewayThreadsTest, EveryIdIsTakenOnceHoweverManySendIt) {
  constexpr std::uint64_t kClients = 4;
  constexpr std::uint64_t kRequests = 60;
  constexpr std::uint64_t kEvents = 10;
  Counter accepted;
  Counter duplicates;
  {
    std::vector<std::unique_ptr<os::Thread>> clients;
    for (std::uint64_t c = 0; c < kClients; ++c) {
      clients.push_back(std::make_unique<os::Thread>("client", [&](const os::StopToken&) {
        net::HttpClient client({.port = server_->port()});
        for (std::uint64_t r = 0; r < kRequests; ++r) {  // all clients send the same
          std::string body;
          for (std::uint64_t e = 0; e < kEvents; ++e) {
            body += "{\"id\":" + std::to_string(r * kEvents + e) + "}\n";
          }
          const auto response = client.post("/v1/topics/web/events", body);
          ASSERT_TRUE(response) << response.error().message();
          ASSERT_EQ(response->status, 200) << response->body;
          const std::uint64_t a = number_behind("\"accepted\":", response->body);
          const std::uint64_t d = number_behind("\"duplicates\":", response->body);
          ASSERT_EQ(a + d, kEvents);
          accepted.add(a);
          duplicates.add(d);
        }
      }));
    }
    for (const auto& client : clients) {
      client->join();
    }
  }
  stop_threads();

  EXPECT_EQ(accepted.get(), kRequests * kEvents);
  EXPECT_EQ(duplicates.get(), (kClients - 1) * kRequests * kEvents);
  std::int64_t records = 0;
  const TopicId topic = log_.topic("web")->id;
  for (std::int32_t i = 0; i < 3; ++i) {
    records += log_.offsets({topic, PartitionId(i)})->end - Offset(0);
  }
  EXPECT_EQ(records, static_cast<std::int64_t>(kRequests * kEvents));
}

TEST_F(GatewayThreadsTest, MayBeDestroyedWhileTheLogOwesAnswers) {
  threads_.back()->request_stop();
  threads_.back()->join();  // the log stands still
  net::HttpClient client(
      {.port = server_->port(), .request_timeout = std::chrono::milliseconds(100)});
  ASSERT_FALSE(client.post("/v1/topics/web/events", "{\"id\":1}"));

  stop_threads();
  server_.reset();
  gateway_.reset();

  EXPECT_EQ(log_.run_once(), 1U);
}

}  // namespace
}  // namespace penstock::gateway
