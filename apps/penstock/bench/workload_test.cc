#include "penstock/bench/workload.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::bench {
namespace {

constexpr std::int64_t kNow = 1'767'225'600'123;

Workload make(WorkloadOptions options) {
  options.host = "localhost:1";
  Result<Workload> workload = Workload::create(options);
  EXPECT_TRUE(workload.has_value());
  return std::move(workload).value();
}

std::vector<std::string> events_of(const std::string& request) {
  std::istringstream body(request.substr(request.find("\r\n\r\n") + 4));
  std::vector<std::string> events;
  for (std::string line; std::getline(body, line);) {
    events.push_back(line);
  }
  return events;
}

TEST(Workload, FillsARequestWithEventsOfTheGivenSize) {
  Workload workload = make({.event_bytes = 100, .request_bytes = 65'536});

  const std::vector<std::string> events = events_of(workload.request());

  EXPECT_EQ(workload.events_per_request(), 648U);
  EXPECT_EQ(events.size(), 648U);
  EXPECT_LE(workload.body_bytes(), 65'536U);
  for (const std::string& event : events) {
    EXPECT_EQ(event.size(), 100U);
  }
}

TEST(Workload, SaysTheLengthOfItsBody) {
  Workload workload = make({.event_bytes = 80, .request_bytes = 1000});

  EXPECT_NE(workload.request().find("Content-Length: " + std::to_string(workload.body_bytes())),
            std::string::npos);
  EXPECT_EQ(workload.request().size() - workload.request().find("\r\n\r\n") - 4,
            workload.body_bytes());
}

TEST(Workload, SendsOneEventWhereTheRequestIsSmaller) {
  Workload workload = make({.event_bytes = 100, .request_bytes = 1});

  EXPECT_EQ(workload.events_per_request(), 1U);
  EXPECT_EQ(workload.body_bytes(), 100U);
}

TEST(Workload, MakesEventsOfEverySizeItAllows) {
  for (std::size_t size = 39; size < 160; ++size) {
    Workload workload = make({.event_bytes = size, .request_bytes = 1});

    const std::string event = events_of(workload.request()).front();

    EXPECT_EQ(event.size(), size);
    EXPECT_EQ(event.front(), '{');
    EXPECT_EQ(event.back(), '}');
  }
}

TEST(Workload, OverwritesKeyAndTimeOnly) {
  Workload workload = make({.event_bytes = 100, .request_bytes = 500, .keys = 100'000'000});
  std::string request = workload.request();

  workload.refresh(request, kNow);

  const std::string blank = events_of(workload.request()).front();
  for (const std::string& event : events_of(request)) {
    EXPECT_EQ(event.substr(0, 10), R"({"user":"u)");
    EXPECT_EQ(event.substr(10, 8).find_first_not_of("0123456789"), std::string::npos);
    EXPECT_EQ(event.substr(18, 20), R"(","ts":1767225600123)");
    EXPECT_EQ(event.substr(38), blank.substr(38));
  }
}

TEST(Workload, DrawsEveryKeyAndNoOther) {
  Workload workload = make({.event_bytes = 39, .request_bytes = 40'000, .keys = 100});
  std::string request = workload.request();
  std::set<std::string> users;

  workload.refresh(request, kNow);
  for (const std::string& event : events_of(request)) {
    users.insert(event.substr(10, 8));
  }

  EXPECT_EQ(users.size(), 100U);
  EXPECT_EQ(*users.begin(), "00000000");
  EXPECT_EQ(*users.rbegin(), "00000099");
}

TEST(Workload, WritesAllEightDigitsOfLargeKeys) {
  Workload workload = make({.event_bytes = 39, .request_bytes = 400'000, .keys = kKeysMax});
  std::string request = workload.request();
  std::array<std::set<char>, 8> digits;

  workload.refresh(request, kNow);
  for (const std::string& event : events_of(request)) {
    for (std::size_t i = 0; i < digits.size(); ++i) {
      digits[i].insert(event[10 + i]);
    }
  }

  for (const std::set<char>& seen : digits) {
    EXPECT_EQ(seen.size(), 10U);
  }
}

TEST(Workload, IsTheSameForTheSameSeed) {
  Workload one = make({.request_bytes = 1000, .seed = 7});
  Workload two = make({.request_bytes = 1000, .seed = 7});
  Workload other = make({.request_bytes = 1000, .seed = 8});
  std::string a = one.request();
  std::string b = two.request();
  std::string c = other.request();

  one.refresh(a, kNow);
  two.refresh(b, kNow);
  other.refresh(c, kNow);

  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
}

TEST(Workload, RefusesWhatCannotBe) {
  EXPECT_FALSE(Workload::create({.event_bytes = 38}));
  EXPECT_FALSE(Workload::create({.event_bytes = 2'000'000}));
  EXPECT_FALSE(Workload::create({.request_bytes = 0}));
  EXPECT_FALSE(Workload::create({.keys = 0}));
  EXPECT_FALSE(Workload::create({.keys = kKeysMax + 1}));
  EXPECT_FALSE(Workload::create({.zipf = 1}));
  EXPECT_FALSE(Workload::create({.zipf = -0.5}));
}

TEST(ZipfDistribution, FollowsThePowerLaw) {
  const ZipfDistribution zipf(1000, 0.9);
  os::SeededRandom random(3);
  std::map<std::uint64_t, double> counts;

  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t rank = zipf.rank(static_cast<double>(random.next() >> 11) * 0x1p-53);
    ASSERT_LT(rank, 1000U);
    counts[rank] += 1;
  }

  EXPECT_NEAR(counts[0] / counts[1], std::pow(2.0, 0.9), 0.1);
  EXPECT_NEAR(counts[0] / counts[9], std::pow(10.0, 0.9), 1.5);
}

}  // namespace
}  // namespace penstock::bench
