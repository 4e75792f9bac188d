// Graph is what a StreamBuilder collects: steps with their names, how to make their nodes, stores.
//
// Untyped: the typed handles (Stream, Table) put closures in that know the types. make_topology()
// finds the sub-topologies (steps that are connected, also by a store) and makes one engine
// processor of each; the steps stay visible in Topology::describe().
//
// Names of steps count up, as Kafka Streams' do (KSTREAM-FILTER-0000000002). Nothing that is kept
// is called by such a number: stores and internal topics have the names that the program gives.
//
// Threads   none of its own; immutable once the topology is made.
// Errors    kInvalid  make_topology(): names of stores or topics used twice, nothing to do
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dsl/errors.h"
#include "dsl/options.h"
#include "dsl/runtime.h"
#include "store/store_type.h"
#include "topology/topology.h"

namespace penstock::dsl {

struct Step {
  using Kind = topology::StepDescription::Kind;

  Kind kind = Kind::kProcessor;
  std::string name;
  std::vector<StepId> parents;
  std::vector<std::string> topics;  // of sources and sinks
  std::vector<std::string> stores;  // of processors
  bool uses_null_keys = false;      // a left or outer join of a stream
};

// Makes the node of a step (or of several that were fused), in a task.
struct NodePlan {
  using Make = std::function<std::unique_ptr<Node>(TaskRuntime&)>;

  StepId first;  // nodes are made, and called by their parents, in this order
  StepId last;   // what others connect to
  Make make;
};

// What handles and closures share; kept by the graph. See TableInfo.
struct SharedInfo {
  virtual ~SharedInfo() = default;
};

// Whether records without key go through a repartition topic: only where a left or outer join
// behind it can use them (KIP-962).
struct NullKeyRule final : SharedInfo {
  bool keeps_null_keys = false;
};

// A topic between two sub-topologies.
struct RepartitionPlan {
  std::string topic;
  StepId sink;
  StepId source;
  NullKeyRule* rule;
  topology::TypeNames types = {};
};

class Graph {
 public:
  Graph(std::string application_id, std::chrono::milliseconds emit_interval, Caching caching,
        ErrorHandlers errors)
      : application_id_(std::move(application_id)),
        emit_interval_(emit_interval),
        caching_(caching),
        errors_(std::move(errors)) {}

  [[nodiscard]] std::chrono::milliseconds emit_interval() const { return emit_interval_; }

  // Whether changes of that table are held back until the next commit.
  [[nodiscard]] bool caches(const Materialized& materialized) const {
    return !materialized.history().has_value() &&
           materialized.caching().value_or(caching_) == Caching::kOn;
  }

  // "KSTREAM-FILTER-0000000002", or the name given.
  [[nodiscard]] std::string name_step(std::string_view prefix, const std::string& given);

  // Kafka Streams counts names that it then does not use.
  void skip_names(std::size_t count) { name_count_ += count; }

  StepId add_step(Step step);
  void add_plan(StepId first, StepId last, NodePlan::Make make);

  void add_plan(StepId step, NodePlan::Make make) { add_plan(step, step, std::move(make)); }

  // A store that the steps named use; each may be named again by connect().
  void add_store(std::string name, topology::StoreFactory factory, topology::StoreShape shape = {});
  void connect(StepId step, const std::string& store);

  void add_global_table(topology::GlobalTable table) { global_tables_.push_back(std::move(table)); }

  void set_default_store(store::StoreType type) { default_store_ = type; }

  void add_repartition(RepartitionPlan plan) { repartitions_.push_back(std::move(plan)); }

  // "<application id>-<name>", without the id if there is none.
  [[nodiscard]] std::string internal_topic(std::string_view name) const;
  // "<application id>-<name>-repartition".
  [[nodiscard]] std::string repartition_topic(std::string_view name) const;

  // Owned by the graph, so that handles and closures may point to it.
  template <typename T>
  T& keep(std::unique_ptr<T> info) {
    T& kept = *info;
    infos_.push_back(std::move(info));
    return kept;
  }

  // What the program did wrong, told by make_topology(); the first one counts.
  void reject(std::string why);

  [[nodiscard]] const Step& step(StepId id) const { return steps_[id]; }

  // Of the steps behind one, in the order in which it hands them records; once the topology is
  // made.
  [[nodiscard]] std::vector<std::string> child_names(StepId id) const;

  void set_uses_null_keys(StepId id) { steps_[id].uses_null_keys = true; }

  [[nodiscard]] static Result<topology::Topology> make_topology(std::unique_ptr<Graph> graph);

  // What a sink step's output to a topic is called in the engine.
  [[nodiscard]] static std::string sink_name(const std::string& step, const std::string& topic);

  [[nodiscard]] const ErrorHandlers& errors() const { return errors_; }

  // What the output of dead letters is called in the sub-topology that begins with a step.
  [[nodiscard]] static std::string dead_letter_sink(StepId first);

 private:
  friend class GraphProcessor;

  using Names = std::vector<std::string>;

  struct StorePlan {
    std::string name;
    topology::StoreFactory factory;
    topology::StoreShape shape;
    std::vector<StepId> users;
  };

  [[nodiscard]] topology::StoreFactory with_default_type(
      const topology::StoreFactory& factory) const;
  [[nodiscard]] Status check() const;
  void decide_null_keys();
  // For each step, the number of its sub-topology.
  [[nodiscard]] std::vector<std::size_t> find_groups() const;
  [[nodiscard]] std::vector<topology::StepDescription> describe(
      const std::vector<StepId>& members) const;
  void describe_internal_topics(const std::vector<std::size_t>& groups,
                                topology::TopologyBuilder& builder) const;

  static void add_sub_topology(const std::shared_ptr<const Graph>& graph,
                               const std::vector<std::size_t>& groups, StepId first,
                               topology::TopologyBuilder& builder);

  std::string application_id_;
  std::chrono::milliseconds emit_interval_;
  Caching caching_;
  ErrorHandlers errors_;
  std::size_t name_count_ = 0;
  std::vector<Step> steps_;
  std::vector<NodePlan> plans_;
  std::vector<StorePlan> stores_;
  std::vector<topology::GlobalTable> global_tables_;
  store::StoreType default_store_ = store::StoreType::kInMemory;
  std::vector<RepartitionPlan> repartitions_;
  std::vector<std::unique_ptr<SharedInfo>> infos_;
  std::optional<std::string> rejection_;
};

}  // namespace penstock::dsl
