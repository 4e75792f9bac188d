// Limits of size, time, number and memory: each has an answer or a closed connection.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "net/loopback_fixture_test.h"

namespace penstock::net {
namespace {

using HttpLimitsTest = LoopbackFixture;
using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(HttpLimitsTest, AHundredThousandHeadersAreRefused) {
  start();
  std::string request = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 100'000; ++i) {
    request += "A: b\r\n";
  }

  EXPECT_EQ(status_of(ask(request + "\r\n")), 431);
}

TEST_F(HttpLimitsTest, AsManyHeadersAsAllowedAreTaken) {
  start({.header_count_max = 10});
  std::string headers;
  for (int i = 0; i < 9; ++i) {
    headers += "A: b\r\n";
  }

  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n")), 200);
  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n" + headers + "\r\n")), 431);
}

TEST_F(HttpLimitsTest, ALargeHeadIsRefused) {
  start({.head_bytes_max = 1000});

  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x'))), 431);
  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(500, 'x') + "\r\n\r\n")),
            200);
}

TEST_F(HttpLimitsTest, ALongTargetIsRefused) {
  start({.target_bytes_max = 100});

  EXPECT_EQ(status_of(ask("GET /" + std::string(200, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n")), 414);
  EXPECT_EQ(status_of(ask("GET /" + std::string(2000, 'x'))), 414);
}

TEST_F(HttpLimitsTest, ALargeBodyIsRefusedBeforeItIsSent) {
  start({.body_bytes_max = 1000});
  Client client(*this);

  client.send(
      "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");

  const std::string response = client.receive();
  EXPECT_EQ(status_of(response), 413);
  EXPECT_EQ(body_of(response),
            R"({"code":"body_too_large","message":"the body is larger than 1000 bytes"})");
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpLimitsTest, AClientThatSendsALargeBodyAnywayStillHearsWhy) {
  start({.body_bytes_max = 1000});

  EXPECT_EQ(status_of(ask(post("", std::string(5'000'000, 'x')))), 413);
}

TEST_F(HttpLimitsTest, ALargeChunkedBodyIsRefused) {
  start({.body_bytes_max = 1000});

  EXPECT_EQ(
      status_of(ask("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" +
                    std::string(1000, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n")),
      413);
}

TEST_F(HttpLimitsTest, ABodyOfExactlyTheLimitIsTaken) {
  start({.body_bytes_max = 1000});

  EXPECT_EQ(status_of(ask(post("", std::string(1000, 'x')))), 200);
}

TEST_F(HttpLimitsTest, ABombIsRefusedAndCostsNoMoreThanTheLimit) {
  start({.body_bytes_max = 1 * kMiB});
  std::size_t used_most = 0;
  const std::string bomb = zstd_of_z(4000);  // 16 KB for 500 MB

  Client client(*this);
  client.send(post("Content-Encoding: zstd\r\n", bomb));
  used_most = server_->memory().used();

  EXPECT_EQ(status_of(client.receive()), 413);
  EXPECT_LT(used_most, 4 * kMiB);
}

TEST_F(HttpLimitsTest, ASlowHeadIsRefused) {
  start({.head_timeout = milliseconds(5000)});
  Client client(*this);

  client.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 4; ++i) {
    pass(milliseconds(1000));
    client.send("X: y\r\n");  // progress does not help
  }
  EXPECT_EQ(client.receive(), "");
  pass(milliseconds(2000));

  EXPECT_EQ(status_of(client.receive()), 408);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(refused("head_timeout"), 1.0);
}

TEST_F(HttpLimitsTest, ASlowBodyIsRefused) {
  start({.body_timeout = milliseconds(5000), .body_bytes_per_timeout = 1000});
  Client client(*this);

  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  for (int i = 0; i < 5; ++i) {
    pass(milliseconds(1000));
    client.send(std::string(300, 'x'));
  }
  pass(milliseconds(1000));
  EXPECT_EQ(client.receive(), "");  // 1500 bytes came in time
  pass(milliseconds(6000));

  EXPECT_EQ(status_of(client.receive()), 408);
  EXPECT_EQ(refused("body_timeout"), 1.0);
}

TEST_F(HttpLimitsTest, AnIdleConnectionIsClosed) {
  start({.idle_timeout = milliseconds(5000)});
  Client client(*this);
  client.send(kGet);
  client.receive();

  pass(milliseconds(4000));
  EXPECT_FALSE(client.closed());
  pass(milliseconds(2000));

  EXPECT_TRUE(client.closed());
}

TEST_F(HttpLimitsTest, AConnectionThatWaitsForItsAnswerIsNotIdle) {
  std::optional<Responder> held;
  start({.head_timeout = milliseconds(1000), .idle_timeout = milliseconds(1000)},
        [&](RequestPtr, Responder responder) { held = std::move(responder); });
  Client client(*this);
  client.send(kGet);

  pass(milliseconds(10'000));
  held->send({.body = "at last"});

  EXPECT_EQ(body_of(client.receive()), "at last");
}

TEST_F(HttpLimitsTest, AClientThatTakesNoResponseIsClosed) {
  const std::string large(20'000'000, 'r');
  start({.response_bytes_max = 64 * kMiB, .write_timeout = milliseconds(5000)},
        [&](RequestPtr, Responder responder) { responder.send({.body = large}); });
  Client client(*this);
  client.send(kGet);

  pass(milliseconds(6000));

  EXPECT_LT(client.receive().size(), large.size());
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(refused("write_timeout"), 1.0);
}

TEST_F(HttpLimitsTest, AClientThatTakesItsResponseByTheDropIsClosed) {
  const std::string large(20'000'000, 'r');
  start({.response_bytes_max = 64 * kMiB,
         .write_timeout = milliseconds(5000),
         .response_bytes_per_timeout = 16 * kMiB},
        [&](RequestPtr, Responder responder) { responder.send({.body = large}); });
  Client client(*this);
  client.send(kGet);
  std::size_t received = 0;

  for (int second = 0; second < 20 && refused("write_timeout") == 0; ++second) {
    received += client.receive_some(400'000).size();
    pass(milliseconds(1000));
  }

  EXPECT_GT(received, 1'000'000U);  // something came in each window
  EXPECT_EQ(refused("write_timeout"), 1.0);
}

TEST_F(HttpLimitsTest, ConnectionsOverTheLimitHearSo) {
  start({.connections_max = 2});
  Client first(*this);
  Client second(*this);
  first.send(kGet);
  second.send(kGet);

  Client third(*this);

  EXPECT_EQ(status_of(third.receive()), 503);
  EXPECT_TRUE(third.closed());
  EXPECT_EQ(status_of(first.receive()), 200);
  first.close();
  EXPECT_EQ(status_of(ask(kGet)), 200);
}

TEST_F(HttpLimitsTest, WithoutMemoryARequestIsReadAndAnswered429) {
  std::vector<std::pair<RequestPtr, Responder>> held;
  start({.memory_bytes_max = 600'000}, [&](RequestPtr request, Responder responder) {
    held.emplace_back(std::move(request), std::move(responder));
  });
  const std::string request = post("", std::string(300'000, 'x'));
  Client first(*this);
  first.send(request);
  ASSERT_EQ(held.size(), 1U);
  Client second(*this);

  second.send(request);

  const std::string response = second.receive();
  EXPECT_EQ(status_of(response), 429) << response;
  EXPECT_NE(response.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_FALSE(second.closed());
  held[0].first.reset();  // its memory is free again
  second.send(request);
  EXPECT_EQ(held.size(), 2U);
}

TEST_F(HttpLimitsTest, AllMemoryIsGivenBack) {
  start();
  {
    Client client(*this);
    client.send(post("", std::string(1'000'000, 'x')));
    client.send(post("Content-Encoding: zstd\r\n", zstd_of_z(10)));
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nhalf a body");
    EXPECT_GT(server_->memory().used(), 0U);
    client.close();
  }
  pass(milliseconds(3000));

  EXPECT_EQ(server_->memory().used(), 0U);
  EXPECT_EQ(metrics_.value("penstock_http_connections"), 0.0);
}

TEST_F(HttpLimitsTest, ManyConnectionsThatDieHalfwayLeaveNothingBehind) {
  start();
  const std::string whole = post("Content-Encoding: zstd\r\n", zstd_of_z(3)) + std::string(kGet);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    Client client(*this);
    client.send(std::string_view(whole).substr(0, cut));
    client.close();
  }
  pass(milliseconds(3000));

  EXPECT_EQ(server_->memory().used(), 0U);
  EXPECT_EQ(metrics_.value("penstock_http_connections"), 0.0);
}

TEST_F(HttpLimitsTest, HeadsOfUnansweredRequestsCountAsMemory) {
  constexpr std::size_t kHeadSize = 30 * kKiB;
  constexpr std::size_t kCount = 16;
  std::vector<std::pair<RequestPtr, Responder>> held;
  start({.pipelined_max = kCount, .memory_bytes_max = 400 * kKiB},
        [&](RequestPtr request, Responder responder) {
          held.emplace_back(std::move(request), std::move(responder));
        });
  Client client(*this);
  const std::string request =
      "GET /a HTTP/1.1\r\nHost: h\r\nX: " + std::string(kHeadSize, 'x') + "\r\n\r\n";

  for (int i = 0; i < 4; ++i) {
    client.send(request);
  }
  const std::size_t used_by_four = server_->memory().used();
  for (std::size_t i = 4; i < kCount; ++i) {
    client.send(request);
  }

  EXPECT_GE(used_by_four, 4 * kHeadSize);
  EXPECT_GE(held.size(), 8U);
  EXPECT_LT(held.size(), kCount);
  EXPECT_EQ(refused("no_memory"), 1.0);
}

}  // namespace
}  // namespace penstock::net
