#include "os/call_pool.h"

#include <chrono>

#include <gtest/gtest.h>

#include "core/completion.h"

namespace penstock::os {
namespace {

using namespace std::chrono_literals;

TEST(CallPool, RunsCallsAtTheSameTime) {
  CallPool pool(2, 10);
  auto [first_taker, first] = make_completion<void>();
  auto [second_taker, second] = make_completion<void>();

  // The first call ends when the second one has run.
  ASSERT_TRUE(pool.run([&, done = std::move(first)]() mutable {
    done.set(second_taker.wait_for(10s) ? Status() : Error(ErrorCode::kRetry, "it did not run"));
  }));
  ASSERT_TRUE(pool.run([done = std::move(second)]() mutable { done.set({}); }));

  ASSERT_TRUE(first_taker.wait_for(10s));
  EXPECT_TRUE(first_taker.take());
}

TEST(CallPool, RefusesMoreThanMayWait) {
  CallPool pool(0, 1);

  EXPECT_TRUE(pool.run([] {}));

  const Status refused = pool.run([] {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kBusy);
}

}  // namespace
}  // namespace penstock::os
