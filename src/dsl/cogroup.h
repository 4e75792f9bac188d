// CogroupedStream aggregates several grouped streams into one table (KIP-150).
//
//   orders.group_by_key().cogroup(add_order)
//       .cogroup(payments.group_by_key(), add_payment)
//       .aggregate([] { return Account(); }, Materialized("accounts"))
//
// Each stream has an aggregator of its own: aggregator(key, value, aggregate) -> aggregate.
//
// Threads   none of its own: used while a topology is built.
// Lifetime  the StreamBuilder outlives it.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "dsl/grouped_stream.h"

namespace penstock::dsl {

// One stream of a cogroup and what it adds.
template <typename K, typename V, typename Aggregator>
struct CogroupMember {
  GroupingSource<K, V> source;
  Aggregator aggregator;

  using Value = V;
};

struct NoWindows {};

// The keys of the table that comes out.
template <typename K, typename Windows>
struct CogroupKey {
  using Type = typename WindowKind<Windows>::template Key<K>;
};

template <typename K>
struct CogroupKey<K, NoWindows> {
  using Type = K;
};

template <typename K, typename Windows, typename... Members>
class Cogrouped final {
 public:
  using Key = typename CogroupKey<K, Windows>::Type;

  Cogrouped(Windows windows, std::tuple<Members...> members)
      : windows_(std::move(windows)), members_(std::move(members)) {}

  template <typename V, typename Aggregator>
  [[nodiscard]] auto cogroup(const GroupedStream<K, V>& stream, Aggregator aggregator) const {
    using Member = CogroupMember<K, V, Aggregator>;
    return Cogrouped<K, Windows, Members..., Member>(
        windows_, std::tuple_cat(members_, std::tuple<Member>(
                                               Member{stream.source(), std::move(aggregator)})));
  }

  template <typename Other>
  [[nodiscard]] auto windowed_by(const Other& windows) const {
    return Cogrouped<K, Other, Members...>(windows, members_);
  }

  template <typename Initializer>
  [[nodiscard]] auto aggregate(Initializer initializer, const Materialized& materialized,
                               const Named& named = {}) const {
    return build(std::move(initializer), NoMerger(), materialized, named);
  }

  // Of sessions.
  template <typename Initializer, typename Merger>

  requires(!std::is_convertible_v<Merger, const Materialized&>)
      [[nodiscard]] auto aggregate(Initializer initializer, Merger merger,
                                   const Materialized& materialized,
                                   const Named& named = {}) const {
    return build(std::move(initializer), std::move(merger), materialized, named);
  }

 private:
  // All topics come before all aggregations, as in Kafka Streams.
  template <typename Initializer, typename Merger>
  [[nodiscard]] auto build(Initializer initializer, Merger merger, const Materialized& materialized,
                           const Named& named) const {
    Graph& graph = std::get<0>(members_).source.graph();
    const std::string& store = materialized.store();
    std::vector<StepId> parents;
    std::apply(
        [&](const auto&... member) { (parents.push_back(member.source.step_for(store)), ...); },
        members_);
    using Aggregate = NonNull<std::invoke_result_t<Initializer&>>;
    TableInfo<Key, Aggregate>* info = nullptr;  // made by the first member
    std::vector<StepId> steps;
    const auto add = [&](const auto& member) {
      const Table<Key, Aggregate> table =
          add_member(graph, parents[steps.size()], steps.size(), member, initializer, merger,
                     materialized, named, info);
      steps.push_back(table.node());
      info = &table.read();
    };
    std::apply([&](const auto&... member) { (add(member), ...); }, members_);
    return merge_steps(graph, steps, *info, named);
  }

  template <typename V, typename Aggregator, typename Initializer, typename Merger,
            typename Aggregate>
  [[nodiscard]] Table<Key, Aggregate> add_member(Graph& graph, StepId parent, std::size_t number,
                                                 const CogroupMember<K, V, Aggregator>& member,
                                                 const Initializer& initializer,
                                                 const Merger& merger,
                                                 const Materialized& materialized,
                                                 const Named& named,
                                                 TableInfo<Key, Aggregate>* info) const {
    const std::string name = named.name.empty()
                                 ? graph.name_step("COGROUPKSTREAM-AGGREGATE-", "")
                                 : named.name + "-cogroup-agg-" + std::to_string(number);
    AggregateFold<K, V, Initializer, Aggregator, Merger> fold{initializer, member.aggregator,
                                                              merger};
    if constexpr (std::is_same_v<Windows, NoWindows>) {
      return add_fold<K, V>(graph, parent, name, materialized, std::move(fold), info);
    } else {
      return add_windowed_fold<K, V>(graph, parent, name, materialized, windows_,
                                     EmitStrategy::kOnWindowUpdate, std::move(fold), info);
    }
  }

  template <typename Aggregate>
  [[nodiscard]] Table<Key, Aggregate> merge_steps(Graph& graph, const std::vector<StepId>& steps,
                                                  TableInfo<Key, Aggregate>& info,
                                                  const Named& named) const {
    const std::string name = named.name.empty() ? graph.name_step("COGROUPKSTREAM-MERGE-", "")
                                                : named.name + "-cogroup-merge";
    const StepId step = graph.add_step({Step::Kind::kProcessor, name, steps, {}, {}});
    graph.add_plan(step, [steps](TaskRuntime& runtime) {
      auto node = std::make_unique<PassNode<Key, Change<Aggregate>>>();
      for (const StepId parent : steps) {
        runtime.publisher<Key, Change<Aggregate>>(parent).add_child(*node);
      }
      return node;
    });
    return {graph, step, info};
  }

  Windows windows_;
  std::tuple<Members...> members_;
};

template <typename K, typename V>
template <typename Aggregator>
auto GroupedStream<K, V>::cogroup(Aggregator aggregator) const {
  using Member = CogroupMember<K, V, Aggregator>;
  return Cogrouped<K, NoWindows, Member>(
      NoWindows(), std::tuple<Member>(Member{source_, std::move(aggregator)}));
}

}  // namespace penstock::dsl
