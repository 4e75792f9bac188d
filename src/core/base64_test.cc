#include "core/base64.h"

#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

std::string base64(std::string_view text) {
  std::string out;
  append_base64(out, as_bytes(text));
  return out;
}

TEST(Base64, GivesTheExamplesOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, UsesTheWholeAlphabet) {
  EXPECT_EQ(base64(std::string_view("\x00\x10\x83\xfb\xef\xbe\xff\xff\xff", 9)), "ABCD++++////");
}

TEST(Base64, ReadsBackWhatItWrote) {
  for (const std::string_view text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    const auto bytes = decode_base64(base64(text));
    ASSERT_TRUE(bytes);
    EXPECT_EQ(as_text(*bytes), text);
  }
}

TEST(Base64, RefusesWhatIsNotBase64) {
  for (const std::string_view text : {"Z", "Zg", "Zg=", "Zg=a", "Z===", "====", "Zm9*", "Zm 9"}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

}  // namespace
}  // namespace penstock
