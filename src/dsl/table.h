// Table is a table that changes: the latest value of each key (Kafka Streams' KTable).
//
//   Table<std::string, Order> orders = builder.table<std::string, Order>("orders",
//   Materialized("orders")); orders.filter(is_open).join(customers,
//   combine).to_stream().to("open-orders");
//
// What goes from step to step are changes: what a key holds now and, where a step needs it, what it
// held before. A table from a topic and one from an aggregation have a store, under the name the
// program gives; filter(), map_values() and joins compute theirs from it, unless they are given a
// store too.
//
// Threads   none of its own: used while a topology is built.
// Lifetime  the StreamBuilder outlives it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dsl/foreign_key_join.h"
#include "dsl/fwd.h"
#include "dsl/repartition.h"
#include "dsl/store_factories.h"
#include "dsl/stream.h"
#include "dsl/suppress.h"
#include "dsl/table_join.h"
#include "dsl/table_nodes.h"

namespace penstock::dsl {

template <typename K, typename V>
class Table final {
 public:
  using Key = K;
  using Value = V;
  using Info = TableInfo<K, V>;

  Table(Graph& graph, StepId step, Info& info) : graph_(&graph), step_(step), info_(&info) {}

  // Keeps the entries for which predicate([key,] value) is true.
  template <typename Predicate>
  [[nodiscard]] Table filter(Predicate predicate,
                             const std::optional<Materialized>& materialized = std::nullopt,
                             const Named& named = {}) const {
    return derive<V>("KTABLE-FILTER-", named, materialized, IsFilter::kYes,
                     FilterCompute<K, V, Predicate, true>{std::move(predicate)});
  }

  template <typename Predicate>
  [[nodiscard]] Table filter_not(Predicate predicate,
                                 const std::optional<Materialized>& materialized = std::nullopt,
                                 const Named& named = {}) const {
    return derive<V>("KTABLE-FILTER-", named, materialized, IsFilter::kYes,
                     FilterCompute<K, V, Predicate, false>{std::move(predicate)});
  }

  // mapper([key,] value) -> new value.
  template <typename Mapper>
  [[nodiscard]] auto map_values(Mapper mapper,
                                const std::optional<Materialized>& materialized = std::nullopt,
                                const Named& named = {}) const {
    using Compute = MapCompute<K, V, Mapper>;
    return derive<typename Compute::Result>("KTABLE-MAPVALUES-", named, materialized, IsFilter::kNo,
                                            Compute{std::move(mapper)});
  }

  // What each key holds after each change; null where it was removed.
  [[nodiscard]] Stream<K, V> to_stream(const Named& named = {}) const;

  // selector(key, value) -> pair of group key and value.
  template <typename Selector>
  [[nodiscard]] auto group_by(Selector selector, const Grouped& grouped = {}) const;

  // Holds changes back: see suppress.h. The name is that of its store too.
  [[nodiscard]] Table suppress(const Suppressed& suppressed) const;

  // joiner([key,] left, right): entries that both tables have.
  template <typename VR, typename Joiner>
  [[nodiscard]] auto join(const Table<K, VR>& other, Joiner joiner,
                          const std::optional<Materialized>& materialized = std::nullopt,
                          const Named& named = {}) const {
    return join_tables<TableJoinKind::kInner>(other, std::move(joiner), materialized, named);
  }

  // All entries of this table; right is null where the other has none.
  template <typename VR, typename Joiner>
  [[nodiscard]] auto left_join(const Table<K, VR>& other, Joiner joiner,
                               const std::optional<Materialized>& materialized = std::nullopt,
                               const Named& named = {}) const {
    return join_tables<TableJoinKind::kLeft>(other, std::move(joiner), materialized, named);
  }

  // Entries that any of them has.
  template <typename VR, typename Joiner>
  [[nodiscard]] auto outer_join(const Table<K, VR>& other, Joiner joiner,
                                const std::optional<Materialized>& materialized = std::nullopt,
                                const Named& named = {}) const {
    return join_tables<TableJoinKind::kOuter>(other, std::move(joiner), materialized, named);
  }

  // By a foreign key (KIP-213, KIP-1104): extractor([key,] value) -> key of the other table, or an
  // empty std::optional. joiner([key,] left, right).
  template <typename KO, typename VO, typename Extractor, typename Joiner>
  [[nodiscard]] auto join(const Table<KO, VO>& other, Extractor extractor, Joiner joiner,
                          const TableJoined& joined, const Materialized& materialized) const {
    return join_foreign<KO, VO, Extractor, Joiner, false>(other, std::move(extractor),
                                                          std::move(joiner), joined, materialized);
  }

  // All entries of this table; right is null where the other has none.
  template <typename KO, typename VO, typename Extractor, typename Joiner>
  [[nodiscard]] auto left_join(const Table<KO, VO>& other, Extractor extractor, Joiner joiner,
                               const TableJoined& joined, const Materialized& materialized) const {
    return join_foreign<KO, VO, Extractor, Joiner, true>(other, std::move(extractor),
                                                         std::move(joiner), joined, materialized);
  }

  [[nodiscard]] Graph& graph() const { return *graph_; }

  [[nodiscard]] StepId node() const { return step_; }

  // For a step that looks values up.
  [[nodiscard]] Info& read() const { return *info_; }

 private:
  enum class IsFilter : std::uint8_t { kNo, kYes };

  template <typename VR, typename Compute>
  [[nodiscard]] Table<K, VR> derive(std::string_view prefix, const Named& named,
                                    const std::optional<Materialized>& materialized,
                                    IsFilter is_filter, Compute compute) const;

  template <TableJoinKind kKind, typename VR, typename Joiner>
  [[nodiscard]] auto join_tables(const Table<K, VR>& other, Joiner joiner,
                                 const std::optional<Materialized>& materialized,
                                 const Named& named) const;

  template <typename KO, typename VO, typename Extractor, typename Joiner, bool kIsLeftJoin>
  [[nodiscard]] auto join_foreign(const Table<KO, VO>& other, Extractor extractor, Joiner joiner,
                                  const TableJoined& joined,
                                  const Materialized& materialized) const;

  Graph* graph_;
  StepId step_;
  Info* info_;
};

// The info of a table that has a store of its own.
template <typename K, typename V>
[[nodiscard]] TableInfo<K, V>& keep_stored_table(Graph& graph, const Materialized& materialized) {
  const std::string& store = materialized.store();
  auto info = std::make_unique<TableInfo<K, V>>();
  info->stores = {store};
  info->is_versioned = materialized.history().has_value();
  info->caches = graph.caches(materialized);
  info->make_getter = [store](TaskRuntime& runtime) {
    return std::make_unique<StoreGetter<K, V>>(runtime, store);
  };
  return graph.keep(std::move(info));
}

// A table of the latest values of a stream.
template <typename K, typename V>
[[nodiscard]] Table<K, V> add_table_source(Graph& graph, StepId parent, std::string name,
                                           const Materialized& materialized) {
  const std::string& store = materialized.store();
  const StepId step = graph.add_step({Step::Kind::kProcessor, std::move(name), {parent}, {}, {}});
  graph.add_store(store, table_store(materialized), table_shape<K, V>(materialized));
  graph.connect(step, store);
  TableInfo<K, V>& info = keep_stored_table<K, V>(graph, materialized);
  graph.add_plan(step, [parent, store, &info = std::as_const(info)](TaskRuntime& runtime) {
    auto node = std::make_unique<TableSourceNode<K, V>>(runtime, info.options(store));
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
  return {graph, step, info};
}

template <typename Self, typename K, typename V>
Table<K, V> StreamOperations<Self, K, V>::to_table(const Materialized& materialized,
                                                   const Named& named) const {
  const StepId parent = co_partitioned(named.name.empty() ? materialized.store() : named.name);
  return add_table_source<K, V>(self().graph(), parent,
                                self().graph().name_step("KSTREAM-TOTABLE-", named.name),
                                materialized);
}

template <typename K, typename V>
Stream<K, V> Table<K, V>::to_stream(const Named& named) const {
  const StepId step = graph_->add_step(
      {Step::Kind::kProcessor, graph_->name_step("KTABLE-TOSTREAM-", named.name), {step_}, {}, {}});
  graph_->add_plan(step, [parent = step_](TaskRuntime& runtime) {
    auto node = std::make_unique<ToStreamNode<K, V>>();
    runtime.publisher<K, Change<V>>(parent).add_child(*node);
    return node;
  });
  return {*graph_, step, Keys::kKept};
}

template <typename K, typename V>
template <typename VR, typename Compute>
Table<K, VR> Table<K, V>::derive(std::string_view prefix, const Named& named,
                                 const std::optional<Materialized>& materialized,
                                 IsFilter is_filter, Compute compute) const {
  const StepId step = graph_->add_step(
      {Step::Kind::kProcessor, graph_->name_step(prefix, named.name), {step_}, {}, {}});
  const std::string store = materialized.has_value() ? materialized->store() : "";
  TableInfo<K, VR>& info = materialized.has_value()
                               ? keep_stored_table<K, VR>(*graph_, *materialized)
                               : graph_->keep(std::make_unique<TableInfo<K, VR>>());
  info.grace = info_->grace;
  if (store.empty()) {
    info.stores = info_->stores;
    info.is_versioned = info_->is_versioned;
    info.ask = [parent = info_](bool force) { return parent->enable_sending_old_values(force); };
    info.make_getter = [parent = info_, compute](TaskRuntime& runtime) {
      return std::make_unique<DerivedGetter<K, V, VR, Compute>>(parent->make_getter(runtime),
                                                                compute);
    };
  } else {
    graph_->add_store(store, table_store(*materialized), table_shape<K, VR>(*materialized));
    graph_->connect(step, store);
  }
  if (is_filter == IsFilter::kYes) {
    info.sends_old_values = info_->enable_sending_old_values(false);
  }
  // Of a versioned table also a change of nothing to nothing means something: at its time.
  const bool is_silent_on_nothing = is_filter == IsFilter::kYes && !info_->is_versioned;
  graph_->add_plan(step,
                   [parent = step_, store, is_silent_on_nothing, compute = std::move(compute),
                    &info = std::as_const(info)](TaskRuntime& runtime) -> std::unique_ptr<Node> {
                     Publisher<K, Change<V>>& source = runtime.publisher<K, Change<V>>(parent);
                     if (store.empty()) {
                       auto node = std::make_unique<DerivedTableNode<K, V, VR, Compute>>(
                           DerivedTableOptions{info.sends_old_values, is_silent_on_nothing},
                           compute);
                       source.add_child(*node);
                       return node;
                     }
                     auto node = std::make_unique<StoredDerivedTableNode<K, V, VR, Compute>>(
                         runtime, info.options(store), is_silent_on_nothing, compute);
                     source.add_child(*node);
                     return node;
                   });
  return {*graph_, step, info};
}

template <typename K, typename V>
template <TableJoinKind kKind, typename VR, typename Joiner>
auto Table<K, V>::join_tables(const Table<K, VR>& other, Joiner joiner,
                              const std::optional<Materialized>& materialized,
                              const Named& named) const {
  using Out = JoinResult<Joiner, K, V, VR>;
  using Call = JoinCall<Joiner, K, V, VR>;
  using Join = TableJoiner<kKind, K, V, VR, Joiner, Out>;
  static_assert(kKind == TableJoinKind::kInner || Call::kTakesNullRight,
                "the joiner of a left or outer join takes the right value as const V*");
  static_assert(kKind != TableJoinKind::kOuter || Call::kTakesNullLeft,
                "the joiner of an outer join takes the left value as const V*");
  TableInfo<K, VR>& right_info = other.read();
  if (kKind != TableJoinKind::kInner) {
    info_->enable_sending_old_values(true);
  }
  if (kKind == TableJoinKind::kOuter) {
    right_info.enable_sending_old_values(true);
  }
  const std::string name = graph_->name_step("KTABLE-MERGE-", named.name);
  const std::string left_name =
      named.name.empty() ? graph_->name_step("KTABLE-JOINTHIS-", "") : name + "-join-this";
  const std::string right_name =
      named.name.empty() ? graph_->name_step("KTABLE-JOINOTHER-", "") : name + "-join-other";
  const StepId left = graph_->add_step({Step::Kind::kProcessor, left_name, {step_}, {}, {}});
  const StepId right =
      graph_->add_step({Step::Kind::kProcessor, right_name, {other.node()}, {}, {}});
  const StepId merge = graph_->add_step({Step::Kind::kProcessor, name, {left, right}, {}, {}});
  for (const std::string& store : right_info.stores) {
    graph_->connect(left, store);
  }
  for (const std::string& store : info_->stores) {
    graph_->connect(right, store);
  }
  const Join join{std::move(joiner)};
  const std::string store = materialized.has_value() ? materialized->store() : "";
  TableInfo<K, Out>& info = materialized.has_value()
                                ? keep_stored_table<K, Out>(*graph_, *materialized)
                                : graph_->keep(std::make_unique<TableInfo<K, Out>>());
  info.ask = [mine = info_, theirs = &right_info](bool /*force*/) {
    mine->enable_sending_old_values(true);
    theirs->enable_sending_old_values(true);
    return true;
  };
  if (store.empty()) {
    info.stores = info_->stores;
    info.stores.insert(info.stores.end(), right_info.stores.begin(), right_info.stores.end());
    info.make_getter = [mine = info_, theirs = &right_info, join](TaskRuntime& runtime) {
      return std::make_unique<TableJoinGetter<K, V, VR, Out, Join>>(
          mine->make_getter(runtime), theirs->make_getter(runtime), join);
    };
  } else {
    graph_->add_store(store, table_store(*materialized), table_shape<K, Out>(*materialized));
    graph_->connect(merge, store);
  }
  graph_->add_plan(left, [parent = step_, join, &info = std::as_const(info), mine = info_,
                          theirs = &right_info](TaskRuntime& runtime) {
    using Side = TableJoinNode<kKind, true, K, V, VR, Joiner, Out>;
    auto node =
        std::make_unique<Side>(runtime, theirs->make_getter(runtime), join,
                               typename Side::Options{mine->is_versioned, info.sends_old_values});
    runtime.publisher<K, Change<V>>(parent).add_child(*node);
    return node;
  });
  graph_->add_plan(right, [parent = other.node(), join, &info = std::as_const(info), mine = info_,
                           theirs = &right_info](TaskRuntime& runtime) {
    using Side = TableJoinNode<kKind, false, K, V, VR, Joiner, Out>;
    auto node =
        std::make_unique<Side>(runtime, mine->make_getter(runtime), join,
                               typename Side::Options{theirs->is_versioned, info.sends_old_values});
    runtime.publisher<K, Change<VR>>(parent).add_child(*node);
    return node;
  });
  graph_->add_plan(
      merge,
      [left, right, store,
       &info = std::as_const(info)](TaskRuntime& runtime) -> std::unique_ptr<Node> {
        const auto connected = [&](auto node) {
          runtime.publisher<K, Change<Out>>(left).add_child(*node);
          runtime.publisher<K, Change<Out>>(right).add_child(*node);
          return node;
        };
        if (store.empty()) {
          return connected(std::make_unique<TableMergeNode<K, Out>>(info.sends_old_values));
        }
        return connected(
            std::make_unique<StoredTableMergeNode<K, Out>>(runtime, info.options(store)));
      });
  return Table<K, Out>(*graph_, merge, info);
}

template <typename K, typename V>
Table<K, V> Table<K, V>::suppress(const Suppressed& suppressed) const {
  const std::string store = suppressed.name() + "-store";
  typename SuppressNode<K, V>::Options options{suppressed.name(), store, Duration(0), false,
                                               suppressed.config()};
  if (suppressed.wait().has_value()) {
    options.wait = *suppressed.wait();
  } else if (WindowedKey<K> && info_->grace.has_value()) {
    options.wait = *info_->grace;
    options.until_window_closes = true;
  } else {
    graph_->reject("suppress step \"" + suppressed.name() +
                   "\" waits for windows to close, but the table has none");
  }
  if (info_->is_versioned) {
    graph_->reject("suppress step \"" + suppressed.name() +
                   "\" is behind a versioned table, whose changes may be out of order");
  }
  info_->enable_sending_old_values(true);
  const StepId step =
      graph_->add_step({Step::Kind::kProcessor, suppressed.name(), {step_}, {}, {}});
  graph_->add_store(store, key_value_store(store),
                    {"suppression buffer", type_names<K, V>(), 0, 0});
  graph_->connect(step, store);
  auto made = std::make_unique<Info>();
  made->grace = info_->grace;
  made->ask = [parent = info_](bool force) { return parent->enable_sending_old_values(force); };
  made->stores = info_->stores;
  made->stores.push_back(store);
  made->make_getter = [parent = info_, store](TaskRuntime& runtime) {
    return std::make_unique<SuppressGetter<K, V>>(runtime, store, parent->make_getter(runtime));
  };
  Info& info = graph_->keep(std::move(made));
  graph_->add_plan(step, [parent = step_, options](TaskRuntime& runtime) {
    auto node = std::make_unique<SuppressNode<K, V>>(runtime, options);
    runtime.publisher<K, Change<V>>(parent).add_child(*node);
    return node;
  });
  return {*graph_, step, info};
}

template <typename K, typename V>
template <typename KO, typename VO, typename Extractor, typename Joiner, bool kIsLeftJoin>
auto Table<K, V>::join_foreign(const Table<KO, VO>& other, Extractor extractor, Joiner joiner,
                               const TableJoined& joined, const Materialized& materialized) const {
  using Out = JoinResult<Joiner, K, V, VO>;
  using Response = SubscriptionResponse<VO>;
  static_assert(!kIsLeftJoin || JoinCall<Joiner, K, V, VO>::kTakesNullRight,
                "the joiner of a left join takes the right value as const V*");
  Graph& graph = *graph_;
  const std::string& name = joined.name();
  const auto add = [&](Step::Kind kind, const char* suffix, std::vector<StepId> parents,
                       std::vector<std::string> topics) {
    return graph.add_step({kind, name + suffix, std::move(parents), std::move(topics), {}});
  };
  const std::string registration = graph.internal_topic(name + "-subscription-registration-topic");
  const std::string response = graph.internal_topic(name + "-subscription-response-topic");
  const std::string store = name + "-subscription-store";
  info_->enable_sending_old_values(true);

  const StepId send =
      add(Step::Kind::kProcessor, "-subscription-registration-processor", {step_}, {});
  const StepId send_sink =
      add(Step::Kind::kSink, "-subscription-registration-sink", {send}, {registration});
  const StepId source =
      add(Step::Kind::kSource, "-subscription-registration-source", {}, {registration});
  const StepId receive = add(Step::Kind::kProcessor, "-subscription-receive", {source}, {});
  const StepId answer = add(Step::Kind::kProcessor, "-subscription-join-foreign", {receive}, {});
  const StepId foreign =
      add(Step::Kind::kProcessor, "-foreign-join-subscription", {other.node()}, {});
  const StepId answer_sink =
      add(Step::Kind::kSink, "-subscription-response-sink", {answer, foreign}, {response});
  const StepId answer_source =
      add(Step::Kind::kSource, "-subscription-response-source", {}, {response});
  const StepId resolve =
      add(Step::Kind::kProcessor, "-subscription-response-resolver", {answer_source}, {});
  graph.add_repartition({registration, send_sink, source,
                         &graph.keep(std::make_unique<NullKeyRule>()), type_names<KO, K>()});
  graph.add_repartition({response, answer_sink, answer_source,
                         &graph.keep(std::make_unique<NullKeyRule>()), type_names<K, VO>()});
  graph.add_store(store, key_value_store(store),
                  {"foreign-key subscriptions", type_names<K, KO>(), 0, 0});
  graph.connect(receive, store);
  graph.connect(foreign, store);
  TableInfo<KO, VO>& foreign_info = other.read();
  for (const std::string& used : foreign_info.stores) {
    graph.connect(answer, used);
  }
  for (const std::string& used : info_->stores) {
    graph.connect(resolve, used);
  }

  graph.add_plan(send, [parent = step_, extractor, mine = info_](TaskRuntime& runtime) {
    auto node = std::make_unique<SubscriptionSendNode<K, V, KO, Extractor, kIsLeftJoin>>(
        runtime, mine->is_versioned, extractor);
    runtime.publisher<K, Change<V>>(parent).add_child(*node);
    return node;
  });
  add_sink_plan<KO, Subscription<K>>(graph, send_sink, send);
  add_source_plan<KO, Subscription<K>>(graph, source, Consumed());
  graph.add_plan(receive, answer, [source, store, &foreign_info](TaskRuntime& runtime) {
    auto node = std::make_unique<SubscriptionReceiveNode<K, KO, VO>>(
        runtime, store, foreign_info.make_getter(runtime));
    runtime.publisher<KO, Subscription<K>>(source).add_child(*node);
    return node;
  });
  graph.add_plan(foreign, [parent = other.node(), store, &foreign_info](TaskRuntime& runtime) {
    auto node =
        std::make_unique<ForeignTableNode<K, KO, VO>>(runtime, foreign_info.is_versioned, store);
    runtime.publisher<KO, Change<VO>>(parent).add_child(*node);
    return node;
  });
  graph.add_plan(answer_sink, [&graph = std::as_const(graph), answer_sink, answer,
                               foreign](TaskRuntime& runtime) {
    const Step& sink = graph.step(answer_sink);
    auto node = std::make_unique<ResponseSinkNode<K, VO>>(runtime, sink.name, sink.topics);
    runtime.publisher<K, Response>(answer).add_child(*node);
    runtime.publisher<K, Response>(foreign).add_child(*node);
    return node;
  });
  add_source_plan<K, Response>(graph, answer_source, Consumed());
  graph.add_plan(resolve, [answer_source, joiner, mine = info_](TaskRuntime& runtime) {
    auto node = std::make_unique<ResponseResolveNode<K, V, VO, Joiner, Out, kIsLeftJoin>>(
        runtime, mine->make_getter(runtime), joiner);
    runtime.publisher<K, Response>(answer_source).add_child(*node);
    return node;
  });
  return add_table_source<K, Out>(graph, resolve, name + "-result", materialized);
}

template <typename K, typename V>
template <typename Selector>
auto Table<K, V>::group_by(Selector selector, const Grouped& grouped) const {
  using Pair = CallResult<Selector, K, V>;
  using KR = NonNull<typename Pair::first_type>;
  using VR = NonNull<typename Pair::second_type>;
  info_->enable_sending_old_values(true);
  const StepId step = graph_->add_step(
      {Step::Kind::kProcessor, graph_->name_step("KTABLE-SELECT-", grouped.name), {step_}, {}, {}});
  graph_->add_plan(
      step, [parent = step_, selector = std::move(selector), mine = info_](TaskRuntime& runtime) {
        auto node =
            std::make_unique<TableGroupNode<K, V, Selector, KR, VR>>(mine->is_versioned, selector);
        runtime.publisher<K, Change<V>>(parent).add_child(*node);
        return node;
      });
  return GroupedTable<KR, VR>(*graph_, step, grouped.name);
}

// A table's entries by another key. Always through a repartition topic, named like the grouping or
// else the store.
template <typename K, typename V>
class GroupedTable final {
 public:
  GroupedTable(Graph& graph, StepId step, std::string name)
      : graph_(&graph), step_(step), name_(std::move(name)) {}

  [[nodiscard]] Table<K, std::int64_t> count(const Materialized& materialized,
                                             const Named& named = {}) const {
    using Count = std::int64_t;
    return fold<Count>(
        "KTABLE-AGGREGATE-", materialized, named,
        [](const K&, const V&, std::optional<Count> count) -> std::optional<Count> {
          return count.value_or(0) + 1;
        },
        [](const K&, const V&, std::optional<Count> count) -> std::optional<Count> {
          return *count - 1;
        });
  }

  // adder(reduced, value) and subtractor(reduced, value) -> reduced.
  template <typename Adder, typename Subtractor>
  [[nodiscard]] Table<K, V> reduce(Adder adder, Subtractor subtractor,
                                   const Materialized& materialized,
                                   const Named& named = {}) const {
    return fold<V>(
        "KTABLE-REDUCE-", materialized, named,
        [adder = std::move(adder)](const K&, const V& value,
                                   std::optional<V> reduced) mutable -> std::optional<V> {
          return reduced.has_value() ? std::optional<V>(adder(*std::move(reduced), value))
                                     : std::optional<V>(value);
        },
        [subtractor = std::move(subtractor)](const K&, const V& value,
                                             std::optional<V> reduced) mutable -> std::optional<V> {
          return subtractor(*std::move(reduced), value);
        });
  }

  // initializer() -> aggregate; adder and subtractor(key, value, aggregate) -> aggregate.
  template <typename Initializer, typename Adder, typename Subtractor>
  [[nodiscard]] auto aggregate(Initializer initializer, Adder adder, Subtractor subtractor,
                               const Materialized& materialized, const Named& named = {}) const {
    using Aggregate = NonNull<std::invoke_result_t<Initializer&>>;
    using Result = std::optional<Aggregate>;
    return fold<Aggregate>(
        "KTABLE-AGGREGATE-", materialized, named,
        [initializer = std::move(initializer), adder = std::move(adder)](
            const K& key, const V& value, Result aggregate) mutable -> Result {
          if (!aggregate.has_value()) {
            aggregate = initializer();
          }
          return adder(key, value, *std::move(aggregate));
        },
        [subtractor = std::move(subtractor)](const K& key, const V& value, Result aggregate) mutable
        -> Result { return subtractor(key, value, *std::move(aggregate)); });
  }

 private:
  template <typename Aggregate, typename Adder, typename Subtractor>
  [[nodiscard]] Table<K, Aggregate> fold(std::string_view prefix, const Materialized& materialized,
                                         const Named& named, Adder adder,
                                         Subtractor subtractor) const {
    const std::string& store = materialized.store();
    const StepId parent =
        add_repartition<K, OwnedChange<V>>(*graph_, step_, name_.empty() ? store : name_);
    const StepId step = graph_->add_step(
        {Step::Kind::kProcessor, graph_->name_step(prefix, named.name), {parent}, {}, {}});
    graph_->add_store(store, table_store(materialized), table_shape<K, Aggregate>(materialized));
    graph_->connect(step, store);
    TableInfo<K, Aggregate>& info = keep_stored_table<K, Aggregate>(*graph_, materialized);
    graph_->add_plan(
        step, [parent, store, adder = std::move(adder), subtractor = std::move(subtractor),
               &info = std::as_const(info)](TaskRuntime& runtime) {
          auto node = std::make_unique<TableAggregateNode<K, V, Adder, Subtractor, Aggregate>>(
              runtime, info.options(store), adder, subtractor);
          runtime.publisher<K, OwnedChange<V>>(parent).add_child(*node);
          return node;
        });
    return {*graph_, step, info};
  }

  Graph* graph_;
  StepId step_;
  std::string name_;
};

}  // namespace penstock::dsl
