#include "schema/json_scanner.h"

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "schema/scan_for_test.h"

namespace penstock {
namespace {

using Strings = std::vector<std::string>;

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

TEST(JsonScanner, TakesOneObject) {
  const Scan result = scan(R"({"a":1})");

  EXPECT_EQ(result.body, JsonScanner::Body::kPieces);
  EXPECT_EQ(result.events(), Strings{R"({"a":1})"});
  EXPECT_TRUE(result.malformed().empty());
}

TEST(JsonScanner, TakesAnObjectOfManyLinesAsOne) {
  const std::string pretty = "{\n  \"a\": 1,\n  \"b\": [\n    {},\n    {}\n  ]\n}";

  EXPECT_EQ(scan("\r\n" + pretty + "\r\n\r\n" + pretty + "\n").events(), (Strings{pretty, pretty}));
}

TEST(JsonScanner, TakesTheSameEventsFromEveryShapeOfBody) {
  const Strings events = {R"({"a":1})", R"({"b":"}{"})", R"({})", R"({"c":[{"d":2},[]]})"};
  const Strings shapes = {
      R"({"a":1}{"b":"}{"}{}{"c":[{"d":2},[]]})",
      "{\"a\":1}\n{\"b\":\"}{\"}\n{}\n{\"c\":[{\"d\":2},[]]}\n",
      "{\"a\":1}\r\n\r\n{\"b\":\"}{\"}\r\n  {}\r\n\t{\"c\":[{\"d\":2},[]]}",
      R"([{"a":1},{"b":"}{"},{},{"c":[{"d":2},[]]}])",
      "\xEF\xBB\xBF [\n  {\"a\":1} ,\n  {\"b\":\"}{\"},\n  {},{\"c\":[{\"d\":2},[]]}\n]\n",
      "[{\"a\":1}]\n[{\"b\":\"}{\"},{}]\n[]\n{\"c\":[{\"d\":2},[]]}",
  };
  for (const std::string& shape : shapes) {
    const Scan result = scan(shape);
    EXPECT_EQ(result.events(), events) << shape;
    EXPECT_TRUE(result.malformed().empty()) << shape;
  }
}

TEST(JsonScanner, FindsNothingInABodyOfWhiteSpace) {
  for (const char* body : {"", " ", "\n\r\n\t ", "\xEF\xBB\xBF", "\xEF\xBB\xBF\n"}) {
    const Scan result = scan(body);
    EXPECT_EQ(result.body, JsonScanner::Body::kEmpty);
    EXPECT_TRUE(result.pieces.empty());
  }
  EXPECT_TRUE(scan("[]").pieces.empty());
  EXPECT_TRUE(scan(" [ ] [\n]").pieces.empty());
}

TEST(JsonScanner, RefusesABodyInWhichNoEventCanBeToldApart) {
  for (const std::string& body :
       {std::string("hello"), std::string("<html>\n<body>\n</html>"), std::string("name=foo&x=1"),
        std::string("\xFF\xFE{\0}\0", 6), std::string("\x1f\x8b\x08\0\0\0", 6),
        std::string("'{\"a\":1}'"), std::string("\0", 1), std::string("x{\"a\":1}")}) {
    const Scan result = scan(body);
    EXPECT_EQ(result.body, JsonScanner::Body::kNotJson) << body;
    EXPECT_TRUE(result.pieces.empty()) << body;
  }
}

TEST(JsonScanner, GoesOnIfALaterLineCouldBeAnEvent) {
  const Scan result = scan("# a comment\n{\"a\":1}\n");

  EXPECT_EQ(result.body, JsonScanner::Body::kPieces);
  EXPECT_EQ(result.events(), Strings{R"({"a":1})"});
  EXPECT_EQ(result.malformed(), Strings{"# a comment"});
}

TEST(JsonScanner, RefusesValuesThatAreNoObjects) {
  for (const std::string& body : {std::string(R"(1 "x" {"a":1} null {"b":2} true)"),
                                  std::string(R"([1,"x",{"a":1},null,{"b":2},[{"c":3}]])")}) {
    const Scan result = scan(body);
    EXPECT_EQ(result.events(), (Strings{R"({"a":1})", R"({"b":2})"}));
    ASSERT_EQ(result.malformed().size(), 4U);
    for (const ScannedPiece& piece : result.pieces) {
      EXPECT_TRUE(piece.ok() || piece.error == JsonErrorCode::kNotAnObject) << piece.raw;
    }
  }
}

// What comes before and after a malformed piece in each shape of a body survives it.
struct Damage {
  std::string body;
  Strings events;
  Strings malformed;
};

TEST(JsonScanner, IsolatesWhatIsMalformed) {
  const std::string a = R"({"a":1})";
  const std::string b = R"({"b":2})";
  const std::vector<Damage> cases = {
      // NDJSON: the line.
      {a + "\n{\"x\":}\n" + b, {a, b}, {"{\"x\":}"}},
      {a + "\n{\"x\":1\n" + b, {a, b}, {"{\"x\":1"}},
      {a + "\n{\"x\":\"1}\n" + b, {a, b}, {"{\"x\":\"1}"}},
      {a + "\n{\"x\":{\"y\":[1\n" + b, {a, b}, {"{\"x\":{\"y\":[1"}},
      {a + "\n\"x\":1}\n" + b, {a, b}, {"\"x\"", ":", "1", "}"}},
      {a + "\nnonsense\nmore nonsense\n" + b, {a, b}, {"nonsense", "more nonsense"}},
      {a + "\n{'x':1}\r\n" + b, {a, b}, {"{'x':1}"}},
      {a + "\n{\"x\":1}}\n" + b, {a, "{\"x\":1}", b}, {"}"}},
      {a + "\n{\"x\":\"\\\n" + b, {a, b}, {"{\"x\":\"\\"}},
      {a + "\n{\n" + b, {a, b}, {"{"}},
      {a + "\n\\\"\n" + b, {a, b}, {"\\\""}},
      {"nul\n" + a, {a}, {"nul"}},
      // Concatenated: up to the closing bracket.
      {a + "{\"x\":}" + b, {a, b}, {"{\"x\":}"}},
      {a + "{\"x\":[1,2}}" + b, {a, b}, {"{\"x\":[1,2}", "}"}},
      {a + "," + b + ",", {a, b}, {",", ","}},
      {a + "}} ]" + b, {a, b}, {"}} ]"}},
      {a + "{\"x\":\"}" + b, {a}, {"{\"x\":\"}" + b}},
      // Pretty-printed: its lines are indented deeper, or begin with its closing bracket.
      {a + "\n{\n  \"x\": bad,\n  \"y\": [\n    {\"z\":1}\n  ]\n}\n" + b,
       {a, b},
       {"{\n  \"x\": bad,\n  \"y\": [\n    {\"z\":1}\n  ]\n}"}},
      {a + "\n{\n  \"x\": \"1,\n  \"y\": {}\n}\n" + b,
       {a, b},
       {"{\n  \"x\": \"1,\n  \"y\": {}\n}"}},
      {a + "\n{\n  \"x\": 1,\n  \"y\": {\n" + b, {a, b}, {"{\n  \"x\": 1,\n  \"y\": {"}},
      // Lists: up to the next comma between elements.
      {"[" + a + ",{\"x\":}," + b + "]", {a, b}, {"{\"x\":}"}},
      {"[" + a + ",{\"x\":[1,2}," + b + "]", {a, b}, {"{\"x\":[1,2}"}},
      {"[" + a + ",{\"x\":1}}," + b + "]", {a, "{\"x\":1}", b}, {"}"}},
      {"[" + a + ",oops," + b + "]", {a, b}, {"oops"}},
      {"[" + a + " {\"x\":1}," + b + "]", {a, b}, {"{\"x\":1}"}},
      {"[" + a + ",," + b + "]", {a, b}, {","}},
      {"[," + a + "]", {a}, {","}},
      {"[" + a + ",]" + b, {a, b}, {","}},
      {"[" + a + ",,]", {a}, {","}},
      {"[" + a + "," + b, {a, b}, {"["}},
      {"[" + a + ",", {a}, {"["}},
      {"[", {}, {"["}},
      {"[" + a + ",{\"x\":", {a}, {"{\"x\":"}},
      {"[" + a + ",{\"x\":\"}," + b + "]", {a}, {"{\"x\":\"}," + b + "]"}},
      {"[\n" + a + ",\n{\"x\":\"},\n" + b + "\n]", {a, b}, {"{\"x\":\"},"}},
      {"[\n  " + a + ",\n  {\n    \"x\":\"1\n  },\n  " + b + "\n]",
       {a, b},
       {"{\n    \"x\":\"1\n  }"}},
      {"[\n  " + a + ",\n  {\n    \"x\":[\n  " + b + "\n]", {a, b}, {"{\n    \"x\":["}},
      {"]" + a, {a}, {"]"}},
      {a + "\n]\n" + b, {a, b}, {"]"}},
      {"[" + a + "]]" + b, {a, b}, {"]"}},
  };
  for (const Damage& damage : cases) {
    const Scan result = scan(damage.body);
    EXPECT_EQ(result.events(), damage.events) << damage.body;
    EXPECT_EQ(result.malformed(), damage.malformed) << damage.body;
  }
}

TEST(JsonScanner, FindsTheOneEventThatIsNotUtf8) {
  const std::string bad = "{\"x\":\"ab\xC3(\"}";
  const Scan result = scan("{\"a\":\"\xC3\xA9\"}\n" + bad + "\n{\"b\":2}");

  EXPECT_EQ(result.events(), (Strings{"{\"a\":\"\xC3\xA9\"}", "{\"b\":2}"}));
  ASSERT_EQ(result.malformed(), Strings{bad});
  EXPECT_EQ(result.pieces[1].error, JsonErrorCode::kInvalidUtf8);
  EXPECT_EQ(result.pieces[1].error_position, 11U + 8U);
}

TEST(JsonScanner, RefusesControlCharactersAndNulBytes) {
  const Scan result = scan(std::string("{\"x\":\"\0\"}\n{\"a\":1}\0{\"b\":2}", 25));

  EXPECT_EQ(result.events(), Strings{"{\"a\":1}"});
  EXPECT_EQ(result.malformed(),
            (Strings{std::string("{\"x\":\"\0\"}", 9), std::string("\0{\"b\":2}", 8)}));
  EXPECT_EQ(result.pieces[0].error_position, 6U);
}

TEST(JsonScanner, SaysTooDeepAndGoesOn) {
  JsonScanner::Options options;
  options.depth_max = 3;
  JsonScanner scanner(options);
  const std::string deep = R"({"a":[{"b":[]}]})";
  const Scan result = scan(scanner, R"({"a":[{}]})"
                                    "\n" +
                                        deep + "\n{}");

  EXPECT_EQ(result.events(), (Strings{R"({"a":[{}]})", "{}"}));
  EXPECT_EQ(result.malformed(), Strings{deep});
  EXPECT_EQ(result.pieces[1].error, JsonErrorCode::kTooDeep);
}

TEST(JsonScanner, SaysTooLargeAndGoesOn) {
  JsonScanner::Options options;
  options.event_bytes_max = 1000;
  options.window_bytes = 256;
  JsonScanner scanner(options);
  const std::string fits = "{\"s\":\"" + std::string(1000 - 8, 'x') + "\"}";
  for (const std::size_t size : {1001U, 2000U, 50'000U}) {
    const std::string large = "{\"s\":\"" + std::string(size - 8, 'x') + "\"}";
    for (const std::string& body : {fits + "\n" + large + "\n" + fits + "\n{}",
                                    "[" + fits + "," + large + "," + fits + ",{}]"}) {
      const Scan result = scan(scanner, body);

      EXPECT_EQ(result.events(), (Strings{fits, fits, "{}"})) << size;
      ASSERT_EQ(result.malformed(), Strings{large}) << size;
      EXPECT_EQ(result.pieces[1].error, JsonErrorCode::kTooLarge);
    }
  }
}

TEST(JsonScanner, TakesBodiesLargerThanItsWindow) {
  JsonScanner::Options options;
  options.window_bytes = 256;
  JsonScanner scanner(options);
  const std::string event = R"({"id":12345,"s":"x\"},{\"y\\","n":{"a":[1,2,3]}})";
  const std::string large = "{\"s\":[" + repeated("\"},{\",", 500) + "0]}";
  for (const std::string& separator : Strings{"\n", "", " , ", ",", ",\n  "}) {
    std::string body;
    for (std::size_t i = 0; i < 100; ++i) {
      body += (i == 0 ? "" : separator) + (i % 30 == 29 ? large : event);
    }
    if (separator.find(',') != std::string::npos) {
      body = "[" + body + "]";
    }
    const Scan result = scan(scanner, body);

    EXPECT_EQ(result.events().size(), 100U) << separator;
    EXPECT_TRUE(result.malformed().empty()) << separator;
  }
}

TEST(JsonScanner, ExtractsThePlansValues) {
  const ExtractPlan plan =
      plan_of({"/id", "/user/name", "/tags/1", "/missing", "/user", "", "/tags/1/x", "/id"});
  const std::string event = R"({"id":7,"user":{"age":3,"name":"Ann"},"tags":["a",{"x":null},"c"]})";
  const Scan result = scan(event, plan);

  ASSERT_EQ(result.pieces.size(), 1U);
  EXPECT_EQ(result.pieces[0].values, (Strings{"7", "\"Ann\"", "{\"x\":null}", "-",
                                              R"({"age":3,"name":"Ann"})", event, "null", "7"}));
}

TEST(JsonScanner, ExtractsByNamesHoweverTheyAreWritten) {
  const ExtractPlan plan = plan_of(
      {"/a~1b", "/~0", "/", "/\xC3\xA9", "/0", "/averyveryverylongname", "/averyveryverylongnamE"});
  const Scan result =
      scan(R"({"a\/b":1,"\u007e":2,"":3,"\u00E9":4,"0":5,"avery\u0076erylongname":6,)"
           R"("averyveryverylongname":7,"averyveryverylongnam\u0045":8})",
           plan);

  EXPECT_EQ(result.pieces.at(0).values, (Strings{"1", "2", "3", "4", "5", "7", "8"}));
}

TEST(JsonScanner, LetsTheLastDuplicateCount) {
  const ExtractPlan plan = plan_of({"/a", "/b/c", "/b", "/b/d"});
  const Scan result =
      scan(R"({"a":1,"b":{"c":2,"d":3},"a":"x","b":{"d":4}} {"b":{"c":1},"b":5})", plan);

  EXPECT_EQ(result.pieces.at(0).values, (Strings{"\"x\"", "-", R"({"d":4})", "4"}));
  EXPECT_EQ(result.pieces.at(1).values, (Strings{"-", "-", "5", "-"}));
}

TEST(JsonScanner, DoesNotMixUpContainersAndElements) {
  const ExtractPlan plan = plan_of({"/0", "/a/0/1", "/a/10", "/a/-", "/a/01"});
  const Scan result = scan(
      R"({"0":"zero","a":[["x","y"],1,2,3,4,5,6,7,8,9,"ten"]} {"a":{"0":{"1":5},"01":6,"-":7}})",
      plan);

  EXPECT_EQ(result.pieces.at(0).values, (Strings{"\"zero\"", "\"y\"", "\"ten\"", "-", "-"}));
  EXPECT_EQ(result.pieces.at(1).values, (Strings{"-", "5", "-", "7", "6"}));
}

TEST(JsonScanner, IsReusable) {
  JsonScanner scanner;
  EXPECT_EQ(scan(scanner, "[{\"a\":1},{").pieces.size(), 2U);
  EXPECT_EQ(scan(scanner, "{\"b\":2}").events(), Strings{"{\"b\":2}"});
  EXPECT_EQ(scan(scanner, "nonsense").body, JsonScanner::Body::kNotJson);
  EXPECT_EQ(scan(scanner, "{\"b\":2}").events(), Strings{"{\"b\":2}"});
}

// CPU time of scanning `unit` repeated up to `size` bytes.
double scan_seconds(const std::string& unit, std::size_t size) {
  JsonScanner scanner;
  const PaddedBuffer body = padded("{}\n" + repeated(unit, size / unit.size()));
  const ExtractPlan nothing;
  JsonPiece piece;
  const std::clock_t begin = std::clock();
  static_cast<void>(scanner.start(body, nothing));
  while (scanner.next(piece)) {
  }
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// Eight times the bytes may take eight times as long, and some noise; quadratic would be 64 times.
TEST(JsonScanner, TakesLinearTimeOnHostileBodies) {
  const Strings units = {"{\"a\":\"x\n",
                         "{\"a\":[\n",
                         "{",
                         "[",
                         "[{",
                         "{\"a\":",
                         "\"",
                         "\\",
                         "{}}",
                         "{x}",
                         "[{x},\n",
                         "\n",
                         "{\n",
                         "[1,\n",
                         "{\"\\\n",
                         "]\n",
                         "}",
                         "{\"a\":[1,\n",
                         "{{{}}}]]]",
                         "[{\"x\":\"},",
                         " ",
                         ",",
                         "1",
                         "1 ",
                         "x\n",
                         "{\"a\":1}\xFF\n",
                         "{\"a\":1,\n\n",
                         "{x}   "};
  for (const std::string& unit : units) {
    const double small = scan_seconds(unit, 24 * kKiB);
    const double large = scan_seconds(unit, 8 * 24 * kKiB);

    EXPECT_LT(large, 30 * std::max(small, 0.001)) << unit;
  }
}

}  // namespace
}  // namespace penstock
