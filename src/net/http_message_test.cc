#include "net/http_message.h"

#include <gtest/gtest.h>

namespace penstock::net {
namespace {

TEST(HttpRequest, FindsHeadersInAnyCase) {
  HttpRequest request;
  request.headers = {{"Content-Type", "a"}, {"X-One", "1"}, {"x-one", "2"}};

  EXPECT_EQ(request.header("content-TYPE"), "a");
  EXPECT_EQ(request.header("x-one"), "1");
  EXPECT_EQ(request.header("x-two"), std::nullopt);
}

TEST(HttpRequest, FindsQueryParameters) {
  HttpRequest request;
  request.query = "a=1&b=x%20y+z&c&=empty&d=%zz&a=2&%65=e";

  EXPECT_EQ(request.query_parameter("a"), "1");
  EXPECT_EQ(request.query_parameter("b"), "x y z");
  EXPECT_EQ(request.query_parameter("c"), "");
  EXPECT_EQ(request.query_parameter("d"), "%zz");
  EXPECT_EQ(request.query_parameter("e"), "e");
  EXPECT_EQ(request.query_parameter("f"), std::nullopt);
}

TEST(PercentDecode, UndoesEscapesAndRefusesHalfOnes) {
  EXPECT_EQ(*percent_decode("a%2fb%00+", PlusSign::kLiteral), std::string("a/b\0+", 5));
  EXPECT_EQ(*percent_decode("a+b", PlusSign::kSpace), "a b");
  for (const char* const text : {"%", "%1", "%g0", "%1g", "%-1", "% 1"}) {
    EXPECT_FALSE(percent_decode(text, PlusSign::kLiteral)) << text;
  }
}

TEST(ErrorBody, IsJson) {
  EXPECT_EQ(error_body("bad", "say \"please\""), R"({"code":"bad","message":"say \"please\""})");
  EXPECT_EQ(error_body("bad", "no \xff\xc3!"), R"({"code":"bad","message":"no ??!"})");
}

}  // namespace
}  // namespace penstock::net
