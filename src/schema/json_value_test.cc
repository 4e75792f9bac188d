#include "schema/json_value.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "core/json_string.h"

namespace penstock {
namespace {

JsonValue number(std::string_view raw) {
  return {raw, JsonType::kNumber, false};
}

JsonValue string(std::string_view raw) {
  return {raw, JsonType::kString, raw.find('\\') != std::string_view::npos};
}

TEST(JsonValue, ReadsIntegersExactly) {
  EXPECT_EQ(number("0").as_int64(), 0);
  EXPECT_EQ(number("-0").as_int64(), 0);
  EXPECT_EQ(number("9223372036854775807").as_int64(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(number("-9223372036854775808").as_int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(number("7.0").as_int64(), 7);
  EXPECT_EQ(number("7e2").as_int64(), 700);
  EXPECT_EQ(number("-2.5e1").as_int64(), -25);
}

TEST(JsonValue, RefusesToRoundToAnInteger) {
  EXPECT_FALSE(number("7.5").as_int64());
  EXPECT_FALSE(number("9223372036854775808").as_int64());
  EXPECT_FALSE(number("1e19").as_int64());
  EXPECT_FALSE(number("1e400").as_int64());
  EXPECT_FALSE(string("7").as_int64());
  EXPECT_FALSE(JsonValue().as_int64());
}

TEST(JsonValue, ReadsDoubles) {
  EXPECT_EQ(number("0.1").as_double(), 0.1);
  EXPECT_EQ(number("-1.5e300").as_double(), -1.5e300);
  EXPECT_EQ(number("123456789012345678901234567890").as_double(), 123456789012345678901234567890.0);
  EXPECT_EQ(number("2.2250738585072011e-308").as_double(), 2.2250738585072011e-308);
  EXPECT_EQ(number("1e-400").as_double(), 0.0);
  EXPECT_FALSE(number("1e400").as_double());
  EXPECT_FALSE(number("-1e400").as_double());
  EXPECT_FALSE(string("1").as_double());
}

TEST(JsonValue, ReadsBools) {
  EXPECT_EQ((JsonValue{"true", JsonType::kBool, false}).as_bool(), true);
  EXPECT_EQ((JsonValue{"false", JsonType::kBool, false}).as_bool(), false);
  EXPECT_FALSE(string("true").as_bool());
  EXPECT_FALSE(JsonValue().as_bool());
}

TEST(JsonValue, UnescapesStringsOnlyIfNeeded) {
  std::string scratch = "untouched";
  const JsonValue plain = string("caf\xC3\xA9");
  EXPECT_EQ(string_text(plain, scratch).data(), plain.raw.data());
  EXPECT_EQ(scratch, "untouched");

  EXPECT_EQ(string_text(string(R"(a\"\\\/\b\f\n\r\tz)"), scratch), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(string_text(string(R"(\u0041\u00e9\u20AC\uD83D\uDE00)"), scratch),
            "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(string_text(string(R"(a\u0000b)"), scratch), std::string_view("a\0b", 3));
  EXPECT_EQ(string_text(string(R"(\uD7FF\uE000\uDBFF\uDFFF)"), scratch),
            "\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF");
}

TEST(JsonValue, CopiesBadEscapesAsTheyStand) {
  std::string text;
  for (const char* raw : {R"(\x)", R"(\u12)", R"(\uD83D)", R"(\uDE00z)", R"(\uD83D\u0041)", "\\"}) {
    ASSERT_NE(find_bad_escape(raw), nullptr) << raw;
    unescape_json(raw, text);
    EXPECT_EQ(text.front(), '\\') << raw;
  }
}

TEST(JsonValue, MakesKeysOfScalars) {
  std::string scratch;
  EXPECT_EQ(key_text(string("a"), scratch), "a");
  EXPECT_EQ(key_text(string(R"(a\nb)"), scratch), "a\nb");
  EXPECT_EQ(key_text(string(""), scratch), "");
  EXPECT_EQ(key_text(number("1.50"), scratch), "1.50");
  EXPECT_EQ(key_text({"true", JsonType::kBool, false}, scratch), "true");
  EXPECT_FALSE(key_text({"null", JsonType::kNull, false}, scratch));
  EXPECT_FALSE(key_text({"{}", JsonType::kObject, false}, scratch));
  EXPECT_FALSE(key_text({"[]", JsonType::kArray, false}, scratch));
  EXPECT_FALSE(key_text(JsonValue(), scratch));
}

}  // namespace
}  // namespace penstock
