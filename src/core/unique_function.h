// UniqueFunction is a callable that is moved, never copied, so it can own what it captures.
//
// std::function needs copyable captures; std::move_only_function is C++23. Used for completions:
// at most one call each, made by whoever the API names.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "core/check.h"

namespace penstock {

template <typename Signature>
class UniqueFunction;

template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;

  template <typename F>

  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, F&, Args...>)
      // NOLINTNEXTLINE(google-explicit-constructor,bugprone-forwarding-reference-overload)
      UniqueFunction(F&& function)  // a lambda is the argument
      : callable_(std::make_unique<Holder<std::remove_cvref_t<F>>>(std::forward<F>(function))) {}

  explicit operator bool() const { return callable_ != nullptr; }

  R operator()(Args... args) {
    PENSTOCK_CHECK(callable_ != nullptr);
    return callable_->call(std::forward<Args>(args)...);
  }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual R call(Args... args) = 0;
  };

  template <typename F>
  struct Holder final : Callable {
    explicit Holder(F&& f) : function(std::move(f)) {}

    explicit Holder(const F& f) : function(f) {}

    R call(Args... args) override { return function(std::forward<Args>(args)...); }

    F function;
  };

  std::unique_ptr<Callable> callable_;
};

}  // namespace penstock
