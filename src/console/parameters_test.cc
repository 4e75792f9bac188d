#include "console/parameters.h"

#include <string>

#include <gtest/gtest.h>

namespace penstock::console {
namespace {

Parameters parse(std::string_view query) {
  Result<Parameters> parameters = Parameters::parse(query, {"limit", "from"});
  EXPECT_TRUE(parameters) << query;
  return *std::move(parameters);
}

std::string refusal(std::string_view query) {
  const Result<Parameters> parameters = Parameters::parse(query, {"limit", "from"});
  EXPECT_FALSE(parameters) << query;
  return parameters ? "" : parameters.error().message();
}

TEST(Parameters, DecodesNamesAndValues) {
  const Parameters parameters = parse("l%69mit=1%30&&from=2026-01-31T12:00:00%2B01:00");

  EXPECT_EQ(parameters.text("limit"), "10");
  EXPECT_EQ(parameters.text("from"), "2026-01-31T12:00:00+01:00");
}

TEST(Parameters, TakesAnEmptyValueForAbsent) {
  const Parameters parameters = parse("limit=&from");

  EXPECT_FALSE(parameters.text("limit"));
  EXPECT_FALSE(parameters.text("from"));
}

TEST(Parameters, RefusesUnknownRepeatedAndBrokenOnes) {
  EXPECT_EQ(refusal("ofset=1"), "parameter `ofset` is not known here; known are: `limit`, `from`");
  EXPECT_EQ(refusal("limit=1&limit=2"), "parameter `limit` is given more than once");
  EXPECT_EQ(refusal("limit=%4"), "parameter `limit` is not well percent-encoded");
}

TEST(Parameters, ReadsIntegersWithinTheirRange) {
  EXPECT_EQ(**parse("limit=7").integer("limit", 1, 10), 7);
  EXPECT_EQ(**parse("limit=-7").integer("limit", -10, 10), -7);
  EXPECT_FALSE(parse("").integer("limit", 1, 10)->has_value());
}

TEST(Parameters, NamesTheParameterThatIsNoSuchInteger) {
  for (const char* query : {"limit=0", "limit=11", "limit=1.5", "limit=ten", "limit=1 ", "limit=+1",
                            "limit=99999999999999999999"}) {
    const auto number = parse(query).integer("limit", 1, 10);

    ASSERT_FALSE(number) << query;
    EXPECT_EQ(number.error().message(), "parameter `limit` must be a whole number from 1 to 10");
  }
}

TEST(Parameters, ReadsTimesAsTextOrMilliseconds) {
  EXPECT_EQ(**parse("from=2015-05-17T10:05:03Z").time("from"), Timestamp(1'431'857'103'000));
  EXPECT_EQ(**parse("from=2015-05-17T12:05:03+02:00").time("from"), Timestamp(1'431'857'103'000));
  EXPECT_EQ(**parse("from=1431857103000").time("from"), Timestamp(1'431'857'103'000));
  EXPECT_FALSE(parse("from=yesterday").time("from"));
}

}  // namespace
}  // namespace penstock::console
