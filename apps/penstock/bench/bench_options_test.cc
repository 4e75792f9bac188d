#include <gtest/gtest.h>

#include "core/units.h"
#include "penstock/bench/bench.h"

namespace penstock::bench {
namespace {

TEST(BenchOptions, TakeMoreConnectionsForSmallRequests) {
  EXPECT_EQ(default_connections({.request_bytes = 1}), 1024U);
  EXPECT_EQ(default_connections({.request_bytes = 8 * kKiB - 1}), 1024U);
  EXPECT_EQ(default_connections({.request_bytes = 8 * kKiB}), 128U);
  EXPECT_EQ(default_connections({.request_bytes = 64 * kKiB}), 128U);
}

TEST(BenchOptions, KeepTheRequestsOfDefaultConnectionsBelowWhatAServerHolds) {
  EXPECT_EQ(default_connections({.request_bytes = 1 * kMiB}), 128U);
  EXPECT_EQ(default_connections({.request_bytes = 16 * kMiB}), 8U);
  EXPECT_EQ(default_connections({.request_bytes = 1 * kMiB, .pipeline = 16}), 8U);
  EXPECT_EQ(default_connections({.request_bytes = 16 * kMiB, .pipeline = 1024}), 1U);
}

TEST(BenchOptions, CountAnEventThatIsLargerThanARequest) {
  EXPECT_EQ(default_connections({.event_bytes = 1 * kMiB, .request_bytes = 1, .pipeline = 2}), 64U);
}

TEST(BenchOptions, RefuseRequestsThatDoNotFitMemory) {
  BenchOptions options{.request_bytes = 4 * kMiB, .connections = 1024, .pipeline = 1};
  EXPECT_TRUE(check_memory(options));

  options.pipeline = 2;
  const Status refused = check_memory(options);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalid);
  EXPECT_NE(refused.error().message().find("8 GiB"), std::string::npos)
      << refused.error().message();
}

}  // namespace
}  // namespace penstock::bench
