#include "net/http_client.h"

#include <gtest/gtest.h>

#include "net/http_server.h"
#include "os/thread.h"
#include "telemetry/registry.h"

namespace penstock::net {
namespace {

class Echo final : public HttpHandler {
 public:
  void handle(RequestPtr request, Responder responder) override {
    if (request->path == "/never") {
      kept_.push_back(std::move(responder));
      return;
    }
    const std::string body = std::string(to_string(request->method)) + " " +
                             std::string(request->target) + " " +
                             std::string(request->header("X-Test").value_or("-")) + " " +
                             std::string(request->body.text());
    responder.send({.status = request->path == "/missing" ? 404 : 200,
                    .body = body,
                    .close = request->path == "/close"});
  }

 private:
  std::vector<Responder> kept_;
};

// A server on a thread of its own, because the client blocks.
class HttpClientTest : public ::testing::Test {
 protected:
  HttpClientTest() {
    auto opened =
        HttpServer::open({}, clock_, metrics_, [](EventLoop&) { return std::make_unique<Echo>(); });
    server_ = std::move(*opened);
    thread_.emplace("server", [this](const os::StopToken& stop) {
      while (!stop.requested()) {
        server_->run_once(0, std::chrono::milliseconds(5));
      }
    });
  }

  ~HttpClientTest() override {
    thread_->request_stop();
    thread_->join();
  }

  HttpClient client(std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return HttpClient({.port = server_->port(), .request_timeout = timeout});
  }

  os::RealClock clock_;
  telemetry::Registry metrics_;
  std::unique_ptr<HttpServer> server_;
  std::optional<os::Thread> thread_;
};

TEST_F(HttpClientTest, GetsAndPosts) {
  HttpClient http = client();

  EXPECT_EQ(http.get("/a?b=c")->body, "GET /a?b=c - ");
  const auto response = http.send(
      {.method = "POST", .target = "/p", .headers = {{"X-Test", "yes"}}, .body = "hello"});

  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "POST /p yes hello");
  EXPECT_EQ(response->header("content-type"), "application/json");
}

TEST_F(HttpClientTest, AnErrorStatusIsAnAnswer) {
  EXPECT_EQ(client().get("/missing")->status, 404);
}

TEST_F(HttpClientTest, HeadHasNoBody) {
  HttpClient http = client();

  EXPECT_EQ(http.send({.method = "HEAD", .target = "/x"})->body, "");
  EXPECT_EQ(http.get("/y")->body, "GET /y - ");
}

TEST_F(HttpClientTest, SendsLargeBodies) {
  const std::string body(5'000'000, 'x');

  const auto response = client().post("/", body);

  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body.size(), body.size() + strlen("POST / - "));
}

TEST_F(HttpClientTest, ConnectsAgainAfterTheServerHasClosed) {
  HttpClient http = client();

  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(http.get("/close")->status, 200);
  }
}

TEST_F(HttpClientTest, KeepsItsConnection) {
  HttpClient http = client();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(http.get("/"));
  }

  EXPECT_EQ(metrics_.value("penstock_http_connections_accepted_total"), 1.0);
}

TEST_F(HttpClientTest, GivesUpWaiting) {
  HttpClient http = client(std::chrono::milliseconds(50));

  const auto response = http.get("/never");

  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code(), ErrorCode::kRetry);
  EXPECT_EQ(http.get("/a")->body, "GET /a - ");
}

TEST_F(HttpClientTest, NobodyListening) {
  HttpClient http({.port = 1});

  const auto response = http.get("/");

  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code(), ErrorCode::kRetry);
  EXPECT_EQ(response.error().message(), "cannot connect to 127.0.0.1:1: Connection refused");
}

TEST_F(HttpClientTest, AnInterruptEndsTheWaiting) {
  HttpClient http = client();
  os::Thread interrupter("interrupter", [&](const os::StopToken&) { http.interrupt(); });

  const auto response = http.get("/never");

  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code(), ErrorCode::kRetry);
  EXPECT_FALSE(http.get("/"));
}

TEST(HostHeader, HasThePortOnlyWhereItIsNotTheSchemesOwn) {
  EXPECT_EQ(host_header("h", 80, false), "h");
  EXPECT_EQ(host_header("h", 443, true), "h");
  EXPECT_EQ(host_header("h", 443, false), "h:443");
  EXPECT_EQ(host_header("::1", 81, false), "[::1]:81");
}

TEST(ParseUrl, TakesApart) {
  const auto url = parse_url("http://example.com:8080/a/b?c=d");
  EXPECT_EQ(url->host, "example.com");
  EXPECT_EQ(url->port, 8080);
  EXPECT_EQ(url->target, "/a/b?c=d");
  EXPECT_EQ(parse_url("HTTP://h")->target, "/");
  EXPECT_EQ(parse_url("http://h?q")->target, "/?q");
  EXPECT_EQ(parse_url("http://[::1]:81/x")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:81/x")->port, 81);
  EXPECT_EQ(parse_url("http://[::1]/x")->port, 80);
  EXPECT_EQ(parse_url("https://h/x")->port, 443);
  EXPECT_TRUE(parse_url("https://h:8443/x")->tls);
  EXPECT_FALSE(url->tls);
}

TEST(ParseUrl, RefusesTheRest) {
  for (const char* const text : {"", "h", "https://", "http://", "http://:80/", "http://h:/",
                                 "http://h:0/", "http://h:65536/", "http://h:8x/", "ftp://h"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

}  // namespace
}  // namespace penstock::net
