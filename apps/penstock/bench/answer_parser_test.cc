#include "penstock/bench/answer_parser.h"

#include <string>

#include <gtest/gtest.h>

namespace penstock::bench {
namespace {

std::string answer_text(int status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr const char* kCounts = R"({"accepted":640,"duplicates":5,"dead_lettered":3,"errors":[]})";

TEST(AnswerParser, ReadsTheCountsOfAnAnswer) {
  AnswerParser parser;

  const auto answer = parser.feed(answer_text(200, "Content-Type: application/json\r\n", kCounts));

  ASSERT_TRUE(answer && answer->has_value());
  EXPECT_EQ((*answer)->status, 200);
  EXPECT_EQ((*answer)->accepted, 640U);
  EXPECT_EQ((*answer)->duplicates, 5U);
  EXPECT_EQ((*answer)->dead_lettered, 3U);
  EXPECT_FALSE((*answer)->close);
}

TEST(AnswerParser, TakesAnAnswerInAnyPieces) {
  AnswerParser parser;
  const std::string text = answer_text(200, "", kCounts);

  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto nothing_yet = parser.feed(text.substr(i, 1));
    ASSERT_TRUE(nothing_yet);
    ASSERT_FALSE(nothing_yet->has_value());
  }
  const auto answer = parser.feed(text.substr(text.size() - 1));

  ASSERT_TRUE(answer && answer->has_value());
  EXPECT_EQ((*answer)->accepted, 640U);
}

TEST(AnswerParser, ReadsOneAnswerAfterAnother) {
  AnswerParser parser;

  ASSERT_TRUE(parser.feed(answer_text(200, "", kCounts)));
  const auto second = parser.feed(answer_text(200, "CONNECTION: close\r\n", kCounts));

  ASSERT_TRUE(second && second->has_value());
  EXPECT_TRUE((*second)->close);
}

TEST(AnswerParser, ReadsWhenToComeBack) {
  AnswerParser parser;

  const auto answer = parser.feed(answer_text(429, "Retry-After: 2\r\n", R"({"code":"busy"})"));

  ASSERT_TRUE(answer && answer->has_value());
  EXPECT_EQ((*answer)->status, 429);
  EXPECT_EQ((*answer)->accepted, 0U);
  EXPECT_EQ((*answer)->retry_after_s, 2U);
}

TEST(AnswerParser, RefusesWhatIsNoAnswer) {
  EXPECT_FALSE(AnswerParser().feed("SSH-2.0-OpenSSH\r\n\r\n"));
  EXPECT_FALSE(AnswerParser().feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_FALSE(AnswerParser().feed(answer_text(200, "", "{}")));
  EXPECT_FALSE(AnswerParser().feed(std::string(20'000, 'x')));
}

}  // namespace
}  // namespace penstock::bench
