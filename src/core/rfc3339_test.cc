#include "core/rfc3339.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

constexpr std::int64_t kMay17 = 1'431'857'103'000;  // date -u -d 2015-05-17T10:05:03 +%s

TEST(Rfc3339, ReadsDateTimeFractionAndZone) {
  EXPECT_EQ(parse_rfc3339("2015-05-17T10:05:03.000Z"), kMay17);
  EXPECT_EQ(parse_rfc3339("2015-05-17T10:05:03Z"), kMay17);
  EXPECT_EQ(parse_rfc3339("2015-05-17t10:05:03z"), kMay17);
  EXPECT_EQ(parse_rfc3339("2015-05-17 10:05:03"), kMay17);
  EXPECT_EQ(parse_rfc3339("2015-05-17T12:05:03+02:00"), kMay17);
  EXPECT_EQ(parse_rfc3339("2015-05-17T05:35:03-04:30"), kMay17);
  EXPECT_EQ(parse_rfc3339("2015-05-17T10:05:03.5Z"), kMay17 + 500);
  EXPECT_EQ(parse_rfc3339("2015-05-17T10:05:03.0429999999"), kMay17 + 42);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999Z"), -1);
}

TEST(Rfc3339, TakesALeapSecondForTheNextMinute) {
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60.7Z"), parse_rfc3339("2017-01-01T00:00:00Z"));
}

TEST(Rfc3339, KnowsLeapYears) {
  EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_TRUE(parse_rfc3339("2000-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2023-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("1900-02-29T00:00:00Z"));
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* text : {"",
                           "2015-05-17",
                           "2015-05-17T10:05",
                           "2015-05-17T10:05:03.",
                           "2015-05-17T10:05:03.Z",
                           "2015-05-17T10:05:03Zx",
                           "2015-13-17T10:05:03Z",
                           "2015-00-17T10:05:03Z",
                           "2015-05-00T10:05:03Z",
                           "2015-04-31T10:05:03Z",
                           "2015-05-17T24:05:03Z",
                           "2015-05-17T10:60:03Z",
                           "2015-05-17T10:05:61Z",
                           "2015-05-17T10:05:03+24:00",
                           "2015-05-17T10:05:03+0200",
                           "2015-05-17T10:05:03+",
                           "15-05-17T10:05:03Z",
                           "+2015-05-17T10:05:03Z",
                           "2015-5-17T10:05:03Z",
                           " 2015-05-17T10:05:03Z",
                           "2015/05/17T10:05:03Z",
                           "1431857103000",
                           "2015-05-17X10:05:03Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Rfc3339, WritesUtcWithMilliseconds) {
  EXPECT_EQ(format_rfc3339(kMay17 + 7), "2015-05-17T10:05:03.007Z");
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339, WritesTheNearestYearThatCanBeWritten) {
  EXPECT_EQ(format_rfc3339(std::numeric_limits<std::int64_t>::min()), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(std::numeric_limits<std::int64_t>::max()), "9999-12-31T23:59:59.999Z");
}

TEST(Rfc3339, ReadsBackWhatItWrote) {
  for (std::int64_t ms = -62'167'219'200'000; ms < 253'402'300'799'999; ms += 1'234'567'890'123) {
    EXPECT_EQ(parse_rfc3339(format_rfc3339(ms)), ms);
  }
}

}  // namespace
}  // namespace penstock
