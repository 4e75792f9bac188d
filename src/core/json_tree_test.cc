#include "core/json_tree.h"

#include <string>

#include <gtest/gtest.h>

#include "core/json_writer.h"

namespace penstock {
namespace {

TEST(JsonTree, ReadsWhatTheWriterWrites) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("name").value("a\"b\\\n\x01 \xC3\xA9").key("count").value(-12);
  json.key("list").begin_array().value(1).value("two").end_array().key("none").null();
  json.key("yes").value(true).key("no").value(false).end_object();

  const auto tree = parse_json(text);

  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(tree->text_of("name"), "a\"b\\\n\x01 \xC3\xA9");
  EXPECT_EQ(tree->integer_of("count"), -12);
  ASSERT_EQ(tree->elements_of("list").size(), 2U);
  EXPECT_EQ(tree->elements_of("list")[1].text, "two");
  EXPECT_EQ(tree->find("none")->kind, JsonTree::Kind::kNull);
  EXPECT_TRUE(tree->find("yes")->is_true());
  EXPECT_FALSE(tree->find("no")->is_true());
}

TEST(JsonTree, ResolvesEscapes) {
  const auto tree = parse_json(R"( ["A\u00e9\u20ac\ud83d\ude00\/"] )");

  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(tree->children[0].text, "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80/");
}

TEST(JsonTree, AnswersNothingForFieldsThatAreNotThereOrOtherwise) {
  const auto tree = parse_json(R"({"text":"a","half":0.5,"large":99999999999999999999})");

  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->find("other"), nullptr);
  EXPECT_EQ(tree->text_of("half"), "");
  EXPECT_EQ(tree->integer_of("text"), std::nullopt);
  EXPECT_EQ(tree->integer_of("half"), std::nullopt);
  EXPECT_EQ(tree->integer_of("large"), std::nullopt);
  EXPECT_TRUE(tree->elements_of("text").empty());
}

TEST(JsonTree, IsWrittenAsItWasReadWithoutSpaces) {
  const auto tree =
      parse_json(R"( { "b" : [ 1.50e+3 , true , null , { } ] , "a" : "\u0001/\"" } )");

  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(tree->json(), R"({"b":[1.50e+3,true,null,{}],"a":"\u0001/\""})");
}

TEST(JsonTree, OfMembersWithOneNameHasTheLast) {
  const auto tree = parse_json(R"({"a":1,"b":2,"a":3})");

  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(tree->json(), R"({"a":3,"b":2})");
}

TEST(JsonTree, RefusesWhatIsNoJson) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[1",
                           "[1,]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{a:1}",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"\xff\"",
                           "01",
                           "-",
                           "1.",
                           "1e",
                           "tru",
                           "nul",
                           "1 2",
                           "[1}",
                           "\"\n\""}) {
    const auto tree = parse_json(text);
    EXPECT_FALSE(tree.has_value()) << text;
  }
  EXPECT_FALSE(parse_json(std::string(1000, '[')).has_value());
}

}  // namespace
}  // namespace penstock
