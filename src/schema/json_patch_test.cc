#include "schema/json_patch.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

std::string patched(std::string_view document, std::string_view operations) {
  const auto patch = JsonPatch::parse(operations);
  if (!patch) {
    return "no patch: " + patch.error().message();
  }
  const auto result = patch->apply(document);
  return result ? *result : "refused: " + result.error().message();
}

struct Case {
  const char* document;
  const char* patch;
  const char* result;
};

class Rfc6902 : public ::testing::TestWithParam<Case> {};

TEST_P(Rfc6902, IsFollowed) {
  EXPECT_EQ(patched(GetParam().document, GetParam().patch), GetParam().result);
}

// Appendix A, in its order, then what it says elsewhere.
constexpr Case kCases[] = {
    {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
     R"({"foo":"bar","baz":"qux"})"},
    {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
     R"({"foo":["bar","qux","baz"]})"},
    {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
    {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
     R"({"foo":["bar","baz"]})"},
    {R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
     R"({"baz":"boo","foo":"bar"})"},
    {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
     R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
     R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
    {R"({"foo":["all","grass","cows","eat"]})",
     R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
     R"({"foo":["all","cows","eat","grass"]})"},
    {R"({"baz":"qux","foo":["a",2,"c"]})",
     R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2.0}])",
     R"({"baz":"qux","foo":["a",2,"c"]})"},
    {R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])",
     "refused: the patch does not fit the event: test \"/baz\""},
    {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
     R"({"foo":"bar","child":{"grandchild":{}}})"},
    {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
     R"({"foo":"bar","baz":"qux"})"},
    {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])",
     "refused: the patch does not fit the event: add \"/baz/bat\""},
    {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
    {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])",
     "refused: the patch does not fit the event: test \"/~01\""},
    {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
     R"({"foo":["bar",["abc","def"]]})"},
    {R"({"a":1})", R"([{"op":"add","path":"","value":[null]}])", "[null]"},
    {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/a/c"}])",
     R"({"a":{"b":1,"c":{"b":1}}})"},
    {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a/b"}])",
     "refused: the patch does not fit the event: move \"/a/b\""},
    {R"([1])", R"([{"op":"add","path":"/3","value":2}])",
     "refused: the patch does not fit the event: add \"/3\""},
    {R"([1])", R"([{"op":"replace","path":"/00","value":2}])",
     "refused: the patch does not fit the event: replace \"/00\""},
    {R"({"a":1})", R"([{"op":"remove","path":"/b"}])",
     "refused: the patch does not fit the event: remove \"/b\""},
    {R"({"o":{"x":1,"y":[true]}})", R"([{"op":"test","path":"/o","value":{"y":[true],"x":1e0}}])",
     R"({"o":{"x":1,"y":[true]}})"},
};

INSTANTIATE_TEST_SUITE_P(JsonPatch, Rfc6902, ::testing::ValuesIn(kCases));

TEST(JsonPatch, ChangesNothingElse) {
  const char* const document =
      R"({"z":12345678901234567890.10,"a":"\u00e9\n","e":1E5,"n":null,"t":[ ],"o":{ "b" : false }})";

  EXPECT_EQ(patched(document, R"([{"op":"add","path":"/k","value":-0}])"),
            "{\"z\":12345678901234567890.10,\"a\":\"\u00e9\\n\",\"e\":1E5,\"n\":null,\"t\":[],"
            "\"o\":{\"b\":false},\"k\":-0}");
}

TEST(JsonPatch, SaysWhatIsNoPatch) {
  EXPECT_EQ(patched("{}", "{}"), "no patch: a patch is a list of operations (RFC 6902)");
  EXPECT_EQ(patched("{}", R"([{"op":"test","path":"","value":{}},{"op":"cut","path":"/a"}])"),
            "no patch: operation 1: \"op\" must be add, remove, replace, move, copy or test");
  EXPECT_EQ(patched("{}", R"([{"op":"remove"}])"), "no patch: operation 0: \"path\" is missing");
  EXPECT_EQ(patched("{}", R"([{"op":"add","path":"/a"}])"),
            "no patch: operation 0: \"value\" is missing");
  EXPECT_EQ(patched("{}", R"([{"op":"copy","path":"/a"}])"),
            "no patch: operation 0: \"from\" is missing");
}

TEST(JsonPatch, RefusesWhatIsNotJson) {
  for (const char* bad : {"", "{", "{\"a\":1,}", "[1 2]", "{\"a\" 1}", "{a:1}", "01", "\"\\x\"",
                          "\"\n\"", "\"a", "nul", "{} {}", "\"\xff\"", "-", "\"\\"}) {
    EXPECT_TRUE(patched(bad, "[]").starts_with("refused: not ")) << bad;
  }
  EXPECT_TRUE(patched(std::string(200, '['), "[]").starts_with("refused: not JSON"));
  EXPECT_EQ(patched(R"({"a":1,"b":2,"a":3})", "[]"), R"({"a":3,"b":2})");
}

}  // namespace
}  // namespace penstock
