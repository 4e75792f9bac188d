// How the functions of a topology are called: with a value, with key and value, null or not.
//
// A function may take `const V&`, or `const K&, const V&`: then it is never called with null. One
// that wants to see null takes pointers: `const V*`, or any mixture. A function that makes a value
// may return std::optional of it, to say null. A function of a stateless step may return Result of
// that: an Error is handled as the topology's ErrorHandlers say (errors.h).
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "core/result.h"

namespace penstock::dsl {

template <typename T>
struct NullableTraits {
  using Type = T;
};

template <typename T>
struct NullableTraits<std::optional<T>> {
  using Type = T;
};

template <typename T>
struct NullableTraits<Result<T>> {
  using Type = typename NullableTraits<T>::Type;
};

// T of std::optional<T>, of Result<T>, and of T.
template <typename T>
using NonNull = typename NullableTraits<std::remove_cvref_t<T>>::Type;

// What a function gives if it does not fail: V of Result<V>, and of V.
template <typename T>
struct Succeeds {
  static constexpr bool kAlways = true;
  using Type = std::remove_cvref_t<T>;
};

template <typename T>
struct Succeeds<Result<T>> {
  static constexpr bool kAlways = false;
  using Type = T;
};

template <typename T>
using Success = typename Succeeds<std::remove_cvref_t<T>>::Type;

namespace internal {

template <typename F, typename K, typename V>
struct KeyValueCall {
  static constexpr bool kValue = std::is_invocable_v<F&, const V&>;
  static constexpr bool kValuePointer = !kValue && std::is_invocable_v<F&, const V*>;
  static constexpr bool kAlone = kValue || kValuePointer;
  static constexpr bool kBoth = !kAlone && std::is_invocable_v<F&, const K&, const V&>;
  static constexpr bool kNullKey = !kAlone && !kBoth && std::is_invocable_v<F&, const K*, const V&>;
  static constexpr bool kNullValue =
      !kAlone && !kBoth && !kNullKey && std::is_invocable_v<F&, const K&, const V*>;
  static constexpr bool kNullBoth =
      !kAlone && !kBoth && !kNullKey && !kNullValue && std::is_invocable_v<F&, const K*, const V*>;
  static_assert(kAlone || kBoth || kNullKey || kNullValue || kNullBoth,
                "the function takes neither a value (const V& or const V*) nor key and value");

  static constexpr bool kTakesNullKey = kAlone || kNullKey || kNullBoth;
  static constexpr bool kTakesNullValue = kValuePointer || kNullValue || kNullBoth;

  [[nodiscard]] static bool takes(const K* key, const V* value) {
    return (kTakesNullKey || key != nullptr) && (kTakesNullValue || value != nullptr);
  }

  static decltype(auto) call(F& function, const K* key, const V* value) {
    if constexpr (kValue) {
      return function(*value);
    } else if constexpr (kValuePointer) {
      return function(value);
    } else if constexpr (kBoth) {
      return function(*key, *value);
    } else if constexpr (kNullKey) {
      return function(key, *value);
    } else if constexpr (kNullValue) {
      return function(*key, value);
    } else {
      return function(key, value);
    }
  }

  using Result = decltype(call(std::declval<F&>(), nullptr, nullptr));
};

// A function of two values, with the key before them or not; each null or not.
template <typename F, typename K, typename Left, typename Right>
struct JoinCall {
  template <typename... Arguments>
  static constexpr bool kTakes = std::is_invocable_v<F&, Arguments...>;

  static decltype(auto) call(F& function, [[maybe_unused]] const K* key, const Left* left,
                             const Right* right) {
    if constexpr (kTakes<const Left&, const Right&>) {
      return function(*left, *right);
    } else if constexpr (kTakes<const Left&, const Right*>) {
      return function(*left, right);
    } else if constexpr (kTakes<const Left*, const Right&>) {
      return function(left, *right);
    } else if constexpr (kTakes<const Left*, const Right*>) {
      return function(left, right);
    } else if constexpr (kTakes<const K&, const Left&, const Right&>) {
      return function(*key, *left, *right);
    } else if constexpr (kTakes<const K&, const Left&, const Right*>) {
      return function(*key, *left, right);
    } else if constexpr (kTakes<const K*, const Left&, const Right*>) {
      return function(key, *left, right);
    } else if constexpr (kTakes<const K&, const Left*, const Right*>) {
      return function(*key, left, right);
    } else {
      static_assert(
          kTakes<const K*, const Left*, const Right*>,
          "the joiner takes no left and right value, with or without the key before them");
      return function(key, left, right);
    }
  }

  // Whether the function can be called with a null of that side.
  static constexpr bool kTakesNullLeft =
      !kTakes<const Left&, const Right&> && !kTakes<const Left&, const Right*> &&
      !kTakes<const K&, const Left&, const Right&> &&
      !kTakes<const K&, const Left&, const Right*> && !kTakes<const K*, const Left&, const Right*>;
  static constexpr bool kTakesNullRight = !kTakes<const Left&, const Right&> &&
                                          !kTakes<const Left*, const Right&> &&
                                          !kTakes<const K&, const Left&, const Right&>;
  static constexpr bool kTakesNullKey =
      kTakes<const Left&, const Right&> || kTakes<const Left&, const Right*> ||
      kTakes<const Left*, const Right&> || kTakes<const Left*, const Right*> ||
      (!kTakes<const K&, const Left&, const Right&> &&
       !kTakes<const K&, const Left&, const Right*> &&
       !kTakes<const K&, const Left*, const Right*>);

  using Result = decltype(call(std::declval<F&>(), nullptr, nullptr, nullptr));
};

}  // namespace internal

template <typename F, typename K, typename V>
using KeyValueCall = internal::KeyValueCall<std::remove_reference_t<F>, K, V>;

template <typename F, typename K, typename V>
using CallResult = typename KeyValueCall<F, K, V>::Result;

template <typename F, typename K, typename Left, typename Right>
using JoinCall = internal::JoinCall<std::remove_reference_t<F>, K, Left, Right>;

template <typename F, typename K, typename Left, typename Right>
using JoinResult = NonNull<typename JoinCall<F, K, Left, Right>::Result>;

}  // namespace penstock::dsl
