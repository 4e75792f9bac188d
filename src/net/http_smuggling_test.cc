// Requests that two parsers might read differently: each is refused and ends its connection, so
// that nothing behind it can pass for a request of its own.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/loopback_fixture_test.h"

namespace penstock::net {
namespace {

using HttpSmugglingTest = LoopbackFixture;

constexpr std::string_view kHidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n";

struct Hostile {
  const char* name;
  std::string request;
  int status;
};

std::string post_with(std::string_view headers, std::string_view body = {}) {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

std::string chunked(std::string_view body) {
  return post_with("Transfer-Encoding: chunked\r\n", body);
}

std::vector<Hostile> hostile_requests() {
  using namespace std::string_literals;
  return {
      {"both lengths",
       post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"both lengths, other order",
       post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
      {"two lengths", post_with("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), 400},
      {"the same length twice", post_with("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
       400},
      {"list of lengths", post_with("Content-Length: 5, 5\r\n", "hello"), 400},
      {"plus sign", post_with("Content-Length: +5\r\n", "hello"), 400},
      {"minus sign", post_with("Content-Length: -1\r\n"), 400},
      {"hex length", post_with("Content-Length: 0x5\r\n", "hello"), 400},
      {"length with blank inside", post_with("Content-Length: 1 0\r\n", "hello"), 400},
      {"empty length", post_with("Content-Length: \r\n"), 400},
      {"length over 64 bits", post_with("Content-Length: 18446744073709551621\r\n", "hello"), 400},
      {"length of many digits", post_with("Content-Length: 0000000000000000000005\r\n", "hello"),
       400},
      {"blank before colon", post_with("Content-Length : 5\r\n", "hello"), 400},
      {"tab before colon", post_with("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"), 400},
      {"folded header", post_with("X: a\r\n b\r\nContent-Length: 5\r\n", "hello"), 400},
      {"folded encoding", post_with("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400},
      {"first header begins with blank", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"no colon", post_with("Nonsense\r\n"), 400},
      {"empty name", post_with(": value\r\n"), 400},
      {"line feed alone", "GET / HTTP/1.1\nHost: h\n\n", 400},
      {"line feed alone in one header", "GET / HTTP/1.1\r\nHost: h\nX: 1\r\n\r\n", 400},
      {"carriage return alone", post_with("X: a\rContent-Length: 5\r\n", "hello"), 400},
      {"nul in a value", post_with("X: a\0b\r\n"s), 400},
      {"nul in a name", post_with("X\0Y: b\r\n"s), 400},
      {"nul in the target", "GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n"s, 400},
      {"DEL in a value", post_with("X: a\x7f\r\n"), 400},
      {"identity, chunked", post_with("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n"),
       501},
      {"chunked twice",
       post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"chunked, gzip", post_with("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 501},
      {"xchunked", post_with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
      {"quoted chunked", post_with("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"), 501},
      {"vertical tab before chunked",
       post_with("Transfer-Encoding: \x0b"
                 "chunked\r\n",
                 "0\r\n\r\n"),
       400},
      {"HTTP/1.0 chunked", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"blank in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 505},
      {"tab in the target", "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"byte over 127 in the target", "GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"fragment in the target", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"target without slash", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"authority as target", "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"absolute target without host", "GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"absolute target with a user", "GET http://u@h/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"blank in the host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"path in the host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"tab after the method", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"method with a bracket", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"no method", " / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
      {"HTTP/0.9", "GET /\r\n\r\n", 400},
      {"lower-case protocol", "GET / http/1.1\r\nHost: h\r\n\r\n", 505},
      {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"hello of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"s, 400},
      {"empty chunk size", chunked("\r\n"), 400},
      {"chunk size with a sign", chunked("+5\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk size with 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n"), 400},
      {"blank before the chunk size", chunked(" 5\r\nhello\r\n0\r\n\r\n"), 400},
      {"blank after the chunk size", chunked("5 \r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk size over 64 bits", chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"), 400},
      {"chunk size ends in a line feed", chunked("5\nhello\r\n0\r\n\r\n"), 400},
      {"chunk ends in a line feed", chunked("5\r\nhello\n0\r\n\r\n"), 400},
      {"chunk longer than its size", chunked("5\r\nhelloo\r\n0\r\n\r\n"), 400},
      {"chunk shorter than its size", chunked("6\r\nhello\r\n0\r\n\r\n"), 400},
      {"line feed in an extension", chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"), 400},
      {"endless extension", chunked("5;" + std::string(2000, 'e') + "\r\nhello\r\n0\r\n\r\n"), 400},
      {"endless zeros", chunked(std::string(2000, '0') + "5\r\nhello\r\n0\r\n\r\n"), 400},
      {"line feed ends the trailers", chunked("0\r\nT: 1\n\n"), 400},
      {"folded trailer", chunked("0\r\nT: 1\r\n 2\r\n\r\n"), 400},
      {"endless trailers", chunked("0\r\nT: " + std::string(9000, 't') + "\r\n\r\n"), 400},
      {"unknown expectation", post_with("Expect: tea\r\nContent-Length: 1\r\n", "x"), 417},
      {"unknown encoding", post_with("Content-Encoding: br\r\nContent-Length: 1\r\n", "x"), 415},
      {"two encodings", post_with("Content-Encoding: gzip, gzip\r\nContent-Length: 1\r\n", "x"),
       415},
      {"damaged gzip", post_with("Content-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"), 400},
      {"empty gzip",
       chunked("0\r\n\r\n").insert(strlen("POST /x HTTP/1.1\r\n"), "Content-Encoding: gzip\r\n"),
       400},
  };
}

TEST_F(HttpSmugglingTest, EveryHostileRequestIsRefusedAndEndsItsConnection) {
  int handled = 0;
  start({}, [&](RequestPtr, Responder responder) {
    ++handled;
    responder.send({.body = "handled"});
  });
  for (const Hostile& hostile : hostile_requests()) {
    SCOPED_TRACE(hostile.name);
    Client client(*this);

    client.send(hostile.request + std::string(kHidden));

    const std::string response = client.receive();
    EXPECT_EQ(status_of(response), hostile.status) << response;
    EXPECT_TRUE(body_of(response).starts_with(R"({"code":")")) << response;
    EXPECT_EQ(count(response, "Content-Length: "), 1U);
    EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(handled, 0);
  }
}

TEST_F(HttpSmugglingTest, EveryHostileRequestIsRefusedHoweverItIsCut) {
  start();
  for (const Hostile& hostile : hostile_requests()) {
    SCOPED_TRACE(hostile.name);
    for (const std::size_t cut : {hostile.request.size() / 3, hostile.request.size() - 2}) {
      Client client(*this);

      client.send(std::string_view(hostile.request).substr(0, cut));
      client.send(hostile.request.substr(cut) + std::string(kHidden));

      const std::string response = client.receive();
      EXPECT_EQ(status_of(response), hostile.status) << response;
      EXPECT_EQ(count(response, "hidden"), 0U);
    }
  }
}

TEST_F(HttpSmugglingTest, RequestsBeforeAHostileOneAreAnswered) {
  start();

  const std::string responses =
      ask(std::string(kHidden) + "GET / HTTP/1.1\r\nBad Header: 1\r\n\r\n" + std::string(kHidden));

  EXPECT_EQ(count(responses, "GET /hidden"), 1U);
  EXPECT_EQ(count(responses, "400 Bad Request"), 1U);
}

TEST_F(HttpSmugglingTest, AnEmptyLineInFrontMayComeInTwoPieces) {
  start();
  Client client(*this);

  client.send("\r");
  EXPECT_EQ(client.receive(), "");
  client.send("\n" + std::string(kHidden));

  EXPECT_EQ(status_of(client.receive()), 200);
}

TEST_F(HttpSmugglingTest, WhatLooksOddButIsAllowedIsTaken) {
  start();
  const std::vector<std::string> allowed = {
      post_with("Content-Length:5\r\n", "hello"),
      post_with("Content-Length: \t5 \r\n", "hello"),
      post_with("transfer-encoding: Chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
      chunked("005;ext=\"v\"\r\nhello\r\n00\r\nTrailer: x\r\n\r\n"),
      "GET / HTTP/1.1\r\nHost:\r\n\r\n",
      "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nX: caf\xc3\xa9\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
      "UNKNOWN / HTTP/1.1\r\nHost: h\r\n\r\n",
  };
  for (const std::string& request : allowed) {
    EXPECT_EQ(status_of(ask(request)), 200) << request;
  }
}

}  // namespace
}  // namespace penstock::net
