// A processor of one's own as a node among the others.
//
// Threads   one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "dsl/graph.h"
#include "dsl/options.h"
#include "dsl/processor.h"

namespace penstock::dsl {

template <typename MakeProcessor>
using ProcessorOf = typename std::invoke_result_t<MakeProcessor&>::element_type;

// The steps behind a processor, by name.
class NamedChildren {
 public:
  NamedChildren(TaskRuntime& runtime, const Graph& graph, StepId step)
      : runtime_(runtime), step_(graph.step(step).name), names_(graph.child_names(step)) {}

  // The place of that step among the children; nothing, and a failure, if there is none.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name);

 private:
  TaskRuntime& runtime_;
  const std::string step_;
  const std::vector<std::string> names_;
};

template <typename K, typename V, typename P>
class ProcessorNode final : public Node,
                            public Receiver<K, V>,
                            public Publisher<typename P::KeyOut, typename P::ValueOut>,
                            private P::Context {
 public:
  ProcessorNode(TaskRuntime& runtime, std::string step, NamedChildren children,
                std::unique_ptr<P> processor)
      : runtime_(runtime),
        step_(std::move(step)),
        children_(std::move(children)),
        processor_(std::move(processor)) {
    processor_->init(*this);
  }

  void receive(const Record<K, V>& record) override { processor_->process(record); }

 private:
  void forward(const Record<typename P::KeyOut, typename P::ValueOut>& record) override {
    this->publish(record);
  }

  void forward(const Record<typename P::KeyOut, typename P::ValueOut>& record,
               std::string_view step) override {
    if (const auto child = children_.find(step)) {
      this->publish_to(*child, record);
    }
  }

  [[nodiscard]] TaskRuntime& runtime() override { return runtime_; }

  [[nodiscard]] const std::string& step() const override { return step_; }

  TaskRuntime& runtime_;
  const std::string step_;
  NamedChildren children_;
  std::unique_ptr<P> processor_;
};

// The same for processors that cannot change the key.
template <typename K, typename V, typename P>
class FixedKeyProcessorNode final : public Node,
                                    public Receiver<K, V>,
                                    public Publisher<K, typename P::ValueOut>,
                                    private P::Context {
 public:
  FixedKeyProcessorNode(TaskRuntime& runtime, std::string step, NamedChildren children,
                        std::unique_ptr<P> processor)
      : runtime_(runtime),
        step_(std::move(step)),
        children_(std::move(children)),
        processor_(std::move(processor)) {
    processor_->init(*this);
  }

  void receive(const Record<K, V>& record) override {
    key_ = record.key;
    processor_->process(record);
    key_ = nullptr;
  }

 private:
  void forward(const typename P::ValueOut* value, Timestamp timestamp,
               const Headers* headers) override {
    this->publish({key_, value, timestamp, headers});
  }

  void forward(const typename P::ValueOut* value, Timestamp timestamp, const Headers* headers,
               std::string_view step) override {
    if (const auto child = children_.find(step)) {
      this->publish_to(*child, {key_, value, timestamp, headers});
    }
  }

  [[nodiscard]] TaskRuntime& runtime() override { return runtime_; }

  [[nodiscard]] const std::string& step() const override { return step_; }

  TaskRuntime& runtime_;
  const std::string step_;
  NamedChildren children_;
  std::unique_ptr<P> processor_;
  const K* key_ = nullptr;
};

template <typename P>
inline constexpr bool kHasFixedKey = std::is_base_of_v<
    FixedKeyProcessor<typename P::KeyIn, typename P::ValueIn, typename P::ValueOut>, P>;

// The step of a processor behind another step, with the stores it uses.
template <typename K, typename V, typename MakeProcessor>
[[nodiscard]] StepId add_processor(Graph& graph, StepId parent, std::string_view prefix,
                                   MakeProcessor make, const std::vector<std::string>& stores,
                                   const Named& named) {
  using P = ProcessorOf<MakeProcessor>;
  static_assert(std::is_same_v<K, typename P::KeyIn> && std::is_same_v<V, typename P::ValueIn>,
                "the processor takes other types than the stream has");
  using NodeType =
      std::conditional_t<kHasFixedKey<P>, FixedKeyProcessorNode<K, V, P>, ProcessorNode<K, V, P>>;
  const std::string name = graph.name_step(prefix, named.name);
  const StepId step = graph.add_step({Step::Kind::kProcessor, name, {parent}, {}, {}});
  for (const std::string& store : stores) {
    graph.connect(step, store);
  }
  graph.add_plan(step, [&graph = std::as_const(graph), step, parent, name,
                        make = std::move(make)](TaskRuntime& runtime) mutable {
    auto node =
        std::make_unique<NodeType>(runtime, name, NamedChildren(runtime, graph, step), make());
    runtime.publisher<K, V>(parent).add_child(*node);
    return node;
  });
  return step;
}

}  // namespace penstock::dsl
