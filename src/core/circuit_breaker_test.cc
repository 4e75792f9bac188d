#include "core/circuit_breaker.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

using namespace std::chrono_literals;
using Outcome = CircuitBreaker::Outcome;
using State = CircuitBreaker::State;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  // `count` calls that go through, one after the other.
  static void call(CircuitBreaker& breaker, std::size_t count, Outcome outcome,
                   CircuitBreaker::TimePoint now = {}, CircuitBreaker::Duration took = 1ms) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto permission = breaker.try_acquire(now);
      ASSERT_TRUE(permission) << "call " << i;
      breaker.finish(*permission, outcome, took, now);
    }
  }

  static constexpr CircuitBreaker::TimePoint kStart{};
};

TEST_F(CircuitBreakerTest, HasTheDefaultsOfResilience4j) {
  const CircuitBreaker::Options options;

  EXPECT_EQ(options.failure_rate_threshold, 50);
  EXPECT_EQ(options.slow_call_rate_threshold, 100);
  EXPECT_EQ(options.slow_call_duration_threshold, 60s);
  EXPECT_EQ(options.sliding_window_size, 100U);
  EXPECT_EQ(options.minimum_number_of_calls, 100U);
  EXPECT_EQ(options.wait_duration_in_open_state, 60s);
  EXPECT_EQ(options.permitted_number_of_calls_in_half_open_state, 10U);
}

TEST_F(CircuitBreakerTest, StaysClosedUntilEnoughCallsAreKnown) {
  CircuitBreaker breaker({});

  call(breaker, 99, Outcome::kError);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_FALSE(breaker.failure_rate());

  call(breaker, 1, Outcome::kError);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.opened_count(), 1U);
}

TEST_F(CircuitBreakerTest, OpensWhenTheShareOfFailuresReachesTheThreshold) {
  CircuitBreaker breaker({});

  call(breaker, 51, Outcome::kSuccess);
  call(breaker, 49, Outcome::kError);
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.failure_rate(), 49);

  call(breaker, 1, Outcome::kError);  // the oldest success leaves the window
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, ForgetsFailuresThatLeaveTheWindow) {
  CircuitBreaker breaker({.sliding_window_size = 10, .minimum_number_of_calls = 10});

  for (int round = 0; round < 20; ++round) {
    call(breaker, 4, Outcome::kError);
    call(breaker, 6, Outcome::kSuccess);
    EXPECT_EQ(breaker.failure_rate(), 40) << round;
  }

  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, OpensWhenAllCallsAreSlow) {
  CircuitBreaker breaker({.slow_call_duration_threshold = 100ms,
                          .sliding_window_size = 4,
                          .minimum_number_of_calls = 4});

  call(breaker, 4, Outcome::kSuccess, kStart, 100ms);
  EXPECT_EQ(breaker.slow_call_rate(), 0) << "as long as the threshold is not slow";
  call(breaker, 3, Outcome::kSuccess, kStart, 101ms);
  EXPECT_EQ(breaker.slow_call_rate(), 75);
  EXPECT_EQ(breaker.state(), State::kClosed);

  call(breaker, 1, Outcome::kSuccess, kStart, 101ms);
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, PermitsNothingWhileOpenAndIsHalfOpenAfterTheWait) {
  CircuitBreaker breaker({});
  call(breaker, 100, Outcome::kError, kStart);

  EXPECT_FALSE(breaker.try_acquire(kStart + 60s - 1ms));
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.retry_at(), kStart + 60s);

  EXPECT_TRUE(breaker.try_acquire(kStart + 60s));
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST_F(CircuitBreakerTest, PermitsOnlySoManyCallsWhileHalfOpen) {
  CircuitBreaker breaker({.permitted_number_of_calls_in_half_open_state = 2});
  call(breaker, 100, Outcome::kError, kStart);

  const auto first = breaker.try_acquire(kStart + 60s);
  const auto second = breaker.try_acquire(kStart + 60s);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(breaker.try_acquire(kStart + 60s));

  breaker.release(*second);
  EXPECT_TRUE(breaker.try_acquire(kStart + 60s)) << "the permission was given back";
}

TEST_F(CircuitBreakerTest, ClosesAfterGoodCallsWhileHalfOpen) {
  CircuitBreaker breaker({});
  call(breaker, 100, Outcome::kError, kStart);

  call(breaker, 6, Outcome::kSuccess, kStart + 60s);
  call(breaker, 4, Outcome::kError, kStart + 60s);

  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_FALSE(breaker.failure_rate()) << "the window begins anew";
}

TEST_F(CircuitBreakerTest, OpensAgainAfterBadCallsWhileHalfOpen) {
  CircuitBreaker breaker({});
  call(breaker, 100, Outcome::kError, kStart);

  call(breaker, 5, Outcome::kSuccess, kStart + 60s);
  call(breaker, 5, Outcome::kError, kStart + 60s);

  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_EQ(breaker.retry_at(), kStart + 120s);
  EXPECT_EQ(breaker.opened_count(), 2U);
}

TEST_F(CircuitBreakerTest, IgnoresWhatBecameOfCallsOfAnEarlierState) {
  CircuitBreaker breaker({.permitted_number_of_calls_in_half_open_state = 1});
  const auto early = breaker.try_acquire(kStart);
  call(breaker, 100, Outcome::kError, kStart);

  breaker.finish(*early, Outcome::kSuccess, 1ms, kStart);
  EXPECT_EQ(breaker.state(), State::kOpen);
  const auto probe = breaker.try_acquire(kStart + 60s);
  breaker.finish(*early, Outcome::kError, 1ms, kStart + 60s);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);

  breaker.finish(*probe, Outcome::kSuccess, 1ms, kStart + 60s);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, NamesItsStates) {
  EXPECT_EQ(to_string(State::kClosed), "closed");
  EXPECT_EQ(to_string(State::kOpen), "open");
  EXPECT_EQ(to_string(State::kHalfOpen), "half_open");
}

}  // namespace
}  // namespace penstock
