// The stateless steps, as functions that are fused: each takes a record and calls what comes next
// with none, one or many. Compose makes one of two; the compiler makes one loop body of them all.
// A step's `name` is set when it is added to a stream; it is needed where its function fails.
//
// Threads   one.
#pragma once

#include <string>
#include <utility>

#include "dsl/call.h"
#include "dsl/runtime.h"

namespace penstock::dsl {

// Calls `use` with what a step's function gave, unless that is an Error: then the record goes no
// further, and the handlers decide.
template <typename Given, typename Use>
void use_result(TaskRuntime& runtime, const std::string& step, Given&& given, Use&& use) {
  if constexpr (Succeeds<std::remove_cvref_t<Given>>::kAlways) {
    use(std::forward<Given>(given));
  } else if (given) {
    use(*std::forward<Given>(given));
  } else {
    runtime.reject(ErrorKind::kProcessing, step, given.error());
  }
}

// Every step: operator()(runtime, record, next), and what it makes of records of K and V.
template <typename K, typename V, typename Predicate, bool kWanted>
struct FilterStep {
  Predicate predicate;
  std::string name = {};

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Predicate, K, V>;
    const auto decide = [&](bool matches) {
      if (matches == kWanted) {
        next(record);
      }
    };
    if (Call::takes(record.key, record.value)) {
      use_result(runtime, name, Call::call(predicate, record.key, record.value), decide);
    } else {
      decide(false);
    }
  }
};

template <typename K, typename V, typename Mapper>
struct MapValuesStep {
  using Result = NonNull<CallResult<Mapper, K, V>>;

  Mapper mapper;
  std::string name = {};

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (Call::takes(record.key, record.value)) {
      use_result(runtime, name, Call::call(mapper, record.key, record.value), [&](auto&& given) {
        const std::optional<Result> value = std::forward<decltype(given)>(given);
        next(record.with_value(to_pointer(value)));
      });
    } else if (record.value == nullptr) {
      next(record.template with_value<Result>(nullptr));
    } else {
      runtime.drop();
    }
  }
};

template <typename K, typename V, typename Mapper>
struct MapStep {
  using Pair = Success<CallResult<Mapper, K, V>>;
  using KeyResult = NonNull<typename Pair::first_type>;
  using ValueResult = NonNull<typename Pair::second_type>;

  Mapper mapper;
  std::string name = {};

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (!Call::takes(record.key, record.value)) {
      runtime.drop();
      return;
    }
    use_result(runtime, name, Call::call(mapper, record.key, record.value), [&](Pair pair) {
      const std::optional<KeyResult> new_key = std::move(pair.first);
      const std::optional<ValueResult> new_value = std::move(pair.second);
      next(record.with_key(to_pointer(new_key)).with_value(to_pointer(new_value)));
    });
  }
};

template <typename K, typename V, typename Mapper>
struct SelectKeyStep {
  using Result = NonNull<CallResult<Mapper, K, V>>;

  Mapper mapper;
  std::string name = {};

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (!Call::takes(record.key, record.value)) {
      runtime.drop();
      return;
    }
    use_result(runtime, name, Call::call(mapper, record.key, record.value), [&](auto&& given) {
      const std::optional<Result> key = std::forward<decltype(given)>(given);
      next(record.with_key(to_pointer(key)));
    });
  }
};

template <typename K, typename V, typename Mapper>
struct FlatMapStep {
  using Pair = typename Success<CallResult<Mapper, K, V>>::value_type;
  using KeyResult = NonNull<typename Pair::first_type>;
  using ValueResult = NonNull<typename Pair::second_type>;

  Mapper mapper;
  std::string name = {};

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (!Call::takes(record.key, record.value)) {
      runtime.drop();
      return;
    }
    use_result(runtime, name, Call::call(mapper, record.key, record.value), [&](auto&& pairs) {
      for (auto&& [key, value] : pairs) {
        const std::optional<KeyResult> new_key = key;
        const std::optional<ValueResult> new_value = value;
        next(record.with_key(to_pointer(new_key)).with_value(to_pointer(new_value)));
      }
    });
  }
};

template <typename K, typename V, typename Mapper>
struct FlatMapValuesStep {
  using Result = NonNull<typename Success<CallResult<Mapper, K, V>>::value_type>;

  Mapper mapper;
  std::string name = {};

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Mapper, K, V>;
    if (!Call::takes(record.key, record.value)) {
      if (record.value != nullptr) {
        runtime.drop();
      }
      return;
    }
    use_result(runtime, name, Call::call(mapper, record.key, record.value), [&](auto&& elements) {
      for (auto&& element : elements) {
        const std::optional<Result> value = element;
        next(record.with_value(to_pointer(value)));
      }
    });
  }
};

template <typename K, typename V, typename Action>
struct PeekStep {
  Action action;
  std::string name = {};

  template <typename Next>
  void operator()(TaskRuntime& runtime, const Record<K, V>& record, Next&& next) {
    using Call = KeyValueCall<Action, K, V>;
    if (Call::takes(record.key, record.value)) {
      if constexpr (std::is_same_v<typename Call::Result, Status>) {
        if (const Status done = Call::call(action, record.key, record.value); !done) {
          return runtime.reject(ErrorKind::kProcessing, name, done.error());
        }
      } else {
        static_cast<void>(Call::call(action, record.key, record.value));
      }
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
