#include "config/column.h"

#include <gtest/gtest.h>

#include "config/config.h"

namespace penstock::config {
namespace {

TEST(Column, IsReadFromTheRightSoThatPointersMayHoldColons) {
  EXPECT_EQ(parse_column("/user/id:user_id:bigint:not null"),
            (Column{"/user/id", "user_id", ColumnType::kBigint, true}));
  EXPECT_EQ(parse_column("/a:b/c:price:double precision"),
            (Column{"/a:b/c", "price", ColumnType::kDouble, false}));
  EXPECT_EQ(parse_column(":event:jsonb"), (Column{"", "event", ColumnType::kJsonb, false}));
}

TEST(Column, IsNothingElse) {
  for (const char* bad : {"", "a", "/a", "/a:a", "/a:a:int", "a:a:text", "/a::text", "/a:A:text",
                          "/a:1a:text", "/a:a b:text", "/a~2:a:text", "/a:a:text:null"}) {
    EXPECT_EQ(parse_column(bad), std::nullopt) << bad;
  }
}

struct Mistake {
  const char* toml;
  const char* sentence;
};

constexpr const char* kBegin =
    "[[topic]]\nname = \"web\"\n[[postgres]]\nname = \"db\"\ntopic = \"web\"\n"
    "connection = \"host=db\"\n";

class PostgresMistakes : public ::testing::TestWithParam<Mistake> {};

TEST_P(PostgresMistakes, AreOneSentenceThatNamesPlaceAndSetting) {
  const auto config = parse_config(std::string(kBegin) + GetParam().toml, "p.toml");

  ASSERT_FALSE(config) << describe(*config);
  EXPECT_EQ(config.error().message(), GetParam().sentence);
}

constexpr Mistake kMistakes[] = {
    {"columns = [\"/a:a:text\"]\n", "p.toml:3: postgres \"db\": table is missing"},
    {"table = \"t\"\n",
     "p.toml:3: postgres \"db\": columns is missing\n"
     "p.toml:3: postgres \"db\": columns must have at least one"},
    {"table = \"T\"\ncolumns = [\"/a:a:text\"]\n",
     "p.toml:7: postgres \"db\": table must be a table's name in lower case, such as \"events\" or "
     "\"app.events\", not \"T\""},
    {"table = \"t\"\ncolumns = [\"/a:a:int\"]\n",
     "p.toml:8: postgres \"db\": columns must be a list of columns, such as "
     "[\"/user/id:user_id:bigint:not null\"]; types are text, bigint, double precision, boolean, "
     "timestamptz, jsonb and numeric, not [\"/a:a:int\"]"},
    {"table = \"t\"\ncolumns = [\"/a:a:text\", \"/b:a:text\"]\n",
     "p.toml:8: postgres \"db\": columns must not have \"a\" twice"},
    {"table = \"t\"\ncolumns = [\"/a:a:text\"]\nmode = \"upsert\"\n",
     "p.toml:3: postgres \"db\": key must be given where mode is \"upsert\""},
    {"table = \"t\"\ncolumns = [\"/a:user_id:text\"]\nmode = \"upsert\"\nkey = [\"user_di\"]\n",
     "p.toml:10: postgres \"db\": key must be of the columns, and \"user_di\" is not; did you mean "
     "\"user_id\"?"},
    {"table = \"t\"\ncolumns = [\"/a:a:text\"]\nkey = [\"a\"]\n",
     "p.toml:9: postgres \"db\": key means nothing where mode is \"append\""},
    {"table = \"t\"\ncolumns = [\"/a:a:text\"]\npassword = \"geheim\"\n",
     "p.toml:9: postgres \"db\": password must be \"${env:NAME}\" or \"${file:PATH}\": passwords "
     "stand outside of the file"},
    {"table = \"t\"\ncolumns = [\"/a:a:text\"]\n[[postgres]]\nname = \"db\"\ntopic = \"wbe\"\n"
     "connection = \"host=db password=x\"\ntable = \"t\"\ncolumns = [\"/a:a:text\"]\n",
     "p.toml:10: postgres \"db\": name must be a name of its own: there is another sink \"db\"\n"
     "p.toml:11: postgres \"db\": topic must be a topic that is declared with [[topic]], or the "
     "name of an [[aggregate]], not \"wbe\"; did you mean \"web\"?\n"
     "p.toml:12: postgres \"db\": connection must not hold a password; postgres.password says "
     "where it is"},
};

INSTANTIATE_TEST_SUITE_P(Config, PostgresMistakes, ::testing::ValuesIn(kMistakes));

TEST(PostgresSettings, ReadBackAsDescribed) {
  const auto config = parse_config(std::string(kBegin) +
                                       "table = \"app.t\"\nmode = \"upsert\"\nkey = [\"a\"]\n"
                                       "columns = [\"/a:a:text:not null\", \":event:jsonb\"]\n"
                                       "password = \"${env:PGPASSWORD}\"\n",
                                   "p.toml");
  ASSERT_TRUE(config) << config.error().message();

  const auto again = parse_config(describe(*config), "described");

  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, *config);
}

TEST(PostgresSettings, SayWhereTablesAreRead) {
  const std::string begin = std::string(kBegin) + "table = \"t\"\ncolumns = [\"/a:a:text\"]\n";

  const auto without = parse_config(begin + "read_from = \"replica\"\n", "p.toml");
  const auto unused = parse_config(begin + "replica = \"host=b\"\n", "p.toml");
  const auto right =
      parse_config(begin + "replica = \"host=b\"\nread_from = \"replica\"\n", "p.toml");

  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().message(),
            "p.toml:3: postgres \"db\": replica must be given where read_from is \"replica\"");
  ASSERT_FALSE(unused);
  EXPECT_EQ(unused.error().message(),
            "p.toml:9: postgres \"db\": replica means nothing without read_from");
  ASSERT_TRUE(right) << right.error().message();
  EXPECT_EQ(*parse_config(describe(*right), "described"), *right);
}

TEST(SqliteSettings, AreCheckedAsThoseOfPostgresAndReadBackAsDescribed) {
  const std::string begin =
      "[[topic]]\nname = \"web\"\n[[sqlite]]\nname = \"db\"\ntopic = \"web\"\n"
      "columns = [\"/a:a:text\"]\n";

  const auto wrong = parse_config(begin + "table = \"app.t\"\nkey = [\"b\"]\n", "p.toml");
  const auto right = parse_config(begin + "table = \"t\"\nfile = \"x.db\"\n", "p.toml");

  ASSERT_FALSE(wrong);
  EXPECT_EQ(
      wrong.error().message(),
      "p.toml:7: sqlite \"db\": table must be without a schema: a file has none\n"
      "p.toml:8: sqlite \"db\": key means nothing where mode is \"append\"\n"
      "p.toml:8: sqlite \"db\": key must be of the columns, and \"b\" is not; did you mean \"a\"?");
  ASSERT_TRUE(right) << right.error().message();
  EXPECT_EQ(*parse_config(describe(*right), "described"), *right);
}

TEST(PostgresSettings, RefuseAPasswordInAUri) {
  const auto config = parse_config(
      "[[topic]]\nname = \"web\"\n[[postgres]]\nname = \"db\"\n"
      "topic = \"web\"\ntable = \"t\"\ncolumns = [\"/a:a:text\"]\n"
      "connection = \"postgresql://me:secret@db/app\"\n",
      "p.toml");

  EXPECT_FALSE(config);
}

}  // namespace
}  // namespace penstock::config
