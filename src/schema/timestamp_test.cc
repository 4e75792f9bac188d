#include "schema/timestamp.h"

#include <string>

#include <gtest/gtest.h>

#include "core/rfc3339.h"
#include "os/random.h"

namespace penstock {
namespace {

std::int64_t ms_of(std::string_view text) {
  const std::optional<Timestamp> time = parse_timestamp(text);
  return time ? time->value() : -1;
}

std::int64_t ms_of_value(JsonType type, std::string_view raw, bool escaped = false) {
  return event_time({raw, type, escaped}).value();  // kNoTimestamp is -1
}

TEST(Timestamp, ReadsTheUsualForms) {
  EXPECT_EQ(ms_of("2015-05-17T10:05:03.000Z"), 1431857103000);
  EXPECT_EQ(ms_of("2015-05-17T10:05:03.123Z"), 1431857103123);
  EXPECT_EQ(ms_of("2015-05-17T10:05:03Z"), 1431857103000);
  EXPECT_EQ(ms_of("2015-05-17T10:05:03"), 1431857103000);
  EXPECT_EQ(ms_of("2015-05-17T10:05:03.120"), 1431857103120);
  EXPECT_EQ(ms_of("2015-05-17 10:05:03"), 1431857103000);
  EXPECT_EQ(ms_of("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ms_of("9999-12-31T23:59:59.999Z"), 253402300799999);
}

TEST(Timestamp, ReadsZonesAndOtherFractions) {
  EXPECT_EQ(ms_of("2015-05-17T12:05:03+02:00"), 1431857103000);
  EXPECT_EQ(ms_of("2015-05-17T06:05:03.5-04:00"), 1431857103500);
  EXPECT_EQ(ms_of("2015-05-17t10:05:03z"), 1431857103000);
  EXPECT_EQ(ms_of("2015-05-17T10:05:03.123456789Z"), 1431857103123);
  EXPECT_EQ(ms_of("2015-05-17T10:05:03.1Z"), 1431857103100);
  EXPECT_EQ(ms_of("2015-05-17T10:05:03.12Z"), 1431857103120);
}

TEST(Timestamp, KnowsTheCalendar) {
  EXPECT_EQ(ms_of("2024-02-29T00:00:00Z"), 1709164800000);
  EXPECT_EQ(ms_of("2000-02-29T00:00:00Z"), 951782400000);
  EXPECT_EQ(ms_of("2016-12-31T23:59:60Z"), 1483228800000);
  for (const char* text : {"2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2023-04-31T00:00:00Z",
                           "2023-13-01T00:00:00Z", "2023-00-10T00:00:00Z", "2023-01-00T00:00:00Z",
                           "2023-01-32T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z",
                           "2023-01-01T00:00:61Z"}) {
    EXPECT_EQ(ms_of(text), -1) << text;
  }
}

TEST(Timestamp, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "now", "2015-05-17", "2015/05/17T10:05:03Z", "2015-05-17T10:05:03ZZ",
        "2015-05-17T10:05:03.Z", "2015-05-17T10:05:03.12aZ", "2015-05-17T10:05:03,123Z",
        "2015-05-17X10:05:03Z", "2015-05-17T1:05:03.000Z", "2015-05-17T10-05-03Z",
        " 015-05-17T10:05:03Z", "+015-05-17T10:05:03Z", "2015-05-17T10:05:03 Z",
        "2015-05-:7T10:05:03Z", "2015-05-17T10:05:\xB3\xB3Z", "20150517T100503Z",
        "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+01:00"}) {
    EXPECT_EQ(ms_of(text), -1) << text;
  }
}

// The short way must never differ from the long one.
TEST(Timestamp, AgreesWithTheGeneralParser) {
  os::SeededRandom random(1);
  constexpr std::string_view kCharacters = "0123456789-T:.Z +z/";
  for (int i = 0; i < 200'000; ++i) {
    std::string text = format_rfc3339(static_cast<std::int64_t>(random.below(253'402'300'800'000)));
    text.resize(text.size() - random.below(6));
    for (std::uint64_t count = random.below(3); count > 0; --count) {
      text[random.below(text.size())] = kCharacters[random.below(kCharacters.size())];
    }
    const std::optional<std::int64_t> expected = parse_rfc3339(text);
    ASSERT_EQ(ms_of(text), expected && *expected >= 0 ? *expected : -1) << text;
  }
}

TEST(Timestamp, TakesEpochMilliseconds) {
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "1517966773840"), 1517966773840);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "0"), 0);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "1517966773840.75"), 1517966773840);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "1.5e12"), 1500000000000);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "-1"), -1);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "-5"), -1);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "253402300800000"), -1);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "1e400"), -1);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "99999999999999999999"), -1);
}

TEST(Timestamp, TakesStringsAndNothingElse) {
  EXPECT_EQ(ms_of_value(JsonType::kString, "2015-05-17T10:05:03Z"), 1431857103000);
  EXPECT_EQ(ms_of_value(JsonType::kString, R"(2015-05-17T10\u003A05:03Z)", true), 1431857103000);
  EXPECT_EQ(ms_of_value(JsonType::kString, "1431857103000"), -1);
  EXPECT_EQ(ms_of_value(JsonType::kMissing, ""), -1);
  EXPECT_EQ(ms_of_value(JsonType::kNull, "null"), -1);
  EXPECT_EQ(ms_of_value(JsonType::kBool, "true"), -1);
  EXPECT_EQ(ms_of_value(JsonType::kArray, "[1]"), -1);
}

TEST(Timestamp, ReadsEveryNumberOfThirteenDigitsAsTheStandardLibraryDoes) {
  os::SeededRandom random(3);
  for (int round = 0; round < 20'000; ++round) {
    const auto number =
        static_cast<std::int64_t>(random.below(9'000'000'000'000) + 1'000'000'000'000);

    EXPECT_EQ(ms_of_value(JsonType::kNumber, std::to_string(number)), number);
  }
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "-123456789012"), -1);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "1717171717.17"), 1717171717);
  EXPECT_EQ(ms_of_value(JsonType::kNumber, "1.71717171e12"), 1717171710000);
}

}  // namespace
}  // namespace penstock
