#include "trending/trending.h"

#include <gtest/gtest.h>

#include "testdriver/topology_test_driver.h"

namespace trending {
namespace {

using penstock::Timestamp;
using penstock::testdriver::TopologyTestDriver;

TEST(Trending, TheThreeMostViewedPagesOfAWindowComeWhenItIsClosed) {
  const auto topology = make_topology();
  ASSERT_TRUE(topology.has_value());
  TopologyTestDriver driver(*topology);
  auto views = driver.create_input_topic<std::string, std::string>("views");
  auto trending = driver.create_output_topic<std::int64_t, std::vector<PageViews>>("trending");

  const auto view = [&](const char* page, int count, std::int64_t time) {
    for (int number = 0; number < count; ++number) {
      views.pipe_input(page, "user", Timestamp(time));
    }
  };
  view("/tea", 5, 1000);
  view("/cups", 2, 2000);
  view("/pots", 7, 3000);
  view("/home", 1, 4000);
  view("/cups", 2, 305'000);
  view("/cups", 1, 299'000);  // late, but in time
  EXPECT_TRUE(trending.is_empty());
  view("/tea", 1, 310'000);
  view("/home", 9, 5000);  // too late

  const auto last = trending.read_records();
  ASSERT_FALSE(last.empty());
  EXPECT_EQ(last.back().key, 0);
  EXPECT_EQ(last.back().value, (std::vector<PageViews>{{"/pots", 7}, {"/tea", 5}, {"/cups", 3}}));
  EXPECT_EQ(driver.counts().late, 9U);
}

}  // namespace
}  // namespace trending
