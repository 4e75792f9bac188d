#include "sinks/table/column_value.h"

#include <gtest/gtest.h>

namespace penstock::sinks {
namespace {

using config::ColumnType;

class ColumnValueTest : public ::testing::Test {
 protected:
  // Of a string: its content.
  static JsonValue text(std::string_view raw) {
    return {
        .raw = raw, .type = JsonType::kString, .escaped = raw.find('\\') != std::string_view::npos};
  }

  ColumnValue read(ColumnType type, const JsonValue& json) {
    ColumnValue value;
    EXPECT_EQ(read_column({"/v", "v", type}, json, scratch_, value), "");
    return value;
  }

  std::string refused(ColumnType type, const JsonValue& json) {
    ColumnValue value;
    return read_column({"/v", "v", type, true}, json, scratch_, value);
  }

  std::string scratch_;
};

TEST_F(ColumnValueTest, IsWhatTheTypeSays) {
  const JsonValue number{.raw = "1.50", .type = JsonType::kNumber};

  EXPECT_EQ(read(ColumnType::kText, number), ColumnValue("1.50"));
  EXPECT_EQ(read(ColumnType::kText, text("a\\n")), ColumnValue("a\n"));
  EXPECT_EQ(read(ColumnType::kNumeric, number), ColumnValue("1.50"));
  EXPECT_EQ(read(ColumnType::kNumeric, text("-1e9")), ColumnValue("-1e9"));
  EXPECT_EQ(read(ColumnType::kDouble, number), ColumnValue(1.5));
  EXPECT_EQ(read(ColumnType::kBigint, {.raw = "7", .type = JsonType::kNumber}),
            ColumnValue(std::int64_t{7}));
  EXPECT_EQ(read(ColumnType::kBoolean, {.raw = "true", .type = JsonType::kBool}),
            ColumnValue(true));
  EXPECT_EQ(read(ColumnType::kTimestamptz, text("1970-01-01T00:00:01Z")),
            ColumnValue(std::int64_t{1000}));
  EXPECT_EQ(read(ColumnType::kJsonb, {.raw = "[1]", .type = JsonType::kArray}), ColumnValue("[1]"));
}

TEST_F(ColumnValueTest, IsNullWhereNothingIsThereAndNullMayBe) {
  EXPECT_EQ(read(ColumnType::kText, JsonValue()), ColumnValue());
  EXPECT_EQ(read(ColumnType::kText, {.raw = "null", .type = JsonType::kNull}), ColumnValue());
  EXPECT_EQ(refused(ColumnType::kText, JsonValue()), "/v is missing");
}

TEST_F(ColumnValueTest, SaysWhatDoesNotFit) {
  EXPECT_EQ(refused(ColumnType::kBigint, {.raw = "1.5", .type = JsonType::kNumber}),
            "/v is number 1.5, not a whole number of 64 bits");
  EXPECT_EQ(refused(ColumnType::kBoolean, {.raw = "1", .type = JsonType::kNumber}),
            "/v is number 1, not true or false");
  EXPECT_EQ(refused(ColumnType::kText, {.raw = "{}", .type = JsonType::kObject}),
            "/v is object {}, not a text");
  EXPECT_EQ(refused(ColumnType::kText, text("a\\u0000b")),
            "/v holds characters that a text of a database cannot hold");
  const std::string quoted = "\"1,5\"";
  EXPECT_EQ(refused(ColumnType::kNumeric, text(std::string_view(quoted).substr(1, 3))),
            "/v is string \"1,5\", not a number");
}

}  // namespace
}  // namespace penstock::sinks
