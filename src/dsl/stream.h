// Stream is a stream of records on its way through a topology: what Kafka Streams calls KStream.
//
//   builder.stream<std::string, Order>("orders")
//       .filter([](const Order& order) { return order.amount > 100; })
//       .map_values([](const Order& order) { return order.product; })
//       .to("large-orders");
//
// A handle: cheap to copy, it points to a step of the builder's graph. Stateless steps called on a
// temporary are fused into one (StreamChain): a chain of them is one function to the compiler, and
// records go through it without virtual calls. Called on a named stream they begin a chain of their
// own behind it; a stream that is used several times is processed once.
//
// What functions may take and give: call.h. Every step that keeps state takes a name.
//
// Threads   none of its own: used while a topology is built.
// Lifetime  the StreamBuilder outlives it.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "dsl/async.h"
#include "dsl/deduplicate.h"
#include "dsl/fwd.h"
#include "dsl/options.h"
#include "dsl/processor_node.h"
#include "dsl/repartition.h"
#include "dsl/stateless.h"
#include "dsl/store_factories.h"
#include "dsl/stream_join.h"
#include "dsl/table_lookup.h"

namespace penstock::dsl {

template <typename K, typename V, typename K0, typename V0, typename Steps>
class StreamChain;

// Whether a step may have changed the keys: then grouping and joining go through a topic.
enum class Keys : std::uint8_t { kKept, kChanged };

// The steps of a stream, for Stream and StreamChain. `Self` says where they are added:
//   node()            the step that others connect to
//   extend<KR, VR>()  a chain with one more step
template <typename Self, typename K, typename V>
class StreamOperations {
 public:
  // ---- stateless, fused ----

  // Only records for which predicate([key,] value) is true.
  template <typename Predicate>
  [[nodiscard]] auto filter(Predicate predicate, const Named& named = {}) const& {
    return self().template extend<K, V>("KSTREAM-FILTER-", named, Keys::kKept,
                                        FilterStep<K, V, Predicate, true>{std::move(predicate)});
  }

  template <typename Predicate>
  [[nodiscard]] auto filter(Predicate predicate, const Named& named = {}) && {
    return moved().template extend<K, V>("KSTREAM-FILTER-", named, Keys::kKept,
                                         FilterStep<K, V, Predicate, true>{std::move(predicate)});
  }

  // Only records for which it is not true.
  template <typename Predicate>
  [[nodiscard]] auto filter_not(Predicate predicate, const Named& named = {}) const& {
    return self().template extend<K, V>("KSTREAM-FILTER-", named, Keys::kKept,
                                        FilterStep<K, V, Predicate, false>{std::move(predicate)});
  }

  template <typename Predicate>
  [[nodiscard]] auto filter_not(Predicate predicate, const Named& named = {}) && {
    return moved().template extend<K, V>("KSTREAM-FILTER-", named, Keys::kKept,
                                         FilterStep<K, V, Predicate, false>{std::move(predicate)});
  }

  // mapper([key,] value) -> new value.
  template <typename Mapper>
  [[nodiscard]] auto map_values(Mapper mapper, const Named& named = {}) const& {
    using Made = MapValuesStep<K, V, Mapper>;
    return self().template extend<K, typename Made::Result>("KSTREAM-MAPVALUES-", named,
                                                            Keys::kKept, Made{std::move(mapper)});
  }

  template <typename Mapper>
  [[nodiscard]] auto map_values(Mapper mapper, const Named& named = {}) && {
    using Made = MapValuesStep<K, V, Mapper>;
    return moved().template extend<K, typename Made::Result>("KSTREAM-MAPVALUES-", named,
                                                             Keys::kKept, Made{std::move(mapper)});
  }

  // mapper(key, value) -> pair of new key and new value.
  template <typename Mapper>
  [[nodiscard]] auto map(Mapper mapper, const Named& named = {}) const& {
    using Made = MapStep<K, V, Mapper>;
    return self().template extend<typename Made::KeyResult, typename Made::ValueResult>(
        "KSTREAM-MAP-", named, Keys::kChanged, Made{std::move(mapper)});
  }

  template <typename Mapper>
  [[nodiscard]] auto map(Mapper mapper, const Named& named = {}) && {
    using Made = MapStep<K, V, Mapper>;
    return moved().template extend<typename Made::KeyResult, typename Made::ValueResult>(
        "KSTREAM-MAP-", named, Keys::kChanged, Made{std::move(mapper)});
  }

  // mapper(key, value) -> range of pairs.
  template <typename Mapper>
  [[nodiscard]] auto flat_map(Mapper mapper, const Named& named = {}) const& {
    using Made = FlatMapStep<K, V, Mapper>;
    return self().template extend<typename Made::KeyResult, typename Made::ValueResult>(
        "KSTREAM-FLATMAP-", named, Keys::kChanged, Made{std::move(mapper)});
  }

  template <typename Mapper>
  [[nodiscard]] auto flat_map(Mapper mapper, const Named& named = {}) && {
    using Made = FlatMapStep<K, V, Mapper>;
    return moved().template extend<typename Made::KeyResult, typename Made::ValueResult>(
        "KSTREAM-FLATMAP-", named, Keys::kChanged, Made{std::move(mapper)});
  }

  // mapper([key,] value) -> range of values.
  template <typename Mapper>
  [[nodiscard]] auto flat_map_values(Mapper mapper, const Named& named = {}) const& {
    using Made = FlatMapValuesStep<K, V, Mapper>;
    return self().template extend<K, typename Made::Result>("KSTREAM-FLATMAPVALUES-", named,
                                                            Keys::kKept, Made{std::move(mapper)});
  }

  template <typename Mapper>
  [[nodiscard]] auto flat_map_values(Mapper mapper, const Named& named = {}) && {
    using Made = FlatMapValuesStep<K, V, Mapper>;
    return moved().template extend<K, typename Made::Result>("KSTREAM-FLATMAPVALUES-", named,
                                                             Keys::kKept, Made{std::move(mapper)});
  }

  // selector([key,] value) -> new key.
  template <typename Selector>
  [[nodiscard]] auto select_key(Selector selector, const Named& named = {}) const& {
    using Made = SelectKeyStep<K, V, Selector>;
    return self().template extend<typename Made::Result, V>(
        "KSTREAM-KEY-SELECT-", named, Keys::kChanged, Made{std::move(selector)});
  }

  template <typename Selector>
  [[nodiscard]] auto select_key(Selector selector, const Named& named = {}) && {
    using Made = SelectKeyStep<K, V, Selector>;
    return moved().template extend<typename Made::Result, V>(
        "KSTREAM-KEY-SELECT-", named, Keys::kChanged, Made{std::move(selector)});
  }

  // Calls action([key,] value) and hands the record on.
  template <typename Action>
  auto peek(Action action, const Named& named = {}) const& {
    return self().template extend<K, V>("KSTREAM-PEEK-", named, Keys::kKept,
                                        PeekStep<K, V, Action>{std::move(action)});
  }

  template <typename Action>
  auto peek(Action action, const Named& named = {}) && {
    return moved().template extend<K, V>("KSTREAM-PEEK-", named, Keys::kKept,
                                         PeekStep<K, V, Action>{std::move(action)});
  }

  // ---- ends ----

  template <typename Action>
  void for_each(Action action, const Named& named = {}) const {
    static_cast<void>(self()
                          .template extend<K, V>("KSTREAM-FOREACH-", named, Keys::kKept,
                                                 PeekStep<K, V, Action>{std::move(action)})
                          .node());
  }

  void to(std::string topic, const Produced& produced = {}) const {
    add_sink({std::move(topic)}, produced.name, nullptr);
  }

  // choose([key,] value) names one of `topics`, which must be all that it can name.
  template <typename ChooseTopic>
  void to(std::vector<std::string> topics, ChooseTopic choose,
          const Produced& produced = {}) const {
    add_sink(std::move(topics), produced.name, std::move(choose));
  }

  // ---- structure ----

  // The records of both, in the order in which they come.
  [[nodiscard]] Stream<K, V> merge(const Stream<K, V>& other, const Named& named = {}) const {
    Graph& graph = self().graph();
    const StepId mine = self().node();
    const StepId step = graph.add_step({Step::Kind::kProcessor,
                                        graph.name_step("KSTREAM-MERGE-", named.name),
                                        {mine, other.node()},
                                        {},
                                        {}});
    graph.add_plan(step, [mine, theirs = other.node()](TaskRuntime& runtime) {
      auto node = std::make_unique<PassNode<K, V>>();
      runtime.publisher<K, V>(mine).add_child(*node);
      runtime.publisher<K, V>(theirs).add_child(*node);
      return node;
    });
    const bool changed = self().keys() == Keys::kChanged || other.keys() == Keys::kChanged;
    return {graph, step, changed ? Keys::kChanged : Keys::kKept};
  }

  // One stream per predicate, of the records for which it is the first to be true, and a last one
  // of those for which none is. Names: `named.name` and the number of the branch, 1 and up; 0 for
  // the last.
  //
  //   auto [big, small, rest] = stream.split(is_big, is_small);
  template <typename... Predicates>
  [[nodiscard]] std::array<Stream<K, V>, sizeof...(Predicates) + 1> split(
      Predicates... predicates) const {
    return split_named({}, std::move(predicates)...);
  }

  template <typename... Predicates>
  [[nodiscard]] std::array<Stream<K, V>, sizeof...(Predicates) + 1> split_named(
      const Named& named, Predicates... predicates) const;

  // Through a topic of that name + "-repartition".
  [[nodiscard]] Stream<K, V> repartition(const Repartitioned& how) const {
    return {self().graph(), add_repartition<K, V>(self().graph(), self().node(), how.name()),
            Keys::kKept};
  }

  // The first record of each id([key,] value); others of that id are dropped if they are at most
  // `within` apart. See deduplicate.h.
  template <typename IdOf>
  [[nodiscard]] Stream<K, V> deduplicate(IdOf id_of, Duration within,
                                         const Materialized& materialized,
                                         const Named& named = {}) const;

  // ---- grouping, tables ----

  [[nodiscard]] GroupedStream<K, V> group_by_key(const Grouped& grouped = {}) const {
    return {self().graph(), self().node(), self().keys(), grouped.name};
  }

  template <typename Selector>
  [[nodiscard]] auto group_by(Selector selector, const Grouped& grouped = {}) const {
    using Key = typename SelectKeyStep<K, V, Selector>::Result;
    const auto chain = select_key(std::move(selector), {grouped.name});
    return GroupedStream<Key, V>(self().graph(), chain.node(), Keys::kChanged, grouped.name);
  }

  // The latest value of each key.
  [[nodiscard]] Table<K, V> to_table(const Materialized& materialized,
                                     const Named& named = {}) const;

  // ---- joins ----

  // joiner([key,] left, right) for all pairs of one key within the windows.
  template <typename Other, typename Joiner>
  [[nodiscard]] auto join(const Other& other, Joiner joiner, const JoinWindows& windows,
                          const StreamJoined& joined) const {
    using VR = typename Other::Value;
    return join_streams<VR, Joiner, JoinKind::kInner>(Stream<K, VR>(other), std::move(joiner),
                                                      windows, joined);
  }

  // Also for records of this stream without partner: right is null.
  template <typename Other, typename Joiner>
  [[nodiscard]] auto left_join(const Other& other, Joiner joiner, const JoinWindows& windows,
                               const StreamJoined& joined) const {
    using VR = typename Other::Value;
    return join_streams<VR, Joiner, JoinKind::kLeft>(Stream<K, VR>(other), std::move(joiner),
                                                     windows, joined);
  }

  // Also for records of both streams without partner.
  template <typename Other, typename Joiner>
  [[nodiscard]] auto outer_join(const Other& other, Joiner joiner, const JoinWindows& windows,
                                const StreamJoined& joined) const {
    using VR = typename Other::Value;
    return join_streams<VR, Joiner, JoinKind::kOuter>(Stream<K, VR>(other), std::move(joiner),
                                                      windows, joined);
  }

  // With what the table holds when the record comes. Only this side brings results.
  template <typename VT, typename Joiner>
  [[nodiscard]] auto join(const Table<K, VT>& table, Joiner joiner, const Joined& joined) const {
    return join_table<VT, Joiner, false>(table, std::move(joiner), joined);
  }

  template <typename VT, typename Joiner>
  [[nodiscard]] auto left_join(const Table<K, VT>& table, Joiner joiner,
                               const Joined& joined) const {
    return join_table<VT, Joiner, true>(table, std::move(joiner), joined);
  }

  // With what a global table holds under the key that selector([key,] value) names.
  template <typename KT, typename VT, typename Selector, typename Joiner>
  [[nodiscard]] auto join(const GlobalTable<KT, VT>& table, Selector selector, Joiner joiner,
                          const Named& named = {}) const {
    return join_global<KT, VT, Selector, Joiner, false>(table, std::move(selector),
                                                        std::move(joiner), named);
  }

  template <typename KT, typename VT, typename Selector, typename Joiner>
  [[nodiscard]] auto left_join(const GlobalTable<KT, VT>& table, Selector selector, Joiner joiner,
                               const Named& named = {}) const {
    return join_global<KT, VT, Selector, Joiner, true>(table, std::move(selector),
                                                       std::move(joiner), named);
  }

  // ---- calls to other systems ----

  // call(key, value, AsyncReply<VR>) begins a call, whose answer becomes the value: see async.h.
  template <typename VR, typename Call>
  [[nodiscard]] Stream<K, VR> map_values_async(Call call, const AsyncOptions& options = {},
                                               const Named& named = {}) const {
    Graph& graph = self().graph();
    return {graph, add_async<K, V, VR, Call>(graph, self().node(), std::move(call), options, named),
            self().keys()};
  }

  // ---- processors of one's own ----

  // `make` makes a Processor, one per task; it may have changed the keys.
  template <typename MakeProcessor>
  auto process(MakeProcessor make, const std::vector<std::string>& stores = {},
               const Named& named = {}) const {
    using P = ProcessorOf<MakeProcessor>;
    return Stream<typename P::KeyOut, typename P::ValueOut>(
        self().graph(),
        add_processor<K, V>(self().graph(), self().node(), "KSTREAM-PROCESSOR-", std::move(make),
                            stores, named),
        Keys::kChanged);
  }

  // The same for a FixedKeyProcessor, which cannot change the keys.
  template <typename MakeProcessor>
  auto process_values(MakeProcessor make, const std::vector<std::string>& stores = {},
                      const Named& named = {}) const {
    using P = ProcessorOf<MakeProcessor>;
    return Stream<K, typename P::ValueOut>(
        self().graph(),
        add_processor<K, V>(self().graph(), self().node(), "KSTREAM-PROCESSVALUES-",
                            std::move(make), stores, named),
        self().keys());
  }

 private:
  friend Self;
  StreamOperations() = default;

  enum class JoinKind : std::uint8_t { kInner, kLeft, kOuter };

  [[nodiscard]] const Self& self() const { return static_cast<const Self&>(*this); }

  [[nodiscard]] Self&& moved() { return static_cast<Self&&>(*this); }

  template <typename ChooseTopic>
  void add_sink(std::vector<std::string> topics, const std::string& name, ChooseTopic choose) const;

  // This stream's step, through a topic if its keys have changed.
  [[nodiscard]] StepId co_partitioned(const std::string& name) const {
    return self().keys() == Keys::kKept
               ? self().node()
               : add_repartition<K, V>(self().graph(), self().node(), name);
  }

  template <typename, typename, typename>
  friend class StreamOperations;

  template <typename VR, typename Joiner, JoinKind kKind>
  [[nodiscard]] auto join_streams(const Stream<K, VR>& other, Joiner joiner,
                                  const JoinWindows& windows, const StreamJoined& joined) const;

  template <typename VT, typename Joiner, bool kIsLeftJoin>
  [[nodiscard]] auto join_table(const Table<K, VT>& table, Joiner joiner,
                                const Joined& joined) const;

  template <typename KT, typename VT, typename Selector, typename Joiner, bool kIsLeftJoin>
  [[nodiscard]] auto join_global(const GlobalTable<KT, VT>& table, Selector selector, Joiner joiner,
                                 const Named& named) const;
};

template <typename K, typename V>
class Stream final : public StreamOperations<Stream<K, V>, K, V> {
 public:
  using Key = K;
  using Value = V;

  Stream(Graph& graph, StepId step, Keys keys) : graph_(&graph), step_(step), keys_(keys) {}

  // The steps of a chain, as one.
  template <typename K0, typename V0, typename Steps>
  Stream(const StreamChain<K, V, K0, V0, Steps>& chain)  // NOLINT: it is the same stream
      : Stream(chain.graph(), chain.node(), chain.keys()) {}

  [[nodiscard]] Graph& graph() const { return *graph_; }

  [[nodiscard]] StepId node() const { return step_; }

  [[nodiscard]] Keys keys() const { return keys_; }

  template <typename KR, typename VR, typename NewStep>
  [[nodiscard]] StreamChain<KR, VR, K, V, NewStep> extend(std::string_view prefix,
                                                          const Named& named, Keys keys,
                                                          NewStep step) const;

 private:
  Graph* graph_;
  StepId step_;
  Keys keys_;
};

// Stateless steps behind one step, from records of K0 and V0 to such of K and V; not a node yet.
// It becomes one when something connects to it, or when nothing has extended it at its end.
template <typename K, typename V, typename K0, typename V0, typename Steps>
class StreamChain final : public StreamOperations<StreamChain<K, V, K0, V0, Steps>, K, V> {
 public:
  using Key = K;
  using Value = V;

  StreamChain(Graph& graph, StepId parent, StepId first, StepId last, Keys keys, Steps steps)
      : graph_(&graph),
        parent_(parent),
        first_(first),
        last_(last),
        keys_(keys),
        steps_(std::move(steps)) {}

  ~StreamChain() { static_cast<void>(node()); }

  StreamChain(const StreamChain& other)
      : graph_(other.graph_),
        parent_(other.parent_),
        first_(other.first_),
        last_(other.node()),
        keys_(other.keys_) {}

  StreamChain(StreamChain&& other) noexcept
      : graph_(other.graph_),
        parent_(other.parent_),
        first_(other.first_),
        last_(other.last_),
        keys_(other.keys_),
        steps_(std::exchange(other.steps_, std::nullopt)) {}

  StreamChain& operator=(const StreamChain&) = delete;
  StreamChain& operator=(StreamChain&&) = delete;

  [[nodiscard]] Graph& graph() const { return *graph_; }

  [[nodiscard]] Keys keys() const { return keys_; }

  [[nodiscard]] StepId node() const {
    if (steps_.has_value()) {
      graph_->add_plan(
          first_, last_, [parent = parent_, steps = *std::move(steps_)](TaskRuntime& runtime) {
            auto node = std::make_unique<FusedNode<K0, V0, K, V, Steps>>(runtime, steps);
            runtime.publisher<K0, V0>(parent).add_child(*node);
            return node;
          });
      steps_.reset();
    }
    return last_;
  }

  template <typename KR, typename VR, typename NewStep>
  [[nodiscard]] auto extend(std::string_view prefix, const Named& named, Keys keys,
                            NewStep step) const& {
    return Stream<K, V>(*this).template extend<KR, VR>(prefix, named, keys, std::move(step));
  }

  template <typename KR, typename VR, typename NewStep>
  [[nodiscard]] auto extend(std::string_view prefix, const Named& named, Keys keys,
                            NewStep step) && {
    using Both = Compose<Steps, NewStep>;
    step.name = graph_->name_step(prefix, named.name);
    const StepId next = graph_->add_step({Step::Kind::kProcessor, step.name, {last_}, {}, {}});
    return StreamChain<KR, VR, K0, V0, Both>(
        *graph_, parent_, first_, next, keys == Keys::kChanged ? keys : keys_,
        Both{*std::exchange(steps_, std::nullopt), std::move(step)});
  }

 private:
  Graph* graph_;
  StepId parent_;
  StepId first_;
  StepId last_;
  Keys keys_;
  mutable std::optional<Steps> steps_;  // none: extended, or a node already
};

template <typename K, typename V>
template <typename KR, typename VR, typename NewStep>
StreamChain<KR, VR, K, V, NewStep> Stream<K, V>::extend(std::string_view prefix, const Named& named,
                                                        Keys keys, NewStep step) const {
  step.name = graph_->name_step(prefix, named.name);
  const StepId first = graph_->add_step({Step::Kind::kProcessor, step.name, {step_}, {}, {}});
  return {*graph_, step_, first, first, keys == Keys::kChanged ? keys : keys_, std::move(step)};
}

// Hands each record to the branch of the first predicate that is true, or to the last branch.
template <typename K, typename V, typename... Predicates>
class SplitNode final : public Node, public Receiver<K, V>, public Publisher<K, V> {
 public:
  SplitNode(TaskRuntime& runtime, std::string name, std::tuple<Predicates...> predicates)
      : runtime_(runtime), name_(std::move(name)), predicates_(std::move(predicates)) {}

  void receive(const Record<K, V>& record) override {
    std::size_t branch = 0;
    is_rejected_ = false;
    std::apply(
        [&](Predicates&... predicates) {
          static_cast<void>(((matches(predicates, record) || (++branch, false)) || ...));
        },
        predicates_);
    if (!is_rejected_) {
      this->publish_to(branch, record);
    }
  }

 private:
  // Also true where the predicate fails: no other is asked then.
  template <typename Predicate>
  [[nodiscard]] bool matches(Predicate& predicate, const Record<K, V>& record) {
    using Call = KeyValueCall<Predicate, K, V>;
    if (!Call::takes(record.key, record.value)) {
      return false;
    }
    is_rejected_ = true;
    bool does_match = true;
    use_result(runtime_, name_, Call::call(predicate, record.key, record.value), [&](bool given) {
      is_rejected_ = false;
      does_match = given;
    });
    return does_match;
  }

  TaskRuntime& runtime_;
  const std::string name_;
  bool is_rejected_ = false;
  std::tuple<Predicates...> predicates_;
};

template <typename Self, typename K, typename V>
template <typename... Predicates>
std::array<Stream<K, V>, sizeof...(Predicates) + 1> StreamOperations<Self, K, V>::split_named(
    const Named& named, Predicates... predicates) const {
  Graph& graph = self().graph();
  const StepId parent = self().node();
  const std::string name = graph.name_step("KSTREAM-BRANCH-", named.name);
  const StepId step = graph.add_step({Step::Kind::kProcessor, name, {parent}, {}, {}});
  graph.add_plan(step,
                 [parent, name, all = std::tuple(std::move(predicates)...)](TaskRuntime& runtime) {
                   auto node = std::make_unique<SplitNode<K, V, Predicates...>>(runtime, name, all);
                   runtime.publisher<K, V>(parent).add_child(*node);
                   return node;
                 });
  const auto add_branch = [&](std::size_t number) {
    const StepId branch =
        graph.add_step({Step::Kind::kProcessor, name + std::to_string(number), {step}, {}, {}});
    graph.add_plan(branch, [step](TaskRuntime& runtime) {
      auto node = std::make_unique<PassNode<K, V>>();
      runtime.publisher<K, V>(step).add_child(*node);
      return node;
    });
    return Stream<K, V>(graph, branch, self().keys());
  };
  return [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    return std::array<Stream<K, V>, sizeof...(Predicates) + 1>{
        add_branch(kIndex < sizeof...(Predicates) ? kIndex + 1 : 0)...};
  }
  (std::make_index_sequence<sizeof...(Predicates) + 1>());
}

template <typename Self, typename K, typename V>
template <typename IdOf>
Stream<K, V> StreamOperations<Self, K, V>::deduplicate(IdOf id_of, Duration within,
                                                       const Materialized& materialized,
                                                       const Named& named) const {
  using Id = NonNull<CallResult<IdOf, K, V>>;
  Graph& graph = self().graph();
  const StepId parent = self().node();
  const std::string& store = materialized.store();
  const StepId step = graph.add_step({Step::Kind::kProcessor,
                                      graph.name_step("KSTREAM-DEDUPLICATE-", named.name),
                                      {parent},
                                      {},
                                      {}});
  // As long as a record may come that is late by as much.
  const Duration retention = materialized.retention().value_or(2 * within + Duration(1));
  graph.add_store(store,
                  stored_as(materialized.type(), window_store(store, Duration(1), retention)),
                  {"seen ids", type_names<Id, K>(), 0, retention.count()});
  graph.connect(step, store);
  graph.add_plan(step, [parent, store, within, id_of = std::move(id_of)](TaskRuntime& runtime) {
    auto node = std::make_unique<DeduplicateNode<K, V, Id, IdOf>>(runtime, store, within, id_of);
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
  return {graph, step, self().keys()};
}

template <typename Self, typename K, typename V>
template <typename ChooseTopic>
void StreamOperations<Self, K, V>::add_sink(std::vector<std::string> topics,
                                            const std::string& name, ChooseTopic choose) const {
  Graph& graph = self().graph();
  const StepId parent = self().node();
  const StepId step = graph.add_step(
      {Step::Kind::kSink, graph.name_step("KSTREAM-SINK-", name), {parent}, std::move(topics), {}});
  graph.add_plan(step, [&graph = std::as_const(graph), parent, step,
                        choose = std::move(choose)](TaskRuntime& runtime) {
    const Step& sink = graph.step(step);
    auto node =
        std::make_unique<TopicSink<K, V, ChooseTopic>>(runtime, sink.name, sink.topics, choose);
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
}

template <typename Self, typename K, typename V>
template <typename VR, typename Joiner, typename StreamOperations<Self, K, V>::JoinKind kKind>
auto StreamOperations<Self, K, V>::join_streams(const Stream<K, VR>& other, Joiner joiner,
                                                const JoinWindows& windows,
                                                const StreamJoined& joined) const {
  using Out = JoinResult<Joiner, K, V, VR>;
  using Call = JoinCall<Joiner, K, V, VR>;
  static_assert(kKind == JoinKind::kInner || Call::kTakesNullRight,
                "the joiner of a left or outer join takes the right value as const V*");
  static_assert(kKind != JoinKind::kOuter || Call::kTakesNullLeft,
                "the joiner of an outer join takes the left value as const V*");
  Graph& graph = self().graph();
  const std::string& name = joined.name();
  const StepId left = co_partitioned(name + "-left");
  const StepId right = other.co_partitioned(name + "-right");
  const bool is_left = kKind != JoinKind::kInner;
  const bool is_outer = kKind == JoinKind::kOuter;
  const std::string left_name = name + (is_outer ? "-outer-this-join" : "-this-join");
  const std::string right_name = name + (is_left ? "-outer-other-join" : "-other-join");
  const std::string left_store = left_name + "-store";
  const std::string right_store = right_name + "-store";
  const std::string outer_store =
      !is_left ? "" : name + (is_outer ? "-outer-shared-join-store" : "-left-shared-join-store");

  const auto add = [&](const std::string& step_name, StepId parent) {
    return graph.add_step({Step::Kind::kProcessor, step_name, {parent}, {}, {}});
  };
  const StepId left_window = add(name + "-this-windowed", left);
  const StepId right_window = add(name + "-other-windowed", right);
  const StepId left_join = add(left_name, left_window);
  const StepId right_join = add(right_name, right_window);
  const StepId merge =
      graph.add_step({Step::Kind::kProcessor, name + "-merge", {left_join, right_join}, {}, {}});

  graph.add_store(left_store, join_window_store(left_store, windows),
                  window_shape<K, V>(windows.size(), windows.retention()));
  graph.add_store(right_store, join_window_store(right_store, windows),
                  window_shape<K, VR>(windows.size(), windows.retention()));
  graph.connect(left_window, left_store);
  graph.connect(right_window, right_store);
  graph.connect(left_join, right_store);
  graph.connect(right_join, left_store);
  if (is_left) {
    graph.add_store(outer_store, key_value_store(outer_store),
                    {"unjoined records", type_names<K, V>(), 0, 0});
    graph.connect(left_join, outer_store);
    graph.connect(right_join, outer_store);
    graph.set_uses_null_keys(left_join);
    graph.set_uses_null_keys(right_join);
  }
  graph.add_plan(left_window, [left, left_store](TaskRuntime& runtime) {
    auto node = std::make_unique<JoinWindowNode<K, V>>(runtime, left_store);
    runtime.publisher<K, V>(left).add_child(*node);
    return node;
  });
  graph.add_plan(right_window, [right, right_store](TaskRuntime& runtime) {
    auto node = std::make_unique<JoinWindowNode<K, VR>>(runtime, right_store);
    runtime.publisher<K, VR>(right).add_child(*node);
    return node;
  });
  const StreamJoinOptions left_options{name,    right_store,          outer_store,
                                       is_left, windows.before(),     windows.after(),
                                       windows, graph.emit_interval()};
  const StreamJoinOptions right_options{name,     left_store,           outer_store,
                                        is_outer, windows.after(),      windows.before(),
                                        windows,  graph.emit_interval()};
  graph.add_plan(left_join, [=](TaskRuntime& runtime) {
    auto node = std::make_unique<StreamJoinNode<true, K, V, VR, Joiner, Out>>(runtime, left_options,
                                                                              joiner);
    runtime.publisher<K, V>(left_window).add_child(*node);
    return node;
  });
  graph.add_plan(right_join, [=](TaskRuntime& runtime) {
    auto node = std::make_unique<StreamJoinNode<false, K, V, VR, Joiner, Out>>(
        runtime, right_options, joiner);
    runtime.publisher<K, VR>(right_window).add_child(*node);
    return node;
  });
  graph.add_plan(merge, [left_join, right_join](TaskRuntime& runtime) {
    auto node = std::make_unique<PassNode<K, Out>>();
    runtime.publisher<K, Out>(left_join).add_child(*node);
    runtime.publisher<K, Out>(right_join).add_child(*node);
    return node;
  });
  return Stream<K, Out>(graph, merge, Keys::kKept);
}

template <typename Self, typename K, typename V>
template <typename VT, typename Joiner, bool kIsLeftJoin>
auto StreamOperations<Self, K, V>::join_table(const Table<K, VT>& table, Joiner joiner,
                                              const Joined& joined) const {
  using Out = JoinResult<Joiner, K, V, VT>;
  static_assert(!kIsLeftJoin || JoinCall<Joiner, K, V, VT>::kTakesNullRight,
                "the joiner of a left join takes the table's value as const V*");
  Graph& graph = self().graph();
  const StepId parent = co_partitioned(joined.name());
  const StepId step = graph.add_step({Step::Kind::kProcessor, joined.name(), {parent}, {}, {}});
  TableInfo<K, VT>& info = table.read();
  for (const std::string& store : info.stores) {
    graph.connect(step, store);
  }
  if (kIsLeftJoin) {
    graph.set_uses_null_keys(step);
  }
  const std::string buffer = joined.grace().has_value() ? joined.name() + "-buffer" : "";
  if (!buffer.empty()) {
    graph.add_store(buffer, key_value_store(buffer));
    graph.connect(step, buffer);
    if (!info.is_versioned) {
      graph.reject("join \"" + joined.name() +
                   "\" has a grace period, but its table is not versioned");
    }
  }
  graph.add_plan(step, [parent, joiner, buffer, grace = joined.grace(),
                        &info = std::as_const(info)](TaskRuntime& runtime) {
    using Lookup = TableLookupNode<K, V, K, VT, OwnKey, Joiner, Out, kIsLeftJoin>;
    auto node = std::make_unique<Lookup>(runtime, info.make_getter(runtime), OwnKey(), joiner);
    if (grace.has_value()) {
      node->set_grace(buffer, *grace);
    }
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
  return Stream<K, Out>(graph, step, Keys::kKept);
}

}  // namespace penstock::dsl
