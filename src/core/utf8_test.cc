#include "core/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

// The encoding of any number as UTF-8 would do it, allowed or not.
std::string encode(unsigned code_point) {
  const auto byte = [](unsigned value) { return static_cast<char>(value); };
  if (code_point < 0x80) {
    return {byte(code_point)};
  }
  const char last = byte(0x80 | (code_point & 63));
  if (code_point < 0x800) {
    return {byte(0xc0 | code_point >> 6), last};
  }
  const char middle = byte(0x80 | (code_point >> 6 & 63));
  if (code_point < 0x10000) {
    return {byte(0xe0 | code_point >> 12), middle, last};
  }
  return {byte(0xf0 | code_point >> 18), byte(0x80 | (code_point >> 12 & 63)), middle, last};
}

TEST(Utf8, TakesEveryCodePointButSurrogates) {
  for (unsigned code_point = 0; code_point < 0x120000; ++code_point) {
    const bool allowed = code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff);
    ASSERT_EQ(is_utf8(encode(code_point)), allowed) << std::hex << code_point;
  }
}

TEST(Utf8, RefusesCutOffSequences) {
  for (const unsigned code_point : {0xe9U, 0x20acU, 0x1f600U}) {
    const std::string whole = encode(code_point);
    for (std::size_t size = 1; size < whole.size(); ++size) {
      EXPECT_FALSE(is_utf8(whole.substr(0, size)));
      EXPECT_FALSE(is_utf8(whole.substr(0, size) + "a"));
    }
  }
}

TEST(Utf8, RefusesOverlongForms) {
  EXPECT_FALSE(is_utf8("\xc0\x80"));
  EXPECT_FALSE(is_utf8("\xc1\xbf"));
  EXPECT_FALSE(is_utf8("\xe0\x9f\xbf"));
  EXPECT_FALSE(is_utf8("\xf0\x8f\xbf\xbf"));
}

TEST(Utf8, RefusesBytesThatBeginNothing) {
  EXPECT_FALSE(is_utf8("\x80"));
  EXPECT_FALSE(is_utf8("a\xbf"));
  EXPECT_FALSE(is_utf8("\xf5\x80\x80\x80"));
  EXPECT_FALSE(is_utf8("\xff"));
}

TEST(Utf8, TakesTextOfManyScripts) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain, gr\xc3\xbc\xc3\x9f, \xe2\x82\xac, \xf0\x9f\x98\x80"));
}

}  // namespace
}  // namespace penstock
