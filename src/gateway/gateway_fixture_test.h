// GatewayFixture runs the gateway on SimLog and SimClock, without sockets. For tests of gateway/.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "gateway/gateway.h"
#include "net/event_loop.h"
#include "net/http_server.h"
#include "net/router.h"
#include "record/internal_headers.h"
#include "record/record_batch.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::gateway {

class GatewayFixture : public ::testing::Test {
 protected:
  struct Answer {
    int status = 0;
    std::string body;
    std::string headers;
  };

  struct Record {
    std::int32_t partition = 0;
    std::int64_t timestamp = 0;
    std::optional<std::string> key;
    std::string value;
    std::map<std::string, std::string> headers;
  };

  // One event loop of the gateway.
  struct Loop {
    explicit Loop(const os::Clock& clock) : events(clock) {}

    net::EventLoop events;
    net::Router router;
  };

  using Headers = std::vector<net::HeaderField>;

  static TopicOptions topic(std::string name, std::int32_t partitions = 1) {
    TopicOptions options;
    options.log.name = std::move(name);
    options.log.partition_count = partitions;
    return options;
  }

  static JsonPointer pointer(std::string_view text) { return *JsonPointer::parse(text); }

  // A topic "web" with ids.
  static GatewayOptions with_ids(WindowOptions window = {}) {
    GatewayOptions options;
    options.topics.push_back(topic("web", 2));
    options.topics[0].id = pointer("/id");
    options.topics[0].dedup = window;
    return options;
  }

  void open(GatewayOptions options, std::size_t loop_count = 1) {
    loops_.clear();
    gateway_.reset();
    auto opened = Gateway::open(log_, clock_, metrics_, logger_, std::move(options));
    ASSERT_TRUE(opened) << opened.error().message();
    gateway_ = std::move(*opened);
    for (std::size_t i = 0; i < loop_count; ++i) {
      loops_.push_back(std::make_unique<Loop>(clock_));
      gateway_->add_routes(loops_[i]->router, loops_[i]->events);
    }
  }

  // The process dies and comes back with the same log.
  void crash_and_reopen(GatewayOptions options) {
    log_.crash();
    loops_.clear();
    gateway_.reset();
    open(std::move(options));
  }

  // Hands a request over; returns its number.
  std::size_t post(std::string_view topic, std::string_view body, const Headers& headers = {},
                   std::size_t loop = 0) {
    return post_to("/v1/topics/" + std::string(topic) + "/events", body, headers, loop);
  }

  std::size_t post_to(const std::string& path, std::string_view body, const Headers& headers = {},
                      std::size_t loop = 0) {
    net::RequestPtr request(new net::HttpRequest());
    request->method = net::Method::kPost;
    request->head = path;
    request->path = request->head;
    request->headers = headers;
    request->body.append(as_bytes(body));
    request->remote_address = "192.0.2.7";
    request->started_at = clock_.now();
    request->received_at = clock_.now();
    const std::size_t number = answers_.next();
    loops_[loop]->router.handle(std::move(request), net::Responder(answers_, number));
    return number;
  }

  // Lets the loops take their turns; the log stands still.
  void turn() {
    for (int i = 0; i < 3; ++i) {
      for (const auto& loop : loops_) {
        loop->events.run_once(std::chrono::microseconds(0));
      }
    }
  }

  // Lets the loops take their turns, with what they asked others to do for them; the log stands
  // still.
  [[nodiscard]] bool turn_and_read() {
    turn();
    const bool ran = gateway_->run_once().has_value();
    turn();
    return ran;
  }

  // Lets everything happen.
  void settle() {
    for (int i = 0; i < 5; ++i) {
      turn();
      ASSERT_TRUE(gateway_->run_once());
      log_.run_once();
    }
    turn();
  }

  [[nodiscard]] std::optional<Answer> answer(std::size_t number) { return answers_.get(number); }

  // Posts and lets everything happen.
  Answer ask(std::string_view topic, std::string_view body, const Headers& headers = {}) {
    const std::size_t number = post(topic, body, headers);
    settle();
    return answer(number).value_or(Answer());
  }

  template <typename F>
  void for_each_batch(std::string_view topic, F&& function) {
    const auto info = log_.topic(topic);
    ASSERT_TRUE(info) << topic;
    for (std::int32_t i = 0; i < info->config.partition_count; ++i) {
      const auto consumer = log_.open_consumer({.name = "test"});
      ASSERT_TRUE((*consumer)->assign({{{info->id, PartitionId(i)}, Offset(0)}}));
      for (auto polled = (*consumer)->poll(1 * kMiB); !polled->batches.empty();
           polled = (*consumer)->poll(1 * kMiB)) {
        for (const log::FetchedBatch& batch : polled->batches) {
          function(i, batch);
        }
      }
    }
  }

  // All records of a topic, by partition and offset.
  std::vector<Record> records(std::string_view topic) {
    std::vector<Record> all;
    for_each_batch(topic, [&](std::int32_t partition, const log::FetchedBatch& batch) {
      read_batch(partition, batch, all);
    });
    return all;
  }

  // Bytes of all batches of a topic.
  std::size_t stored_bytes(std::string_view topic) {
    std::size_t size = 0;
    for_each_batch(
        topic, [&](std::int32_t, const log::FetchedBatch& batch) { size += batch.bytes.size(); });
    return size;
  }

  std::vector<std::string> values(std::string_view topic) {
    std::vector<std::string> all;
    for (const Record& record : records(topic)) {
      all.push_back(record.value);
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  double events(const std::string& topic, const std::string& outcome) {
    return metrics_.value("penstock_ingest_events_total", {{"topic", topic}, {"outcome", outcome}})
        .value_or(0);
  }

  penstock::testing::SimClock clock_;
  penstock::testing::SimLog log_;
  telemetry::Registry metrics_;
  std::string logged_;
  telemetry::Logger logger_{clock_, {.write = [this](std::string_view line) { logged_ += line; }}};

 private:
  class Answers final : public net::ResponseSink {
   public:
    std::size_t next() {
      answers_.emplace_back();
      return answers_.size() - 1;
    }

    void answer(std::uint64_t sequence, const net::HttpResponse& response) override {
      ASSERT_FALSE(answers_.at(sequence).has_value()) << "answered twice";
      answers_[sequence] =
          Answer{response.status, std::string(response.body), std::string(response.extra_headers)};
    }

    std::optional<Answer> get(std::size_t number) { return answers_.at(number); }

    void add_ref() override {}

    void drop_ref() override {}

   private:
    std::vector<std::optional<Answer>> answers_;
  };

  static void read_batch(std::int32_t partition, const log::FetchedBatch& batch,
                         std::vector<Record>& all) {
    const auto view = RecordBatchView::parse(batch.bytes, RecordBatchView::Verify::kChecksum);
    ASSERT_TRUE(view) << view.error().message();
    RecordReader reader(*view);
    RecordView from;
    while (reader.next(from)) {
      Record record{partition, from.timestamp.value(), std::nullopt, "", {}};
      if (from.key.has_value()) {
        record.key = std::string(as_text(*from.key));
      }
      record.value = from.value.has_value() ? std::string(as_text(*from.value)) : "<null>";
      HeaderReader headers(from);
      HeaderView header;
      while (headers.next(header)) {
        record.headers[std::string(header.key)] = std::string(as_text(*header.value));
      }
      all.push_back(std::move(record));
    }
    ASSERT_TRUE(reader.status());
  }

  Answers answers_;
  std::unique_ptr<Gateway> gateway_;
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace penstock::gateway
