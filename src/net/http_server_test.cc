#include "net/http_server.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/loopback_fixture_test.h"

namespace penstock::net {
namespace {

using HttpServerTest = LoopbackFixture;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(HttpServerTest, AnswersARequest) {
  start();

  const std::string response = ask("GET /x?y=1 HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_EQ(response,
            "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
            "Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nGET /x?y=1 ");
}

TEST_F(HttpServerTest, ReceivesABodyOfKnownLength) {
  start();

  const std::string response = ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");

  EXPECT_EQ(body_of(response), "POST /x hello");
}

TEST_F(HttpServerTest, ReceivesABodyLargerThanAnyBuffer) {
  start();
  const std::string body(3'000'000, 'x');

  const std::string response =
      ask("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n\r\n" + body);

  EXPECT_EQ(body_of(response), "POST /x " + body);
}

TEST_F(HttpServerTest, ReceivesEveryBytewiseSplitOfARequest) {
  start();
  const std::string request =
      "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;e=1\r\nde\r\n0\r\nT: 1\r\n\r\n";
  Client client(*this);

  for (const char c : request) {
    client.send(std::string(1, c));
  }

  EXPECT_EQ(body_of(client.receive()), "POST /x abcde");
}

TEST_F(HttpServerTest, ServesManyRequestsOnOneConnection) {
  start();
  Client client(*this);
  for (int i = 0; i < 50; ++i) {
    const std::string text = std::to_string(i);

    client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(text.size()) +
                "\r\n\r\n" + text);

    ASSERT_EQ(body_of(client.receive()), "POST /x " + text);
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }

  const std::string responses = ask(requests);

  ASSERT_EQ(count(responses, "HTTP/1.1 200 OK"), 100U);
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    at = responses.find("GET /" + std::to_string(i) + " ", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(HttpServerTest, ResponsesGivenOutOfOrderGoOutInOrder) {
  std::vector<std::pair<std::string, Responder>> held;
  start({}, [&](RequestPtr request, Responder responder) {
    held.emplace_back(request->target, std::move(responder));
  });
  Client client(*this);
  client.send(
      "GET /0 HTTP/1.1\r\nHost: h\r\n\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
      "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(held.size(), 3U);

  held[2].second.send({.body = "two"});
  held[1].second.send({.body = "one"});
  EXPECT_EQ(client.receive(), "");
  held[0].second.send({.body = "zero"});

  const std::string responses = client.receive();
  EXPECT_LT(responses.find("zero"), responses.find("one"));
  EXPECT_LT(responses.find("one"), responses.find("two"));
  EXPECT_NE(responses.find("two"), std::string::npos);
}

TEST_F(HttpServerTest, TakesNoMoreThanItsSlotsOfPipelinedRequests) {
  std::vector<Responder> held;
  start({.pipelined_max = 4}, [&](RequestPtr, Responder r) { held.push_back(std::move(r)); });
  Client client(*this);
  for (int i = 0; i < 10; ++i) {
    client.send(kGet);
  }
  ASSERT_EQ(held.size(), 4U);

  for (std::size_t i = 0; i < 10; ++i) {
    ASSERT_LT(i, held.size());
    held[i].send({.body = "ok"});
    pump();
  }

  EXPECT_EQ(count(client.receive(), "200 OK"), 10U);
}

TEST_F(HttpServerTest, PausesReadingWhileTheClientTakesNoResponses) {
  int handled = 0;
  const std::string large(100'000, 'r');
  start({.response_bytes_max = 200'000}, [&](RequestPtr, Responder responder) {
    ++handled;
    responder.send({.body = large});
  });
  Client client(*this);
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    requests += kGet;
  }

  client.send(requests);
  const int handled_before = handled;

  EXPECT_LT(handled_before, 200);
  EXPECT_EQ(count(client.receive(), "200 OK"), 200U);
  EXPECT_EQ(handled, 200);
}

TEST_F(HttpServerTest, AResponderThatIsDroppedAnswers500) {
  start({}, [](RequestPtr, Responder) {});

  const std::string response = ask(kGet);

  EXPECT_EQ(status_of(response), 500);
  EXPECT_EQ(body_of(response), R"({"code":"internal","message":"the request was dropped"})");
}

TEST_F(HttpServerTest, AnAnswerToAClientThatIsGoneIsDropped) {
  std::optional<Responder> held;
  start({}, [&](RequestPtr, Responder responder) { held = std::move(responder); });
  Client client(*this);
  client.send(kGet);
  ASSERT_TRUE(held.has_value());

  client.close();
  held->send({.body = "late"});
  pump();

  EXPECT_EQ(status_of(ask("GET / HTTP/1.1\r\n\r\n")), 400);  // the server goes on
}

TEST_F(HttpServerTest, AResponderMayOutliveTheServer) {
  std::optional<Responder> held;
  start({}, [&](RequestPtr, Responder responder) { held = std::move(responder); });
  Client client(*this);
  client.send(kGet);

  server_.reset();
  held->send({.body = "late"});

  EXPECT_TRUE(held.has_value());
}

TEST_F(HttpServerTest, HttpOneZeroIsAnsweredAndClosed) {
  start();
  Client client(*this);

  client.send("GET /old HTTP/1.0\r\n\r\n");

  const std::string response = client.receive();
  EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response;
  EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, HttpOneZeroMayStayOpen) {
  start();
  Client client(*this);

  client.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

  EXPECT_NE(client.receive().find("Connection: keep-alive\r\n"), std::string::npos);
  client.send(kGet);
  EXPECT_EQ(status_of(client.receive()), 200);
}

TEST_F(HttpServerTest, ConnectionCloseIsHonoured) {
  start();
  Client client(*this);

  client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + std::string(kGet));

  const std::string response = client.receive();
  EXPECT_EQ(count(response, "200 OK"), 1U);
  EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, AClientThatHasFinishedSendingStillGetsItsAnswer) {
  start();
  Client client(*this);

  client.send(kGet);
  client.finish_sending();

  EXPECT_EQ(status_of(client.receive()), 200);
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, HeadIsAnsweredWithoutABody) {
  start();

  const std::string response = ask("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");

  EXPECT_NE(response.find("Content-Length: 8\r\n"), std::string::npos) << response;
  EXPECT_EQ(body_of(response), "");
}

TEST_F(HttpServerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  start();
  Client client(*this);

  client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");

  EXPECT_EQ(body_of(client.receive()), "POST /x hi");
}

TEST_F(HttpServerTest, ExpectContinueWaitsForEarlierResponses) {
  std::vector<Responder> held;
  start({}, [&](RequestPtr, Responder r) { held.push_back(std::move(r)); });
  Client client(*this);
  client.send(std::string(kGet) +
              "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive(), "");

  held.at(0).send({.body = "first"});

  const std::string text = client.receive();
  EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK")) << text;
  EXPECT_TRUE(text.ends_with("firstHTTP/1.1 100 Continue\r\n\r\n")) << text;
}

TEST_F(HttpServerTest, CompressedBodiesAreUndone) {
  start();
  const std::string gzip(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56"
      "\x07\x00\x00\x00",
      27);

  EXPECT_EQ(body_of(ask(post("Content-Encoding: gzip\r\n", gzip))), R"(POST /x {"a":1})");
  EXPECT_EQ(body_of(ask(post("Content-Encoding: zstd\r\n", zstd_of_z(20)))),
            "POST /x " + std::string(20 * 131072, 'z'));
  EXPECT_EQ(body_of(ask(post("Content-Encoding: identity\r\n", "plain"))), "POST /x plain");
}

TEST_F(HttpServerTest, EmptyLinesBeforeARequestAreSkipped) {
  start();

  EXPECT_EQ(status_of(ask("\r\n\r\n" + std::string(kGet))), 200);
}

TEST_F(HttpServerTest, AbsoluteTargetsLoseTheirOrigin) {
  start();

  EXPECT_EQ(body_of(ask("GET http://h:80/p?q HTTP/1.1\r\nHost: h\r\n\r\n")), "GET /p?q ");
}

TEST_F(HttpServerTest, SpreadsConnectionsOverItsLoops) {
  loop_count_ = 2;
  std::vector<EventLoop*> loops;
  start();
  std::vector<std::unique_ptr<Client>> clients;

  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<Client>(*this));
    clients.back()->send(kGet);
    ASSERT_EQ(status_of(clients.back()->receive()), 200);
  }

  EXPECT_EQ(metrics_.value("penstock_http_connections"), 8.0);
}

TEST_F(HttpServerTest, CountsWhatItDoes) {
  start();
  ask(kGet);
  ask("GET / HTTP/1.1\r\n\r\n");

  EXPECT_EQ(metrics_.value("penstock_http_responses_total", {{"status", "2xx"}}), 1.0);
  EXPECT_EQ(metrics_.value("penstock_http_responses_total", {{"status", "4xx"}}), 1.0);
  EXPECT_EQ(metrics_.value("penstock_http_connections_accepted_total"), 2.0);
  EXPECT_EQ(refused("bad_request"), 1.0);
}

TEST_F(HttpServerTest, StopsGracefully) {
  std::vector<Responder> held;
  start({}, [&](RequestPtr, Responder r) { held.push_back(std::move(r)); });
  Client idle(*this);
  Client busy(*this);
  Client halfway(*this);
  busy.send(kGet);
  halfway.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");

  server_->begin_stop();
  pump();
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(server_->stopped());
  halfway.send("cd");
  ASSERT_EQ(held.size(), 2U);
  held[0].send({.body = "busy"});
  held[1].send({.body = "halfway"});

  const std::string first = busy.receive();
  const std::string second = halfway.receive();
  EXPECT_TRUE(first.ends_with("busy")) << first;
  EXPECT_NE(first.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(second.ends_with("halfway")) << second;
  busy.close();
  halfway.close();
  EXPECT_TRUE(server_->stopped());
}

// A client that always has a request under way would be served until the time to stop is over.
TEST_F(HttpServerTest, TakesOneMoreRequestOfAConnectionAtMostWhenItStops) {
  std::vector<Responder> held;
  start({}, [&](RequestPtr, Responder r) { held.push_back(std::move(r)); });
  Client busy(*this);
  busy.send(kGet);
  server_->begin_stop();
  pump();

  busy.send(std::string(kGet) + std::string(kGet));

  ASSERT_EQ(held.size(), 2U);
  held[0].send({.body = "first"});
  held[1].send({.body = "second"});
  const std::string answers = busy.receive();
  EXPECT_EQ(count(answers, "HTTP/1.1 200 OK"), 2U) << answers;
  EXPECT_LT(answers.find("first"), answers.find("Connection: close")) << answers;
  EXPECT_TRUE(answers.ends_with("second")) << answers;
  EXPECT_TRUE(busy.closed());
  busy.close();
  EXPECT_TRUE(server_->stopped());
}

TEST_F(HttpServerTest, APortInUseIsRefused) {
  start();

  const auto second = HttpServer::open({.port = server_->port()}, clock_, metrics_,
                                       [](EventLoop&) { return nullptr; });

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
}

TEST_F(HttpServerTest, ANameIsNoAddress) {
  const auto server =
      HttpServer::open({.host = "localhost"}, clock_, metrics_, [](EventLoop&) { return nullptr; });

  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().message(),
            "cannot listen on 'localhost': give an IP address, such as 127.0.0.1 or 0.0.0.0");
}

}  // namespace
}  // namespace penstock::net
