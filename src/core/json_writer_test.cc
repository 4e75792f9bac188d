#include "core/json_writer.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(JsonWriter, PutsCommasBetweenMembersAndElementsOnly) {
  std::string out;
  JsonWriter json(out);

  json.begin_object().key("a").value(1).key("b").begin_array().value("x").value(true).null();
  json.begin_object().end_object().begin_array().end_array().end_array();
  json.key("c").raw("{\"d\": [1]}").end_object();

  EXPECT_EQ(out, R"({"a":1,"b":["x",true,null,{},[]],"c":{"d": [1]}})");
}

TEST(JsonWriter, EscapesQuotesBackslashesAndControlCharactersAndNothingElse) {
  std::string out;

  append_json_string(out, std::string_view("a\"b\\c/\b\f\n\r\t\x01\x1f\0\x7f \xc3\xa9", 18));

  EXPECT_EQ(out, "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\\u0000\x7f \xc3\xa9\"");
}

TEST(JsonWriter, EscapesKeys) {
  std::string out;
  JsonWriter json(out);

  json.begin_object().key("/a\"b").value(false).end_object();

  EXPECT_EQ(out, R"({"/a\"b":false})");
}

TEST(JsonWriter, WritesIntegersExactly) {
  std::string out;
  JsonWriter json(out);

  json.begin_array();
  json.value(std::numeric_limits<std::int64_t>::min());
  json.value(std::numeric_limits<std::uint64_t>::max());
  json.value(std::int8_t{-1}).value(std::uint16_t{65535});
  json.end_array();

  EXPECT_EQ(out, "[-9223372036854775808,18446744073709551615,-1,65535]");
}

TEST(JsonWriter, WritesDoublesAsTheShortestTextThatReadsBack) {
  std::string out;
  JsonWriter json(out);

  json.begin_array().value(0.1).value(3456.0).value(1e300).value(-2.5e-7).value(1.0 / 3);
  json.value(std::numeric_limits<double>::infinity()).value(std::nan("")).end_array();

  EXPECT_EQ(out, "[0.1,3456,1e+300,-2.5e-07,0.3333333333333333,null,null]");
}

}  // namespace
}  // namespace penstock
