#include "core/circuit_breaker.h"

#include <algorithm>

#include "core/check.h"

namespace penstock {

CircuitBreaker::CircuitBreaker(const Options& options)
    : options_(options), window_size_(options.sliding_window_size) {
  PENSTOCK_CHECK(options.sliding_window_size > 0 && options.minimum_number_of_calls > 0 &&
                 options.permitted_number_of_calls_in_half_open_state > 0);
}

std::optional<CircuitBreaker::Permission> CircuitBreaker::try_acquire(TimePoint now) {
  if (state_ == State::kOpen && now >= retry_at_) {
    transition(State::kHalfOpen, now);
  }
  switch (state_) {
    case State::kClosed:
      return Permission(period_);
    case State::kOpen:
      return std::nullopt;
    case State::kHalfOpen:
      if (permitted_ >= options_.permitted_number_of_calls_in_half_open_state) {
        return std::nullopt;
      }
      ++permitted_;
      return Permission(period_);
  }
  return std::nullopt;
}

void CircuitBreaker::release(Permission permission) {
  if (permission.period_ == period_ && state_ == State::kHalfOpen) {
    PENSTOCK_CHECK(permitted_ > 0);
    --permitted_;
  }
}

void CircuitBreaker::finish(Permission permission, Outcome outcome, Duration took, TimePoint now) {
  if (permission.period_ != period_) {
    return;  // I1
  }
  record({outcome == Outcome::kError, took > options_.slow_call_duration_threshold});
  const auto failures = failure_rate();
  const auto slow = slow_call_rate();
  if (!failures.has_value() || !slow.has_value()) {
    return;
  }
  if (*failures >= options_.failure_rate_threshold || *slow >= options_.slow_call_rate_threshold) {
    transition(State::kOpen, now);
  } else if (state_ == State::kHalfOpen) {
    transition(State::kClosed, now);
  }
}

std::optional<double> CircuitBreaker::failure_rate() const {
  return rate(failed_);
}

std::optional<double> CircuitBreaker::slow_call_rate() const {
  return rate(slow_);
}

std::optional<double> CircuitBreaker::rate(std::size_t count) const {
  if (calls_.size() < minimum()) {
    return std::nullopt;
  }
  return 100.0 * static_cast<double>(count) / static_cast<double>(calls_.size());
}

std::size_t CircuitBreaker::minimum() const {
  return std::min(options_.minimum_number_of_calls, window_size_);
}

void CircuitBreaker::record(Call call) {
  if (calls_.size() < window_size_) {
    calls_.push_back(call);
  } else {
    Call& oldest = calls_[next_call_];
    failed_ -= oldest.failed ? 1U : 0U;
    slow_ -= oldest.slow ? 1U : 0U;
    oldest = call;
    next_call_ = (next_call_ + 1) % window_size_;
  }
  failed_ += call.failed ? 1U : 0U;
  slow_ += call.slow ? 1U : 0U;
}

void CircuitBreaker::transition(State to, TimePoint now) {
  PENSTOCK_CHECK(to != state_ && !(state_ == State::kOpen && to == State::kClosed) &&
                 !(state_ == State::kClosed && to == State::kHalfOpen));
  state_ = to;
  ++period_;
  permitted_ = 0;
  calls_.clear();
  next_call_ = 0;
  failed_ = 0;
  slow_ = 0;
  window_size_ = to == State::kHalfOpen ? options_.permitted_number_of_calls_in_half_open_state
                                        : options_.sliding_window_size;
  if (to == State::kOpen) {
    ++opened_count_;
    retry_at_ = now + options_.wait_duration_in_open_state;
  }
}

std::string_view to_string(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::kClosed:
      return "closed";
    case CircuitBreaker::State::kOpen:
      return "open";
    case CircuitBreaker::State::kHalfOpen:
      return "half_open";
  }
  PENSTOCK_CHECK(false);
  return "";
}

}  // namespace penstock
