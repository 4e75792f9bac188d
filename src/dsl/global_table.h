// GlobalTable is a table of which every stream thread has all partitions (Kafka Streams'
// GlobalKTable): streams can be joined with it by any key, without being repartitioned.
//
//   const auto countries = builder.global_table<std::string, Country>("countries",
//   Materialized("c")); orders.join(countries, [](const Order& order) { return order.country; },
//   with_country)
//
// Only a join reads it, with what it holds when the record comes; its changes lead to nothing.
//
// Threads   none of its own: used while a topology is built.
// Lifetime  the StreamBuilder outlives it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/check.h"
#include "dsl/graph.h"
#include "dsl/options.h"
#include "dsl/store_factories.h"
#include "dsl/stream.h"
#include "dsl/table_nodes.h"

namespace penstock::dsl {

template <typename K, typename V>
class GlobalTable final {
 public:
  explicit GlobalTable(std::string store) : store_(std::move(store)) {}

  [[nodiscard]] const std::string& store() const { return store_; }

 private:
  std::string store_;
};

// Puts records of its topic into the store. What cannot be read is not let in, since who looks it
// up could do nothing about it.
template <Serializable K, Serializable V>
[[nodiscard]] topology::GlobalTable::Apply apply_to_global_table(Malformed malformed) {
  return [malformed](store::StateStore& store, const RecordView& record,
                     topology::RecordCounts& counts) -> Status {
    auto* const values = dynamic_cast<store::KeyValueBytes*>(&store);
    PENSTOCK_CHECK(values != nullptr);
    if (!record.key.has_value()) {
      ++counts.dropped;
      return {};
    }
    const bool is_readable =
        Serde<K>::decode(*record.key).has_value() &&
        (!record.value.has_value() || Serde<V>::decode(*record.value).has_value());
    if (is_readable) {
      values->put(*record.key, record.value, record.timestamp);
      return {};
    }
    if (malformed == Malformed::kFail) {
      return Error(ErrorCode::kInvalid, "the key or the value cannot be decoded");
    }
    ++counts.dropped;
    return {};
  };
}

template <Serializable K, Serializable V>
[[nodiscard]] GlobalTable<K, V> add_global_table(Graph& graph, const std::string& topic,
                                                 const Materialized& materialized,
                                                 const Consumed& consumed) {
  const std::string& store = materialized.store();
  if (materialized.history().has_value()) {
    graph.reject("global table \"" + store + "\" cannot be versioned");
  }
  const std::string source = graph.name_step("KSTREAM-SOURCE-", consumed.name);
  const std::string table = graph.name_step("KTABLE-SOURCE-", "");
  graph.add_global_table({store,
                          topic,
                          key_value_store(store),
                          apply_to_global_table<K, V>(consumed.malformed),
                          {{Step::Kind::kSource, source, {topic}, {}, {}, {table}},
                           {Step::Kind::kProcessor, table, {}, {store}, {source}, {}}}});
  return GlobalTable<K, V>(store);
}

template <typename Self, typename K, typename V>
template <typename KT, typename VT, typename Selector, typename Joiner, bool kIsLeftJoin>
auto StreamOperations<Self, K, V>::join_global(const GlobalTable<KT, VT>& table, Selector selector,
                                               Joiner joiner, const Named& named) const {
  using Out = JoinResult<Joiner, K, V, VT>;
  static_assert(!kIsLeftJoin || JoinCall<Joiner, K, V, VT>::kTakesNullRight,
                "the joiner of a left join takes the table's value as const V*");
  Graph& graph = self().graph();
  const StepId parent = self().node();
  const StepId step = graph.add_step(
      {Step::Kind::kProcessor,
       graph.name_step(kIsLeftJoin ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-", named.name),
       {parent},
       {},
       {}});
  if (kIsLeftJoin) {
    graph.set_uses_null_keys(step);
  }
  graph.add_plan(step, [parent, store = table.store(), selector = std::move(selector),
                        joiner = std::move(joiner)](TaskRuntime& runtime) {
    using Lookup = TableLookupNode<K, V, KT, VT, Selector, Joiner, Out, kIsLeftJoin>;
    auto node = std::make_unique<Lookup>(
        runtime, std::make_unique<StoreGetter<KT, VT>>(runtime, store), selector, joiner);
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
  return Stream<K, Out>(graph, step, self().keys());
}

}  // namespace penstock::dsl
