#include "dsl/call_schedule.h"

#include <algorithm>

#include "core/check.h"

namespace penstock::dsl {

namespace {

// What another attempt may bring about.
bool may_pass(const Error& error) {
  return error.code() != ErrorCode::kInvalid && error.code() != ErrorCode::kNotFound;
}

}  // namespace

CallSchedule::CallSchedule(const AsyncOptions& options) : options_(options) {
  PENSTOCK_CHECK(options.in_flight_max > 0 && options.attempts_max > 0);
  if (options.breaker.has_value()) {
    breaker_.emplace(*options.breaker);
  }
}

CallSchedule::CallId CallSchedule::add(std::optional<std::string> key, TimePoint now) {
  const CallId id = next_++;
  if (key.has_value()) {
    of_key_[*key].push_back(id);
  }
  calls_[id] = {std::move(key), now + options_.deadline, now, 0, std::nullopt, {}};
  return id;
}

bool CallSchedule::is_first(CallId id, const Call& call) const {
  return !call.key.has_value() || of_key_.find(*call.key)->second.front() == id;
}

std::vector<CallSchedule::Due> CallSchedule::due(TimePoint now) {
  std::vector<Due> due;
  for (auto& [id, call] : calls_) {
    if (in_flight_ == options_.in_flight_max) {
      break;  // I2
    }
    if (call.begun.has_value() || call.not_before > now || !is_first(id, call)) {
      continue;  // I1
    }
    if (breaker_.has_value()) {
      const auto permission = breaker_->try_acquire(now);
      if (!permission.has_value()) {
        break;
      }
      call.permission = *permission;
    }
    call.begun = now;
    ++call.attempt;
    ++in_flight_;
    due.push_back({id, call.attempt});
  }
  return due;
}

CallSchedule::Outcome CallSchedule::finish(CallId id, std::uint32_t attempt, const Status& answer,
                                           TimePoint now) {
  const auto found = calls_.find(id);
  if (found == calls_.end() || found->second.attempt != attempt ||
      !found->second.begun.has_value()) {
    return Outcome::kStale;
  }
  // A system that refuses an input is well.
  const bool is_well = answer || !may_pass(answer.error());
  end_attempt(found->second,
              is_well ? CircuitBreaker::Outcome::kSuccess : CircuitBreaker::Outcome::kError, now);
  if (!is_well && plan_again(found->second, now)) {
    return Outcome::kAgain;
  }
  remove(found);
  return answer ? Outcome::kDone : Outcome::kFailed;
}

std::vector<CallSchedule::Expired> CallSchedule::expire(TimePoint now) {
  std::vector<Expired> expired;
  for (auto at = calls_.begin(); at != calls_.end();) {
    const auto call = at++;
    const bool is_slow =
        call->second.begun.has_value() && now - *call->second.begun >= options_.timeout;
    const bool is_late = now >= call->second.deadline;
    if (!is_slow && !is_late) {
      continue;
    }
    if (call->second.begun.has_value()) {
      end_attempt(call->second, CircuitBreaker::Outcome::kError, now);
    }
    const bool again = !is_late && plan_again(call->second, now);
    expired.push_back({call->first, !again});
    if (!again) {
      remove(call);
    }
  }
  return expired;
}

void CallSchedule::end_attempt(Call& call, CircuitBreaker::Outcome outcome, TimePoint now) {
  if (breaker_.has_value()) {
    breaker_->finish(call.permission, outcome, now - *call.begun, now);
  }
  call.begun.reset();
  --in_flight_;
}

bool CallSchedule::plan_again(Call& call, TimePoint now) const {
  constexpr std::uint32_t kDoublingsMax = 16;
  const std::uint32_t doublings = std::min(call.attempt - 1, kDoublingsMax);
  call.not_before = now + options_.backoff * (1U << doublings);
  return call.attempt < options_.attempts_max && call.not_before < call.deadline;
}

void CallSchedule::remove(Calls::iterator call) {
  if (call->second.key.has_value()) {
    const auto of_key = of_key_.find(*call->second.key);
    std::erase(of_key->second, call->first);
    if (of_key->second.empty()) {
      of_key_.erase(of_key);
    }
  }
  calls_.erase(call);
}

std::optional<CallSchedule::TimePoint> CallSchedule::next_time() const {
  std::optional<TimePoint> next;
  for (const auto& [id, call] : calls_) {
    TimePoint at = call.deadline;
    if (call.begun.has_value()) {
      at = std::min(at, *call.begun + options_.timeout);
    } else if (is_first(id, call) && in_flight_ < options_.in_flight_max) {
      switch (breaker_state()) {
        case CircuitBreaker::State::kClosed:
          at = std::min(at, call.not_before);
          break;
        case CircuitBreaker::State::kOpen:
          at = std::min(at, std::max(call.not_before, breaker_->retry_at()));
          break;
        case CircuitBreaker::State::kHalfOpen:  // the end of one that is under way decides
          at = in_flight_ > 0 ? at : std::min(at, call.not_before);
          break;
      }
    }
    next = next.has_value() ? std::min(*next, at) : at;
  }
  return next;
}

void CallSchedule::clear() {
  if (breaker_.has_value()) {
    for (auto& [id, call] : calls_) {
      if (call.begun.has_value()) {
        breaker_->release(call.permission);
      }
    }
  }
  calls_.clear();
  of_key_.clear();
  in_flight_ = 0;
}

CircuitBreaker::State CallSchedule::breaker_state() const {
  return breaker_.has_value() ? breaker_->state() : CircuitBreaker::State::kClosed;
}

}  // namespace penstock::dsl
