// The stateless steps, as functions that are fused: each takes a record and calls what comes next
// with none, one or many. Compose makes one of two; the compiler makes one loop body of them all.
//
// Threads   one.
#pragma once

#include <utility>

#include "dsl/call.h"
#include "dsl/runtime.h"

namespace penstock::dsl {

// Every step: operator()(runtime, record, next), and what it makes of records of K and V.
template <typename K, typename V, typename Predicate, bool kWanted>
struct FilterStep {
  Predicate predicate;

  template <typename Next>
  void operator()(TaskRuntime& /*runtime*/, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Predicate, K, V>;
    const bool matches =
        Call::takes(record.key, record.value) && Call::call(predicate, record.key, record.value);
    if (matches == kWanted) {
      next(record);
    }
  }
};

template <typename K, typename V, typename Mapper>
struct MapValuesStep {
  using Result = NonNull<CallResult<Mapper, K, V>>;

  Mapper mapper;

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (Call::takes(record.key, record.value)) {
      const std::optional<Result> value = Call::call(mapper, record.key, record.value);
      next(record.with_value(to_pointer(value)));
    } else if (record.value == nullptr) {
      next(record.template with_value<Result>(nullptr));
    } else {
      runtime.drop();
    }
  }
};

template <typename K, typename V, typename Mapper>
struct MapStep {
  using Pair = CallResult<Mapper, K, V>;
  using KeyResult = NonNull<typename Pair::first_type>;
  using ValueResult = NonNull<typename Pair::second_type>;

  Mapper mapper;

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (!Call::takes(record.key, record.value)) {
      runtime.drop();
      return;
    }
    auto [key, value] = Call::call(mapper, record.key, record.value);
    const std::optional<KeyResult> new_key = std::move(key);
    const std::optional<ValueResult> new_value = std::move(value);
    next(record.with_key(to_pointer(new_key)).with_value(to_pointer(new_value)));
  }
};

template <typename K, typename V, typename Mapper>
struct SelectKeyStep {
  using Result = NonNull<CallResult<Mapper, K, V>>;

  Mapper mapper;

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (!Call::takes(record.key, record.value)) {
      runtime.drop();
      return;
    }
    const std::optional<Result> key = Call::call(mapper, record.key, record.value);
    next(record.with_key(to_pointer(key)));
  }
};

template <typename K, typename V, typename Mapper>
struct FlatMapStep {
  using Pair = typename std::remove_cvref_t<CallResult<Mapper, K, V>>::value_type;
  using KeyResult = NonNull<typename Pair::first_type>;
  using ValueResult = NonNull<typename Pair::second_type>;

  Mapper mapper;

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (!Call::takes(record.key, record.value)) {
      runtime.drop();
      return;
    }
    for (auto&& [key, value] : Call::call(mapper, record.key, record.value)) {
      const std::optional<KeyResult> new_key = key;
      const std::optional<ValueResult> new_value = value;
      next(record.with_key(to_pointer(new_key)).with_value(to_pointer(new_value)));
    }
  }
};

template <typename K, typename V, typename Mapper>
struct FlatMapValuesStep {
  using Result = NonNull<typename std::remove_cvref_t<CallResult<Mapper, K, V>>::value_type>;

  Mapper mapper;

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (!Call::takes(record.key, record.value)) {
      if (record.value != nullptr) {
        runtime.drop();
      }
      return;
    }
    for (auto&& element : Call::call(mapper, record.key, record.value)) {
      const std::optional<Result> value = element;
      next(record.with_value(to_pointer(value)));
    }
  }
};

template <typename K, typename V, typename Action>
struct PeekStep {
  Action action;

  template <typename Next>
  void operator()(TaskRuntime& /*runtime*/, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Action, K, V>;
    if (Call::takes(record.key, record.value)) {
      static_cast<void>(Call::call(action, record.key, record.value));
    }
    next(record);
  }
};

struct Identity {
  template <typename R, typename Next>
  void operator()(TaskRuntime& /*runtime*/, const R& record, Next&& next) {
    next(record);
  }
};

template <typename First, typename Second>
struct Compose {
  First first;
  Second second;

  template <typename R, typename Next>
  void operator()(TaskRuntime& runtime, const R& record, Next&& next) {
    first(runtime, record, [&](const auto& between) { second(runtime, between, next); });
  }
};

// A chain of steps as one node: records of K and V in, of KR and VR out.
template <typename K, typename V, typename KR, typename VR, typename Steps>
class FusedNode final : public Node, public Receiver<K, V>, public Publisher<KR, VR> {
 public:
  FusedNode(TaskRuntime& runtime, Steps steps) : runtime_(runtime), steps_(std::move(steps)) {}

  void receive(const Record<K, V>& record) override {
    steps_(runtime_, record, [this](const Record<KR, VR>& result) { this->publish(result); });
  }

 private:
  TaskRuntime& runtime_;
  Steps steps_;
};

// Hands on what it gets: where streams are merged.
template <typename K, typename V>
class PassNode final : public Node, public Receiver<K, V>, public Publisher<K, V> {
 public:
  void receive(const Record<K, V>& record) override { this->publish(record); }
};

}  // namespace penstock::dsl
