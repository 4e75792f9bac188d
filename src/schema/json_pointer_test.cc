#include "schema/json_pointer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using Tokens = std::vector<std::string>;

TEST(JsonPointer, SplitsAndUnescapesTokens) {
  EXPECT_EQ(JsonPointer::parse("")->tokens(), Tokens{});
  EXPECT_EQ(JsonPointer::parse("/")->tokens(), Tokens{""});
  EXPECT_EQ(JsonPointer::parse("/a/0/b c")->tokens(), (Tokens{"a", "0", "b c"}));
  EXPECT_EQ(JsonPointer::parse("/a~1b/m~0n/~01")->tokens(), (Tokens{"a/b", "m~n", "~1"}));
  EXPECT_EQ(JsonPointer::parse("//x/")->tokens(), (Tokens{"", "x", ""}));
  EXPECT_EQ(JsonPointer::parse("/\xC3\xA9")->tokens(), Tokens{"\xC3\xA9"});
}

TEST(JsonPointer, KeepsItsText) {
  EXPECT_EQ(JsonPointer::parse("/a~1b")->text(), "/a~1b");
}

TEST(JsonPointer, RefusesWhatIsNone) {
  for (const char* text : {"a", "a/b", "#/a", " /a", "/~", "/a~", "/~2", "/a/~x/b"}) {
    const Result<JsonPointer> pointer = JsonPointer::parse(text);

    ASSERT_FALSE(pointer.has_value()) << text;
    EXPECT_EQ(pointer.error().code(), ErrorCode::kInvalid);
    EXPECT_NE(pointer.error().message().find(text), std::string::npos);
  }
}

}  // namespace
}  // namespace penstock
