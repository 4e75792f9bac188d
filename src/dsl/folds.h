// Folds: how an aggregation begins, takes in a record, and merges two of its results.
//
// `initial` may be absent: then the first value is the first result (reduce). An aggregate that
// becomes absent is removed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "dsl/call.h"

namespace penstock::dsl {

// Nothing to merge: not for sessions.
struct NoMerger {};

template <typename K, typename V>
struct CountFold {
  using Aggregate = std::int64_t;
  static constexpr bool kTakesNull = true;

  [[nodiscard]] std::optional<Aggregate> initial() { return 0; }

  [[nodiscard]] std::optional<Aggregate> add(const K& /*key*/, const V* /*value*/,
                                             std::optional<Aggregate> aggregate) {
    return aggregate.value_or(0) + 1;
  }

  [[nodiscard]] std::optional<Aggregate> merge(const K& /*key*/, std::optional<Aggregate> left,
                                               std::optional<Aggregate> right) {
    return left.value_or(0) + right.value_or(0);
  }
};

template <typename K, typename V, typename Reducer>
struct ReduceFold {
  using Aggregate = V;
  static constexpr bool kTakesNull = !std::is_invocable_v<Reducer&, V, const V&>;

  Reducer reducer;

  [[nodiscard]] std::optional<V> initial() { return std::nullopt; }

  [[nodiscard]] std::optional<V> add(const K& /*key*/, const V* value, std::optional<V> aggregate) {
    if (!aggregate.has_value()) {
      return value == nullptr ? std::nullopt : std::optional<V>(*value);
    }
    return reduce(*std::move(aggregate), value);
  }

  [[nodiscard]] std::optional<V> merge(const K& /*key*/, std::optional<V> left,
                                       std::optional<V> right) {
    if (!left.has_value() || !right.has_value()) {
      return left.has_value() ? left : right;
    }
    return reduce(*std::move(left), &*right);
  }

 private:
  [[nodiscard]] std::optional<V> reduce(V&& reduced, const V* value) {
    if constexpr (kTakesNull) {
      return reducer(std::move(reduced), value);
    } else {
      return reducer(std::move(reduced), *value);
    }
  }
};

// aggregator(const K&, const V& or const V*, Aggregate) -> Aggregate or std::optional of it.
template <typename K, typename V, typename Initializer, typename Aggregator,
          typename Merger = NoMerger>
struct AggregateFold {
  using Aggregate = NonNull<std::invoke_result_t<Initializer&>>;
  static constexpr bool kTakesNull =
      !std::is_invocable_v<Aggregator&, const K&, const V&, Aggregate>;

  Initializer initializer;
  Aggregator aggregator;
  Merger merger = {};

  [[nodiscard]] std::optional<Aggregate> initial() { return initializer(); }

  [[nodiscard]] std::optional<Aggregate> add(const K& key, const V* value,
                                             std::optional<Aggregate> aggregate) {
    if (!aggregate.has_value()) {
      return std::nullopt;
    }
    if constexpr (kTakesNull) {
      return aggregator(key, value, *std::move(aggregate));
    } else {
      return aggregator(key, *value, *std::move(aggregate));
    }
  }

  [[nodiscard]] std::optional<Aggregate> merge(const K& key, std::optional<Aggregate> left,
                                               std::optional<Aggregate> right) {
    return merger(key, *std::move(left), *std::move(right));
  }
};

// The aggregator of top_n().
template <typename V, typename Score>
struct TopN {
  std::size_t count;
  Score score;

  template <typename K>
  std::vector<V> operator()(const K& /*key*/, const V& value, std::vector<V> top) {
    const auto place =
        std::ranges::find_if(top, [&](const V& other) { return score(other) < score(value); });
    top.insert(place, value);
    if (top.size() > count) {
      top.pop_back();
    }
    return top;
  }
};

}  // namespace penstock::dsl
