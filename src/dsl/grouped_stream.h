// GroupedStream is a stream whose records belong together by key: what can be aggregated.
//
//   stream.group_by_key().count(Materialized("clicks"))
//   stream.group_by_key().windowed_by(TimeWindows::of_size_and_grace(1min, 10s))
//         .aggregate(make, add, Materialized("per-minute"))
//
// Every aggregation has a store and hence a name. If the keys were changed before, records go
// through the topic `<name>-repartition`, named like the grouping or else like the store.
//
// Functions: initializer() -> aggregate, aggregator(key, value, aggregate) -> aggregate,
// reducer(reduced, value) -> reduced, merger(key, aggregate, aggregate) -> aggregate. Aggregates
// are given by value and may be changed in place; an absent std::optional removes the result.
//
// Threads   none of its own: used while a topology is built.
// Lifetime  the StreamBuilder outlives it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "dsl/aggregate.h"
#include "dsl/fwd.h"
#include "dsl/session_aggregate.h"
#include "dsl/sliding_aggregate.h"
#include "dsl/table.h"

namespace penstock::dsl {

// Reads a windowed table.
template <typename K, typename V>
class WindowGetter final : public ValueGetter<Windowed<K>, V> {
 public:
  WindowGetter(TaskRuntime& runtime, const std::string& store)
      : store_(runtime.store<store::WindowBytes>(store)) {}

  [[nodiscard]] std::optional<ValueAndTimestamp<V>> get(const Windowed<K>& key) override {
    return store_.fetch(key.key, key.window.start);
  }

 private:
  WindowStore<K, V> store_;
};

template <typename K, typename V>
class SessionGetter final : public ValueGetter<SessionWindowed<K>, V> {
 public:
  SessionGetter(TaskRuntime& runtime, const std::string& store)
      : store_(runtime.store<store::SessionBytes>(store)) {}

  [[nodiscard]] std::optional<ValueAndTimestamp<V>> get(const SessionWindowed<K>& key) override {
    std::optional<V> value = store_.fetch(key.key, key.window);
    return value.has_value()
               ? std::optional(ValueAndTimestamp<V>{*std::move(value), key.window.end})
               : std::nullopt;
  }

 private:
  SessionStore<K, V> store_;
};

// Each kind of windows: the node that aggregates by them, its store, the keys that come out.
template <typename Windows>
struct WindowKind {
  template <typename K>
  using Key = Windowed<K>;
  template <typename K, typename V, typename Fold>
  using Node = WindowAggregateNode<K, V, Windows, Fold>;
  template <typename K, typename V>
  using Getter = WindowGetter<K, V>;

  static topology::StoreFactory make_store(const std::string& store, const Windows& windows,
                                           Duration retention) {
    return window_store(store, windows.size(), retention);
  }

  template <typename K, typename V>
  static topology::StoreShape make_shape(const Windows& windows, Duration retention) {
    return window_shape<K, V>(windows.size(), retention);
  }

  // How long after its end a window takes records.
  static Duration stays_open(const Windows& windows) { return windows.grace(); }
};

template <>
struct WindowKind<SlidingWindows> {
  template <typename K>
  using Key = Windowed<K>;
  template <typename K, typename V, typename Fold>
  using Node = SlidingAggregateNode<K, V, Fold>;
  template <typename K, typename V>
  using Getter = WindowGetter<K, V>;

  static topology::StoreFactory make_store(const std::string& store, const SlidingWindows& windows,
                                           Duration retention) {
    return window_store(store, windows.size(), retention);
  }

  template <typename K, typename V>
  static topology::StoreShape make_shape(const SlidingWindows& windows, Duration retention) {
    return window_shape<K, V>(windows.size(), retention);
  }

  static Duration stays_open(const SlidingWindows& windows) { return windows.grace(); }
};

template <>
struct WindowKind<SessionWindows> {
  template <typename K>
  using Key = SessionWindowed<K>;
  template <typename K, typename V, typename Fold>
  using Node = SessionAggregateNode<K, V, Fold>;
  template <typename K, typename V>
  using Getter = SessionGetter<K, V>;

  static topology::StoreFactory make_store(const std::string& store,
                                           const SessionWindows& /*windows*/, Duration retention) {
    return session_store(store, retention);
  }

  template <typename K, typename V>
  static topology::StoreShape make_shape(const SessionWindows& /*windows*/, Duration retention) {
    return session_shape<K, V>(retention);
  }

  // A record within the gap still makes it longer.
  static Duration stays_open(const SessionWindows& windows) {
    return windows.inactivity_gap() + windows.grace();
  }
};

// Where the records of a grouping come from, through a topic where that is needed.
template <typename K, typename V>
class GroupingSource {
 public:
  GroupingSource(Graph& graph, StepId step, Keys keys, std::string name)
      : graph_(&graph), step_(step), keys_(keys), name_(std::move(name)) {
    if (keys == Keys::kChanged && !name_.empty()) {
      shared_ = &graph.keep(std::make_unique<Shared>());
    }
  }

  [[nodiscard]] Graph& graph() const { return *graph_; }

  // `store` names the topic if the grouping has no name. A named one makes its topic once.
  [[nodiscard]] StepId step_for(const std::string& store) const {
    if (keys_ == Keys::kKept) {
      return step_;
    }
    if (shared_ == nullptr) {
      return add_repartition<K, V>(*graph_, step_, store);
    }
    if (!shared_->step.has_value()) {
      shared_->step = add_repartition<K, V>(*graph_, step_, name_);
    }
    return *shared_->step;
  }

 private:
  struct Shared final : SharedInfo {
    std::optional<StepId> step;
  };

  Graph* graph_;
  StepId step_;
  Keys keys_;
  std::string name_;
  Shared* shared_ = nullptr;
};

// Aggregations by windows of any kind; made by windowed_by().
template <typename K, typename V, typename Windows>
class WindowedStream final {
 public:
  using Kind = WindowKind<Windows>;
  using Key = typename Kind::template Key<K>;

  WindowedStream(GroupingSource<K, V> source, const Windows& windows)
      : source_(std::move(source)), windows_(windows) {}

  // When results are handed on: with every record, or once a window is closed.
  [[nodiscard]] WindowedStream emit_strategy(EmitStrategy emit) const {
    static_assert(!std::is_same_v<Windows, UnlimitedWindows>, "unlimited windows never close");
    WindowedStream other = *this;
    other.emit_ = emit;
    return other;
  }

  [[nodiscard]] Table<Key, std::int64_t> count(const Materialized& materialized,
                                               const Named& named = {}) const {
    return fold("KSTREAM-AGGREGATE-", materialized, named, CountFold<K, V>());
  }

  template <typename Reducer>
  [[nodiscard]] Table<Key, V> reduce(Reducer reducer, const Materialized& materialized,
                                     const Named& named = {}) const {
    return fold("KSTREAM-REDUCE-", materialized, named,
                ReduceFold<K, V, Reducer>{std::move(reducer)});
  }

  template <typename Initializer, typename Aggregator>
  [[nodiscard]] auto aggregate(Initializer initializer, Aggregator aggregator,
                               const Materialized& materialized, const Named& named = {}) const {
    static_assert(!std::is_same_v<Windows, SessionWindows>,
                  "sessions merge: give a merger after the aggregator");
    return fold("KSTREAM-AGGREGATE-", materialized, named,
                AggregateFold<K, V, Initializer, Aggregator>{std::move(initializer),
                                                             std::move(aggregator)});
  }

  // See GroupedStream::top_n().
  template <typename Score>
  [[nodiscard]] Table<Key, std::vector<V>> top_n(std::size_t count, Score score,
                                                 const Materialized& materialized,
                                                 const Named& named = {}) const {
    return aggregate([] { return std::vector<V>(); }, TopN<V, Score>{count, std::move(score)},
                     materialized, named);
  }

  // Of sessions only.
  template <typename Initializer, typename Aggregator, typename Merger>

  requires(!std::is_convertible_v<Merger, const Materialized&>)
      [[nodiscard]] auto aggregate(Initializer initializer, Aggregator aggregator, Merger merger,
                                   const Materialized& materialized,
                                   const Named& named = {}) const {
    static_assert(std::is_same_v<Windows, SessionWindows>, "only sessions merge");
    return fold("KSTREAM-AGGREGATE-", materialized, named,
                AggregateFold<K, V, Initializer, Aggregator, Merger>{
                    std::move(initializer), std::move(aggregator), std::move(merger)});
  }

 private:
  template <typename Fold>
  [[nodiscard]] Table<Key, typename Fold::Aggregate> fold(std::string_view prefix,
                                                          const Materialized& materialized,
                                                          const Named& named, Fold fold) const {
    Graph& graph = source_.graph();
    return add_windowed_fold<K, V>(graph, source_.step_for(materialized.store()),
                                   graph.name_step(prefix, named.name), materialized, windows_,
                                   emit_, std::move(fold), nullptr);
  }

  GroupingSource<K, V> source_;
  Windows windows_;
  EmitStrategy emit_ = EmitStrategy::kOnWindowUpdate;
};

// One step that aggregates by windows. `shared` is the table that several such steps make up, of a
// cogroup; otherwise the step makes its own.
template <typename K, typename V, typename Windows, typename Fold>
[[nodiscard]] auto add_windowed_fold(
    Graph& graph, StepId parent, std::string name, const Materialized& materialized,
    const Windows& windows, EmitStrategy emit, Fold fold,
    TableInfo<typename WindowKind<Windows>::template Key<K>, typename Fold::Aggregate>* shared) {
  using Kind = WindowKind<Windows>;
  using Key = typename Kind::template Key<K>;
  using Aggregate = typename Fold::Aggregate;
  using NodeType = typename Kind::template Node<K, V, Fold>;
  const std::string& store = materialized.store();
  const StepId step = graph.add_step({Step::Kind::kProcessor, std::move(name), {parent}, {}, {}});
  if (shared == nullptr) {
    const Duration retention = materialized.retention().value_or(windows.retention());
    if (retention < windows.retention()) {
      graph.reject("the retention of store \"" + store +
                   "\" is shorter than its windows and their grace");
    }
    if (materialized.history().has_value()) {
      graph.reject("store \"" + store + "\" holds windows and cannot be versioned");
    }
    graph.add_store(store,
                    stored_as(materialized.type(), Kind::make_store(store, windows, retention)),
                    Kind::template make_shape<K, Aggregate>(windows, retention));
    auto info = std::make_unique<TableInfo<Key, Aggregate>>();
    info->stores = {store};
    info->grace = Kind::stays_open(windows);
    info->make_getter = [store](TaskRuntime& runtime) {
      return std::make_unique<typename Kind::template Getter<K, Aggregate>>(runtime, store);
    };
    shared = &graph.keep(std::move(info));
  }
  graph.connect(step, store);
  const bool caches = emit == EmitStrategy::kOnWindowUpdate && graph.caches(materialized);
  const WindowAggregateOptions options{store, emit, graph.emit_interval(), false, caches};
  graph.add_plan(step, [parent, windows, options, fold = std::move(fold),
                        &info = std::as_const(*shared)](TaskRuntime& runtime) {
    WindowAggregateOptions own = options;
    own.sends_old_values = info.sends_old_values;
    auto node = std::make_unique<NodeType>(runtime, windows, own, fold);
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
  return Table<Key, Aggregate>(graph, step, *shared);
}

// The same without windows.
template <typename K, typename V, typename Fold>
[[nodiscard]] Table<K, typename Fold::Aggregate> add_fold(
    Graph& graph, StepId parent, std::string name, const Materialized& materialized, Fold fold,
    TableInfo<K, typename Fold::Aggregate>* shared) {
  using Aggregate = typename Fold::Aggregate;
  const std::string& store = materialized.store();
  const StepId step = graph.add_step({Step::Kind::kProcessor, std::move(name), {parent}, {}, {}});
  if (shared == nullptr) {
    graph.add_store(store, table_store(materialized), table_shape<K, Aggregate>(materialized));
    shared = &keep_stored_table<K, Aggregate>(graph, materialized);
  }
  graph.connect(step, store);
  graph.add_plan(step, [parent, store, fold = std::move(fold),
                        &info = std::as_const(*shared)](TaskRuntime& runtime) {
    auto node = std::make_unique<AggregateNode<K, V, Fold>>(runtime, info.options(store), fold);
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
  return {graph, step, *shared};
}

template <typename K, typename V>
class GroupedStream final {
 public:
  GroupedStream(Graph& graph, StepId step, Keys keys, std::string name)
      : source_(graph, step, keys, std::move(name)) {}

  // The number of records.
  [[nodiscard]] Table<K, std::int64_t> count(const Materialized& materialized,
                                             const Named& named = {}) const {
    return fold("KSTREAM-AGGREGATE-", materialized, named, CountFold<K, V>());
  }

  template <typename Reducer>
  [[nodiscard]] Table<K, V> reduce(Reducer reducer, const Materialized& materialized,
                                   const Named& named = {}) const {
    return fold("KSTREAM-REDUCE-", materialized, named,
                ReduceFold<K, V, Reducer>{std::move(reducer)});
  }

  template <typename Initializer, typename Aggregator>
  [[nodiscard]] auto aggregate(Initializer initializer, Aggregator aggregator,
                               const Materialized& materialized, const Named& named = {}) const {
    return fold("KSTREAM-AGGREGATE-", materialized, named,
                AggregateFold<K, V, Initializer, Aggregator>{std::move(initializer),
                                                             std::move(aggregator)});
  }

  // The `count` values with the largest score(value), largest first; of equal ones the earlier.
  template <typename Score>
  [[nodiscard]] Table<K, std::vector<V>> top_n(std::size_t count, Score score,
                                               const Materialized& materialized,
                                               const Named& named = {}) const {
    return aggregate([] { return std::vector<V>(); }, TopN<V, Score>{count, std::move(score)},
                     materialized, named);
  }

  // TimeWindows, SlidingWindows, SessionWindows, UnlimitedWindows.
  template <typename Windows>
  [[nodiscard]] WindowedStream<K, V, Windows> windowed_by(const Windows& windows) const {
    return {source_, windows};
  }

  // Together with other streams into one table; see cogroup.h.
  template <typename Aggregator>
  [[nodiscard]] auto cogroup(Aggregator aggregator) const;

  [[nodiscard]] const GroupingSource<K, V>& source() const { return source_; }

 private:
  template <typename Fold>
  [[nodiscard]] Table<K, typename Fold::Aggregate> fold(std::string_view prefix,
                                                        const Materialized& materialized,
                                                        const Named& named, Fold fold) const {
    Graph& graph = source_.graph();
    return add_fold<K, V>(graph, source_.step_for(materialized.store()),
                          graph.name_step(prefix, named.name), materialized, std::move(fold),
                          nullptr);
  }

  GroupingSource<K, V> source_;
};

}  // namespace penstock::dsl
