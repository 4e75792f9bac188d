#include "penstock/bench/answer_parser.h"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::bench {
namespace {

std::string answer_text(int status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr const char* kCounts = R"({"accepted":640,"duplicates":5,"dead_lettered":3,"errors":[]})";

// What the parser makes of `pieces`, one after the other.
Result<std::vector<Answer>> parse(AnswerParser& parser, const std::vector<std::string>& pieces) {
  std::vector<Answer> answers;
  for (const std::string& piece : pieces) {
    parser.feed(piece);
    for (;;) {
      PENSTOCK_TRY_ASSIGN(const std::optional<Answer> answer, parser.next());
      if (!answer) {
        break;
      }
      answers.push_back(*answer);
    }
  }
  return answers;
}

Result<std::vector<Answer>> parse(const std::string& text) {
  AnswerParser parser;
  return parse(parser, {text});
}

std::string counts(int accepted) {
  return "{\"accepted\":" + std::to_string(accepted) +
         R"(,"duplicates":0,"dead_lettered":0,"errors":[]})";
}

TEST(AnswerParser, ReadsTheCountsOfAnAnswer) {
  const auto answers = parse(answer_text(200, "Content-Type: application/json\r\n", kCounts));

  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->size(), 1U);
  const Answer& answer = answers->front();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.accepted, 640U);
  EXPECT_EQ(answer.duplicates, 5U);
  EXPECT_EQ(answer.dead_lettered, 3U);
  EXPECT_FALSE(answer.close);
}

TEST(AnswerParser, HasNoAnswerBeforeItsLastByte) {
  AnswerParser parser;
  const std::string text = answer_text(200, "", kCounts);

  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    parser.feed(text.substr(i, 1));
    const auto nothing_yet = parser.next();
    ASSERT_TRUE(nothing_yet);
    ASSERT_FALSE(nothing_yet->has_value());
  }
  parser.feed(text.substr(text.size() - 1));
  const auto answer = parser.next();

  ASSERT_TRUE(answer && answer->has_value());
  EXPECT_EQ((*answer)->accepted, 640U);
}

TEST(AnswerParser, ReadsSeveralAnswersCutAnywhere) {
  const std::string text = answer_text(200, "", counts(1)) +
                           answer_text(429, "Retry-After: 3\r\n", R"({"code":"busy"})") +
                           answer_text(200, "", counts(22)) + answer_text(200, "", counts(333));

  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    AnswerParser parser;
    const auto answers = parse(parser, {text.substr(0, cut), text.substr(cut)});

    ASSERT_TRUE(answers) << "cut at " << cut;
    ASSERT_EQ(answers->size(), 4U) << "cut at " << cut;
    EXPECT_EQ((*answers)[0].accepted, 1U);
    EXPECT_EQ((*answers)[1].retry_after_s, 3U);
    EXPECT_EQ((*answers)[2].accepted, 22U);
    EXPECT_EQ((*answers)[3].accepted, 333U);
  }
}

TEST(AnswerParser, RefusesOnlyWhatStandsBehindGoodAnswers) {
  AnswerParser parser;
  parser.feed(answer_text(200, "", kCounts) + "SSH-2.0-OpenSSH\r\n\r\n");

  const auto good = parser.next();
  const auto bad = parser.next();

  ASSERT_TRUE(good && good->has_value());
  EXPECT_FALSE(bad);
}

TEST(AnswerParser, ForgetsAllOfAConnectionThatIsGone) {
  AnswerParser parser;
  const std::string text = answer_text(200, "", counts(1));
  parser.feed(text + text.substr(0, 10));
  ASSERT_TRUE(parser.next());

  parser.reset();
  const auto answers = parse(parser, {answer_text(200, "", counts(2))});

  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->size(), 1U);
  EXPECT_EQ(answers->front().accepted, 2U);
}

TEST(AnswerParser, SeesThatTheServerCloses) {
  const auto answers =
      parse(answer_text(200, "", kCounts) + answer_text(200, "CONNECTION: close\r\n", kCounts));

  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->size(), 2U);
  EXPECT_FALSE(answers->front().close);
  EXPECT_TRUE(answers->back().close);
}

TEST(AnswerParser, ReadsWhenToComeBack) {
  const auto answers = parse(answer_text(429, "Retry-After: 2\r\n", R"({"code":"busy"})"));

  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->size(), 1U);
  EXPECT_EQ(answers->front().status, 429);
  EXPECT_EQ(answers->front().accepted, 0U);
  EXPECT_EQ(answers->front().retry_after_s, 2U);
}

TEST(AnswerParser, RefusesWhatIsNoAnswer) {
  EXPECT_FALSE(parse("SSH-2.0-OpenSSH\r\n\r\n"));
  EXPECT_FALSE(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_FALSE(parse(answer_text(200, "", "{}")));
  EXPECT_FALSE(parse(std::string(20'000, 'x')));
}

}  // namespace
}  // namespace penstock::bench
