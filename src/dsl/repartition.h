// Repartitioning: a stream goes through a topic, so that records of one key meet in one task.
//
// Threads   none: used while a topology is built.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "dsl/endpoints.h"
#include "dsl/graph.h"
#include "dsl/type_name.h"

namespace penstock::dsl {

// Drops records without key unless something behind the topic can use them.
template <typename K, typename V>
class NullKeyFilterNode final : public Node, public Receiver<K, V>, public Publisher<K, V> {
 public:
  explicit NullKeyFilterNode(const NullKeyRule& rule) : rule_(rule) {}

  void receive(const Record<K, V>& record) override {
    if (record.key != nullptr || rule_.keeps_null_keys) {
      this->publish(record);
    }
  }

 private:
  const NullKeyRule& rule_;
};

template <typename K, typename V>
void add_sink_plan(Graph& graph, StepId sink, StepId parent) {
  graph.add_plan(sink, [&graph = std::as_const(graph), sink, parent](TaskRuntime& runtime) {
    const Step& step = graph.step(sink);
    auto node =
        std::make_unique<TopicSink<K, V, std::nullptr_t>>(runtime, step.name, step.topics, nullptr);
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
}

template <typename K, typename V>
void add_source_plan(Graph& graph, StepId source, const Consumed& options) {
  graph.add_plan(source, [&graph = std::as_const(graph), source, options](TaskRuntime& runtime) {
    const Step& step = graph.step(source);
    auto node = std::make_unique<TopicSource<K, V>>(runtime, step.name, options);
    runtime.add_source(step.topics, *node);
    return node;
  });
}

// The step of a stream of K and V that comes out of the topic `<name>-repartition`.
template <typename K, typename V>
[[nodiscard]] StepId add_repartition(Graph& graph, StepId from, const std::string& name) {
  const std::string topic = graph.repartition_topic(name);
  const std::string prefix = name + "-repartition";
  graph.skip_names(3);
  const StepId filter =
      graph.add_step({Step::Kind::kProcessor, prefix + "-filter", {from}, {}, {}});
  const StepId sink = graph.add_step({Step::Kind::kSink, prefix + "-sink", {filter}, {topic}, {}});
  const StepId source = graph.add_step({Step::Kind::kSource, prefix + "-source", {}, {topic}, {}});
  NullKeyRule& rule = graph.keep(std::make_unique<NullKeyRule>());
  graph.add_repartition({topic, sink, source, &rule, type_names<K, V>()});
  graph.add_plan(filter, [from, &rule](TaskRuntime& runtime) {
    auto node = std::make_unique<NullKeyFilterNode<K, V>>(rule);
    runtime.publisher<K, V>(from).add_child(*node);
    return node;
  });
  add_sink_plan<K, V>(graph, sink, filter);
  add_source_plan<K, V>(graph, source, Consumed());
  return source;
}

}  // namespace penstock::dsl
