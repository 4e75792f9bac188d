// Which texts are JSON. Our own table covers every category of the public JSONTestSuite; the suite
// itself, unpacked by tools/setup, is run in full.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "schema/scan_for_test.h"

namespace penstock {
namespace {

using Texts = std::vector<std::string>;

std::optional<JsonError> check(std::string_view text) {
  JsonScanner scanner;
  return scanner.validate(padded(text));
}

// Values that are JSON wherever a value may stand.
const Texts kGoodValues = {
    // numbers
    "0",
    "-0",
    "7",
    "-1",
    "10",
    "1234567890123456",
    "12345678901234567",
    "-123456789012345678901234",
    "0.0",
    "-0.0",
    "0.5",
    "12.25",
    "-3.125",
    "1234567890123.5",
    "3.14159265358979323846",
    "0e0",
    "0e+1",
    "0E-1",
    "1e5",
    "1E5",
    "1e+5",
    "1e-5",
    "12.5e10",
    "-12.5E-10",
    "1e400",
    "-1e-400",
    "0.000000000000000000000000000000000000000000000001",
    "123123e100000",
    "-0.1e-7",
    "100",
    "1.0",
    "1.00000000000000000",
    // literals
    "true",
    "false",
    "null",
    // strings
    R"("")",
    R"(" ")",
    R"("a")",
    R"("0")",
    R"("\"")",
    R"("\\")",
    R"("\/")",
    R"("\b\f\n\r\t")",
    R"("\\\\\\\"")",
    R"("\\n")",
    R"("\\\"\\")",
    R"("\u0000")",
    R"("\u001f")",
    R"("\u007F")",
    R"("\u00e9\u00E9")",
    R"("\u2028\u2029")",
    R"("\uD83D\uDE00")",
    R"("\udbff\udfff")",
    R"("\uD800\uDC00")",
    R"("\uFFFF\uFDD0\uD83F\uDFFE")",
    R"("\u005C\u0022")",
    R"("/*no*/ //no")",
    R"("{\"a\":[1,2}")",
    R"("],},:")",
    "\"\x7f\"",
    "\"\xC3\xA9\"",
    "\"\xE2\x80\xA8\"",
    "\"\xEF\xBF\xBF\"",
    "\"\xF0\x9F\x98\x80\"",
    "\"\xF4\x8F\xBF\xBF\"",
    "\"\xF0\x90\x80\x80\"",
    "\"\xED\x9F\xBF\xEE\x80\x80\"",
    R"("\u0061\u30af\u30EA\u30b9")",
    // arrays
    "[]",
    "[ ]",
    "[\n]",
    "[[]]",
    "[[],[[]],{}]",
    "[1]",
    "[1,2,3]",
    "[ 1 , 2\t,\r\n3 ]",
    R"(["",0,-1.5e3,true,false,null,{},[]])",
    "[null,null,null,null]",
    "[[1,[2,[3]]],4]",
    // objects
    "{}",
    "{ }",
    R"({"":0})",
    R"({"a":1})",
    R"({ "a" : 1 , "b" : [ ] })",
    "{\n\"a\"\n:\n1\n}",
    R"({"a":{"b":{"c":{}}}})",
    R"({"a":1,"a":2,"a":1})",
    R"({"\u0061":1,"\"":2,"\\":3,"\u0000":4})",
    R"({"{":"}","[":"]",",":":"})",
    "{\"\xC3\xA9\":1}",
    R"({"min":-1.0e+28,"max":1.0e+28})",
};

// What is no JSON wherever a value may stand.
const Texts kBadValues = {
    // numbers
    "+1",
    "++1",
    "-",
    "--1",
    "+",
    "-a",
    "- 1",
    "01",
    "00",
    "-01",
    "-00.5",
    "012",
    "0x1",
    "0x42",
    "1.",
    "-1.",
    ".5",
    "-.5",
    ".",
    "1..2",
    "1.2.3",
    "1.e1",
    "1.5.",
    "0.",
    "0.e1",
    "1e",
    "1E",
    "1e+",
    "1e-",
    "1.5e",
    "1.5e+",
    "1eE2",
    "1e1.5",
    "1e5e5",
    "9.e+",
    "1_000",
    "1 000",
    "1,5",
    "1a",
    "12a",
    "1.2a",
    "-1x",
    "1.8011670033376514H-308",
    "Infinity",
    "-Infinity",
    "Inf",
    "+Inf",
    "NaN",
    "-NaN",
    "1+2",
    "0-1",
    "1-",
    "\xEF\xBC\x91",
    "1234567890123456x",
    "123456789012345x",
    "12345678901234567x",
    "1\x01",
    "12\x1f",
    "1\xE5",
    "1e1\xE5",
    "-\xE5",
    "0\xE5",
    // literals
    "t",
    "tr",
    "tru",
    "truE",
    "True",
    "TRUE",
    "trues",
    "true1",
    "f",
    "fals",
    "False",
    "falsey",
    "n",
    "nul",
    "Null",
    "NULL",
    "nulll",
    "null0",
    "nan",
    "undefined",
    "a",
    "abc",
    "*",
    "#",
    "@",
    "\xC3\xA9",
    "truefalse",
    "true\x01",
    "null\xC2\xA0",
    // strings
    "\"",
    "\"a",
    "a\"",
    "'a'",
    "'",
    "`a`",
    R"("\")",
    R"("\\\")",
    R"("\a")",
    R"("\x41")",
    R"("\U0041")",
    R"("\'")",
    R"("\0")",
    R"("\ ")",
    R"("\1")",
    R"("\u")",
    R"("\u1")",
    R"("\u12")",
    R"("\u123")",
    R"("\u123g")",
    R"("\u12 4")",
    R"("\uD8")",
    R"("\u-123")",
    R"("\u+123")",
    "\"\\\"",
    "\"\\\xF0\x9F\x98\x80\"",
    "\"\\u00\xE5\"",
    "\"\\\xE5\"",
    "\"a\nb\"",
    "\"a\tb\"",
    "\"a\rb\"",
    std::string("\"a\0b\"", 5),
    "\"\x01\"",
    "\"\x1f\"",
    "\"\\\n\"",
    R"("a"b)",
    R"("a""b")",
    R"("a" "b")",
    R"(\u0022a")",
    R"(\n)",
    R"("\uD83D")",
    R"("\uDE00")",
    R"("\uDE00\uD83D")",
    R"("\uD83D\u0041")",
    R"("\uD83Dx")",
    R"("\uD83D\n")",
    R"("\uD83D\uD83D\uDE00")",
    R"("\uD800\)",
    R"("\uD800\u")",
    R"("\uD800\u1x")",
    // not UTF-8
    "\"\xFF\"",
    "\"\x80\"",
    "\"\xC3\"",
    "\"\xC3(\"",
    "\"\xE2\x80\"",
    "\"\xE2(\xA8\"",
    "\"\xF0\x9F\x98\"",
    "\"\xC0\x80\"",
    "\"\xC1\xBF\"",
    "\"\xE0\x80\x80\"",
    "\"\xE0\x9F\xBF\"",
    "\"\xED\xA0\x80\"",
    "\"\xED\xBF\xBF\"",
    "\"\xF0\x80\x80\x80\"",
    "\"\xF4\x90\x80\x80\"",
    "\"\xF5\x80\x80\x80\"",
    "\"\xF8\x88\x80\x80\x80\"",
    "\xFF",
    "[\xE5]",
    "{\"\xB9\":0}",
    "{\"a\":\"\xB9\"}",
    "[\"\xE5\"]",
    // arrays
    "[",
    "]",
    "[1",
    "[1,",
    "[,",
    "[,]",
    "[1,]",
    "[1,,]",
    "[1,,2]",
    "[,1]",
    "[1 2]",
    "[1 true]",
    "[1:2]",
    "[1;2]",
    R"(["a":1])",
    "[1]]",
    "[[1]",
    "[[]",
    "[]]",
    "[1}",
    "[}",
    "[*]",
    "[-]",
    "[a]",
    "[1\n",
    "[\n",
    "[\f]",
    "[\v1]",
    "[1,\n1\n,1",
    "[nu]",
    "[tru]",
    "[fals]",
    "[\"a",
    "[\"a]",
    "[<null>]",
    "[1[2]]",
    "[{}",
    "[{]",
    "[3[4]]",
    "[\xEF\xBB\xBF]",
    "[]a",
    "[]#",
    "[][]",
    "[1],",
    "[1]x",
    "x[1]",
    // objects
    "{",
    "}",
    "{]",
    "{[",
    "{\"",
    "{\"a",
    "{\"a\"",
    "{\"a\"}",
    "{\"a\":",
    "{\"a\":}",
    "{\"a\":1",
    "{\"a\":1,",
    "{,",
    "{,}",
    R"({"a":1,})",
    R"({"a":1,,})",
    R"({,"a":1})",
    R"({"a":1,,"b":2})",
    R"({"a"1})",
    R"({"a" 1})",
    R"({"a",1})",
    R"({"a"::1})",
    R"({:1})",
    R"({"a":1 "b":2})",
    R"({"a":1:2})",
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    "{9999E9999:1}",
    "{null:null}",
    "{[]:1}",
    "{{}:1}",
    R"({"a":1}})",
    R"({"a":1}{)",
    R"({"a":1}#)",
    R"({"a":1}/**/)",
    R"({"a":/*c*/1})",
    R"({"a":1}//)",
    R"({"a":1}/)",
    R"({"a":"b"]", "{\"a\":1]", R"({"a":x})",
    R"({"a":"b)",
    R"({"a":"a" 1})",
    R"({"a" "b"})",
    R"({"a":{})",
    R"({"a":[})",
    R"({"a":[1,2})",
    "{*}",
    "{\"a\":1,\"b\"}",
    "{\"a\":1,2}",
    "{\"a\"\f:1}",
    "{\"a\x01:1}",
    "{\xF0\x9F\x98\x80}",
    // structure
    "",
    " ",
    "\n",
    "\t\r\n ",
    ",",
    ":",
    "<a>",
    "<.>",
    "\xE2\x81\xA0",
    "[\xE2\x81\xA0]",
    "\f",
    "\v",
    std::string("\0", 1),
    std::string("123\0", 4),
    std::string("[1]\0", 4),
    std::string("\0{}", 3),
    "1]",
    "1}",
    "1,",
    "true,false",
    "{}{}",
    "[]{}",
    "1 2",
    "\"a\" 1",
    "\\u000A\"\"",
    "\xEF\xBB",
    "\xEF",
};

// Puts `value` where values may stand, with white space around it, and at every position of
// stage 1's 64-byte blocks.
Texts in_context(const std::string& value) {
  Texts texts = {value,
                 " " + value,
                 value + "\n",
                 "\r\n\t " + value + " \t\r\n",
                 "[" + value + "]",
                 "[ " + value + " ]",
                 "[1," + value + ",2]",
                 "{\"k\":" + value + "}",
                 "{\"a\":1, \"k\" : " + value + " ,\"b\":[2]}",
                 "[[{\"k\":[" + value + "]}]]"};
  for (std::size_t shift = 1; shift < 66; ++shift) {
    texts.push_back("[\"" + std::string(shift, 'x') + "\"," + value + "]");
  }
  return texts;
}

TEST(JsonValidate, AcceptsEveryKindOfGoodValueInEveryPlace) {
  for (const std::string& value : kGoodValues) {
    for (const std::string& text : in_context(value)) {
      const std::optional<JsonError> error = check(text);
      EXPECT_FALSE(error.has_value()) << text << ": " << error->message;
    }
  }
}

TEST(JsonValidate, RefusesEveryKindOfBadValueByItself) {
  for (const std::string& value : kBadValues) {
    EXPECT_TRUE(check(value).has_value()) << value;
  }
}

// Inside a container some of them become good ("1,5" is two elements), so only those are taken that
// stay bad in an array and in an object.
TEST(JsonValidate, RefusesEveryKindOfBadValueInEveryPlace) {
  const Texts harmless_inside = {"1,5", "true,false"};
  for (const std::string& value : kBadValues) {
    const bool is_blank = value.find_first_not_of(" \t\r\n") == std::string::npos;
    if (is_blank ||
        std::find(harmless_inside.begin(), harmless_inside.end(), value) != harmless_inside.end()) {
      continue;
    }
    for (const std::string& text : in_context(value)) {
      EXPECT_TRUE(check(text).has_value()) << text;
    }
  }
}

TEST(JsonValidate, RefusesEveryTextThatIsCutShort) {
  const std::string text = R"({"a":[1,-2.5e3,"x\u00e9\\",true,{"b":null}],"c":{"d":[[],{}]}})";

  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_TRUE(check(text.substr(0, size)).has_value()) << text.substr(0, size);
  }
  EXPECT_FALSE(check(text).has_value());
}

TEST(JsonValidate, ToleratesAByteOrderMarkInFrontOnly) {
  EXPECT_FALSE(check("\xEF\xBB\xBF{}").has_value());
  EXPECT_TRUE(check("\xEF\xBB\xBF").has_value());
  EXPECT_TRUE(check("\xEF\xBB\xBF\xEF\xBB\xBF{}").has_value());
  EXPECT_TRUE(check("{}\xEF\xBB\xBF").has_value());
  EXPECT_TRUE(check("\xFF\xFE{\0}\0").has_value());
}

TEST(JsonValidate, LimitsDepth) {
  JsonScanner::Options options;
  options.depth_max = 10;
  JsonScanner scanner(options);
  const auto nested = [](std::size_t depth) {
    return padded(std::string(depth, '[') + std::string(depth, ']'));
  };

  EXPECT_FALSE(scanner.validate(nested(10)).has_value());
  EXPECT_EQ(scanner.validate(nested(11)).value().code, JsonErrorCode::kTooDeep);
  EXPECT_EQ(scanner.validate(padded(std::string(100'000, '['))).value().code,
            JsonErrorCode::kTooDeep);
}

TEST(JsonValidate, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string text;
    JsonErrorCode code;
    std::size_t position;
  };

  const std::vector<Case> cases = {
      {R"({"a":1,})", JsonErrorCode::kInvalidJson, 7},
      {"[1 2]", JsonErrorCode::kInvalidJson, 3},
      {R"(["a\qb"])", JsonErrorCode::kInvalidJson, 3},
      {"[1,2", JsonErrorCode::kInvalidJson, 4},
      {R"({"a":tru})", JsonErrorCode::kInvalidJson, 5},
      {"  [] x", JsonErrorCode::kInvalidJson, 5},
      {"[\"a\nb\"]", JsonErrorCode::kInvalidJson, 3},
      {"[\"ab\xFF\"]", JsonErrorCode::kInvalidUtf8, 4},
      {"   ", JsonErrorCode::kInvalidJson, 3},
  };
  for (const Case& expected : cases) {
    const std::optional<JsonError> error = check(expected.text);

    ASSERT_TRUE(error.has_value()) << expected.text;
    EXPECT_EQ(error->code, expected.code) << expected.text;
    EXPECT_EQ(error->position, expected.position) << expected.text << ": " << error->message;
    EXPECT_FALSE(error->message.empty());
  }
}

// The public suite: files named y_ must be accepted, n_ refused; of those named i_, which may be
// either, these are accepted: numbers of any size, and a byte order mark in front. The others have
// a surrogate without its partner, are not UTF-8, or are nested 500 deep.
const std::vector<std::string> kAcceptedByChoice = {
    "i_number_double_huge_neg_exp.json",
    "i_number_huge_exp.json",
    "i_number_neg_int_huge_exp.json",
    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",
    "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
    "i_structure_UTF-8_BOM_empty_object.json",
};

class JsonTestSuite : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::is_directory(PENSTOCK_JSON_TEST_SUITE))
        << "there is no folder " << PENSTOCK_JSON_TEST_SUITE << ": run `make setup`";
    for (const auto& entry : std::filesystem::directory_iterator(PENSTOCK_JSON_TEST_SUITE)) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::stringstream text;
      text << file.rdbuf();
      files_.emplace_back(entry.path().filename().string(), text.str());
    }
    std::sort(files_.begin(), files_.end());
  }

  [[nodiscard]] std::vector<std::string> accepted(char kind) const {
    std::vector<std::string> names;
    for (const auto& [name, text] : files_) {
      if (name.front() == kind && !check(text).has_value()) {
        names.push_back(name);
      }
    }
    return names;
  }

  [[nodiscard]] std::size_t count(char kind) const {
    return static_cast<std::size_t>(
        std::count_if(files_.begin(), files_.end(),
                      [&](const auto& file) { return file.first.front() == kind; }));
  }

  std::vector<std::pair<std::string, std::string>> files_;
};

TEST_F(JsonTestSuite, IsWhole) {
  EXPECT_EQ(count('y'), 95U);
  EXPECT_EQ(count('n'), 188U);
  EXPECT_EQ(count('i'), 35U);
}

TEST_F(JsonTestSuite, AcceptsAllThatItMustAndRefusesAllThatItMust) {
  EXPECT_EQ(accepted('y').size(), 95U);
  EXPECT_EQ(accepted('n'), std::vector<std::string>());
}

TEST_F(JsonTestSuite, AcceptsOfTheOthersWhatIsDocumented) {
  EXPECT_EQ(accepted('i'), kAcceptedByChoice);
}

TEST_F(JsonTestSuite, AgreesWhenItsCasesAreInsideAnEvent) {
  for (const auto& [name, text] : files_) {
    if (text.starts_with("\xEF\xBB\xBF")) {
      continue;  // a byte order mark is for the beginning only
    }
    const std::string event = "{\"v\":" + text + "}";
    const Scan result = scan("{\"before\":1}\n" + event + "\n{\"after\":1}");
    const std::vector<std::string> events = result.events();
    const bool valid = std::find(events.begin(), events.end(), event) != events.end();

    EXPECT_TRUE(name.front() != 'y' || valid) << name;
    EXPECT_TRUE(name.front() != 'n' || !valid) << name;
    EXPECT_EQ(events.front(), "{\"before\":1}") << name;
    EXPECT_EQ(events.back(), "{\"after\":1}") << name;
  }
}

}  // namespace
}  // namespace penstock
