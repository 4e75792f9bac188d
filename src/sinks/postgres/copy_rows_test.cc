#include "sinks/postgres/copy_rows.h"

#include <gtest/gtest.h>

namespace penstock::sinks {
namespace {

using config::ColumnType;

JsonValue json(std::string_view raw, JsonType type) {
  return {.raw = raw, .type = type, .escaped = raw.find('\\') != std::string_view::npos};
}

JsonValue text(std::string_view quoted) {
  return json(quoted.substr(1, quoted.size() - 2), JsonType::kString);
}

class CopyRowsTest : public ::testing::Test {
 protected:
  // The field's bytes, without its size; or the complaint.
  std::string field(ColumnType type, const JsonValue& value) {
    rows_.clear();
    rows_.begin_row(1);
    const std::string why = rows_.add_value({"/v", "v", type}, value);
    rows_.end_row();
    return why.empty() ? std::string(rows_.rows(0, 1).substr(6)) : "refused: " + why;
  }

  CopyRows rows_;
};

TEST_F(CopyRowsTest, WritesEachTypeAsTheServerReadsIt) {
  using namespace std::string_literals;
  EXPECT_EQ(field(ColumnType::kText, text("\"a\\u00e9\"")), "a\u00e9");
  EXPECT_EQ(field(ColumnType::kText, json("1.50", JsonType::kNumber)), "1.50");
  EXPECT_EQ(field(ColumnType::kBigint, json("-2", JsonType::kNumber)),
            "\xff\xff\xff\xff\xff\xff\xff\xfe"s);
  EXPECT_EQ(field(ColumnType::kDouble, json("1", JsonType::kNumber)), "\x3f\xf0\0\0\0\0\0\0"s);
  EXPECT_EQ(field(ColumnType::kBoolean, json("true", JsonType::kBool)), "\1");
  EXPECT_EQ(field(ColumnType::kTimestamptz, text("\"2000-01-01T00:00:01Z\"")),
            "\0\0\0\0\0\x0f\x42\x40"s);
  EXPECT_EQ(field(ColumnType::kTimestamptz, json("946684800000", JsonType::kNumber)),
            "\0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(field(ColumnType::kJsonb, json("{\"a\":1}", JsonType::kObject)), "\1{\"a\":1}");
  EXPECT_EQ(field(ColumnType::kJsonb, text("\"x\"")), "\1\"x\"");
  EXPECT_EQ(field(ColumnType::kNumeric, text("\"1\"")), "\0\1\0\0\0\0\0\0\0\1"s);
}

TEST_F(CopyRowsTest, SaysWhatDoesNotFit) {
  EXPECT_EQ(field(ColumnType::kBigint, text("\"7\"")),
            "refused: /v is string \"7\", not a whole number of 64 bits");
  EXPECT_EQ(field(ColumnType::kBigint, json("9223372036854775808", JsonType::kNumber)),
            "refused: /v is number 9223372036854775808, not a whole number of 64 bits");
  EXPECT_EQ(field(ColumnType::kBoolean, json("1", JsonType::kNumber)),
            "refused: /v is number 1, not true or false");
  EXPECT_EQ(field(ColumnType::kTimestamptz, text("\"soon\"")),
            "refused: /v is string \"soon\", not a time: RFC 3339, or milliseconds since 1970");
  EXPECT_EQ(field(ColumnType::kText, json("{}", JsonType::kObject)),
            "refused: /v is object {}, not a text");
  EXPECT_EQ(field(ColumnType::kText, text("\"a\\u0000b\"")),
            "refused: /v holds characters that a text of a database cannot hold");
  EXPECT_EQ(field(ColumnType::kNumeric, text("\"1,5\"")),
            "refused: /v is string \"1,5\", not a number");
  EXPECT_EQ(field(ColumnType::kNumeric, json("1e131073", JsonType::kNumber)),
            "refused: /v is number 1e131073, not one that PostgreSQL can hold");
}

TEST_F(CopyRowsTest, TakesNullWhereItMayBe) {
  const JsonValue null = json("null", JsonType::kNull);
  rows_.begin_row(1);
  EXPECT_EQ(rows_.add_value({"/v", "v", ColumnType::kText}, null), "");
  EXPECT_EQ(rows_.add_value({"/v", "v", ColumnType::kText, true}, null), "/v is null");
  EXPECT_EQ(rows_.add_value({"/v", "v", ColumnType::kText, true}, JsonValue()), "/v is missing");
}

TEST_F(CopyRowsTest, GivesAnyRunOfRows) {
  for (const std::int32_t value : {1, 2, 3}) {
    rows_.begin_row(1);
    rows_.add_int32(value);
    if (value == 2) {
      rows_.drop_row();
    } else {
      rows_.end_row();
    }
  }

  EXPECT_EQ(rows_.size(), 3U);
  EXPECT_EQ(rows_.rows(0, 1), rows_.rows(0, 2));
  EXPECT_EQ(rows_.rows(1, 2), "");
  EXPECT_EQ(rows_.rows(1, 3).size(), 10U);
  EXPECT_EQ(rows_.rows(0, 3).size(), 20U);
  EXPECT_EQ(rows_.rows(0, 0), "");
}

}  // namespace
}  // namespace penstock::sinks
