// Result<T> is a value or an Error; Error is a code named by the caller's reaction, and a message.
//
// The member names are those of std::expected, so that C++23's type can replace this one by an
// alias. Codes form a closed set: a new code needs a new reaction of the caller, not a new cause;
// the cause goes into the message. Context is added on the way up: error.with("segment 42").
//
// Threads   values; no sharing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/check.h"

namespace penstock {

enum class ErrorCode {
  kRetry,     // transient, nothing happened: retry with back-off, bounded
  kBusy,      // a limit was reached, nothing was taken: push back
  kInvalid,   // the input is wrong, a retry cannot help: refuse it or dead-letter it
  kNotFound,  // absent, and that is a normal answer: the caller decides
  kAbortTxn,  // this transaction cannot commit: abort, rewind to committed offsets, go on
  kFenced,    // a newer owner exists: close without writing, join again
  kCorrupt,   // local bytes cannot be trusted: stop serving them, restore from the source of truth
  kFatal,     // nothing local helps: stop the process and say why
};

// The lower-case name used in answers and logs: "retry", "busy", "invalid", ...
[[nodiscard]] std::string_view to_string(ErrorCode code);

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  [[nodiscard]] ErrorCode code() const { return code_; }

  [[nodiscard]] const std::string& message() const { return message_; }

  // The same error with `context` before its message: "context: message".
  [[nodiscard]] Error with(std::string_view context) const {
    return {code_, std::string(context) + ": " + message_};
  }

  // "code: message", for logs.
  [[nodiscard]] std::string to_string() const;

 private:
  ErrorCode code_;
  std::string message_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // Implicit on purpose: `return value;` and `return Error(...)` are how functions answer.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT

  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }

  explicit operator bool() const { return has_value(); }

  [[nodiscard]] T& value() & { return checked(); }

  [[nodiscard]] const T& value() const& { return const_cast<Result*>(this)->checked(); }

  // By value, unlike std::expected: `for (auto& x : *f())` would otherwise outlive the Result.
  [[nodiscard]] T value() && { return std::move(checked()); }

  [[nodiscard]] T& operator*() & { return checked(); }

  [[nodiscard]] const T& operator*() const& { return value(); }

  [[nodiscard]] T operator*() && { return std::move(checked()); }

  [[nodiscard]] T* operator->() { return &checked(); }

  [[nodiscard]] const T* operator->() const { return &value(); }

  [[nodiscard]] T value_or(T other) && {
    return has_value() ? std::move(checked()) : std::move(other);
  }

  [[nodiscard]] const Error& error() const& {
    PENSTOCK_CHECK(!has_value());
    return *std::get_if<1>(&state_);
  }

  [[nodiscard]] Error error() && {
    PENSTOCK_CHECK(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  T& checked() {
    PENSTOCK_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;

  Result(Error error) : error_(std::move(error)) {}  // NOLINT: see above

  [[nodiscard]] bool has_value() const { return !error_.has_value(); }

  explicit operator bool() const { return has_value(); }

  [[nodiscard]] const Error& error() const& {
    PENSTOCK_CHECK(error_.has_value());
    return *error_;
  }

  [[nodiscard]] Error error() && {
    PENSTOCK_CHECK(error_.has_value());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace penstock

#define PENSTOCK_CONCAT_INNER(a, b) a##b
#define PENSTOCK_CONCAT(a, b) PENSTOCK_CONCAT_INNER(a, b)

// Returns the error of `expression` (a Result) from the enclosing function, if it has one.
#define PENSTOCK_TRY(expression)                     \
  do {                                               \
    auto penstock_try_result = (expression);         \
    if (!penstock_try_result) [[unlikely]] {         \
      return std::move(penstock_try_result).error(); \
    }                                                \
  } while (false)

// PENSTOCK_TRY_ASSIGN(auto x, f()): x = the value of f(), or returns its error.
#define PENSTOCK_TRY_ASSIGN(target, expression) \
  PENSTOCK_TRY_ASSIGN_IMPL(PENSTOCK_CONCAT(penstock_result_, __LINE__), target, expression)
#define PENSTOCK_TRY_ASSIGN_IMPL(result, target, expression) \
  auto result = (expression);                                \
  if (!result) [[unlikely]] {                                \
    return std::move(result).error();                        \
  }                                                          \
  target = *std::move(result)
