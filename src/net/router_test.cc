#include "net/router.h"

#include <string>

#include <gtest/gtest.h>

namespace penstock::net {
namespace {

class Recorder final : public ResponseSink {
 public:
  void answer(std::uint64_t, const HttpResponse& response) override {
    status = response.status;
    body = response.body;
    headers = response.extra_headers;
  }

  void add_ref() override {}

  void drop_ref() override {}

  int status = 0;
  std::string body;
  std::string headers;
};

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    route(Method::kGet, "/v1/topics");
    route(Method::kGet, "/v1/topics/{topic}/events");
    route(Method::kPost, "/v1/topics/{topic}/events");
    route(Method::kGet, "/v1/stores/{store}/{key...}");
    route(Method::kGet, "/v1/stores/special/{key}");
    route(Method::kGet, "/");
  }

  void route(Method method, std::string_view pattern) {
    router_.add(method, pattern, [name = std::string(pattern)](RequestPtr request, Responder r) {
      std::string body = name;
      for (const std::string& parameter : request->path_parameters) {
        body += " [" + parameter + "]";
      }
      r.send({.body = body});
    });
  }

  std::string ask(Method method, std::string_view path) {
    RequestPtr request(new HttpRequest());
    request->method = method;
    request->head = path;
    request->path = request->head;
    router_.handle(std::move(request), Responder(recorder_, 0));
    return recorder_.body;
  }

  Router router_;
  Recorder recorder_;
};

TEST_F(RouterTest, FindsTheRouteAndItsParameters) {
  EXPECT_EQ(ask(Method::kGet, "/v1/topics"), "/v1/topics");
  EXPECT_EQ(ask(Method::kGet, "/v1/topics/web/events"), "/v1/topics/{topic}/events [web]");
  EXPECT_EQ(ask(Method::kGet, "/"), "/");
}

TEST_F(RouterTest, TakesTheRestOfThePath) {
  EXPECT_EQ(ask(Method::kGet, "/v1/stores/s/a"), "/v1/stores/{store}/{key...} [s] [a]");
  EXPECT_EQ(ask(Method::kGet, "/v1/stores/s/a/b/c"), "/v1/stores/{store}/{key...} [s] [a] [b] [c]");
}

TEST_F(RouterTest, FixedSegmentsWin) {
  EXPECT_EQ(ask(Method::kGet, "/v1/stores/special/a"), "/v1/stores/special/{key} [a]");
  EXPECT_EQ(ask(Method::kGet, "/v1/stores/special/a/b"),
            "/v1/stores/{store}/{key...} [special] [a] [b]");
}

TEST_F(RouterTest, DecodesParametersAfterSplitting) {
  EXPECT_EQ(ask(Method::kGet, "/v1/topics/a%2Fb%20c+d/events"),
            "/v1/topics/{topic}/events [a/b c+d]");
  ask(Method::kGet, "/v1/topics/%zz/events");
  EXPECT_EQ(recorder_.status, 400);
}

TEST_F(RouterTest, WhatHasNoRouteIsNotFound) {
  for (const char* const path : {"/v1", "/v1/topics/", "/v1/topics//events", "/v1/topics/a/b",
                                 "/v1/stores/s", "/v1/stores/s/", "/v1/topics/a/events/", "*"}) {
    ask(Method::kGet, path);
    EXPECT_EQ(recorder_.status, 404) << path;
  }
}

TEST_F(RouterTest, AnotherMethodIsNotAllowedAndHearsWhichAre) {
  ask(Method::kDelete, "/v1/topics/web/events");

  EXPECT_EQ(recorder_.status, 405);
  EXPECT_EQ(recorder_.headers, "Allow: GET, HEAD, POST, OPTIONS\r\n");
}

TEST_F(RouterTest, HeadIsAnsweredByGetAndOptionsByItself) {
  EXPECT_EQ(ask(Method::kHead, "/v1/topics"), "/v1/topics");
  ask(Method::kOptions, "/v1/topics");
  EXPECT_EQ(recorder_.status, 204);
  EXPECT_EQ(recorder_.headers, "Allow: GET, HEAD, OPTIONS\r\n");
}

}  // namespace
}  // namespace penstock::net
