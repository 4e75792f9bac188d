#include "dsl/graph.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/check.h"
#include "dsl/graph_processor.h"
#include "dsl/store_factories.h"

namespace penstock::dsl {

std::string Graph::name_step(std::string_view prefix, const std::string& given) {
  if (!given.empty()) {
    return given;
  }
  const std::string number = std::to_string(name_count_++);
  constexpr std::size_t kDigits = 10;  // as in Kafka Streams
  return std::string(prefix) + std::string(kDigits - number.size(), '0') + number;
}

StepId Graph::add_step(Step step) {
  steps_.push_back(std::move(step));
  return steps_.size() - 1;
}

void Graph::add_plan(StepId first, StepId last, NodePlan::Make make) {
  plans_.push_back({first, last, std::move(make)});
}

// What the engine was told holds where the program left the default.
topology::StoreFactory Graph::with_default_type(const topology::StoreFactory& factory) const {
  return default_store_ == store::StoreType::kInMemory ? factory
                                                       : stored_as(default_store_, factory);
}

void Graph::add_store(std::string name, topology::StoreFactory factory,
                      topology::StoreShape shape) {
  stores_.push_back({std::move(name), std::move(factory), std::move(shape), {}});
}

void Graph::connect(StepId step, const std::string& store) {
  std::vector<std::string>& names = steps_[step].stores;
  if (std::ranges::find(names, store) != names.end()) {
    return;
  }
  const auto found = std::ranges::find(stores_, store, &StorePlan::name);
  if (found == stores_.end()) {
    reject("step \"" + steps_[step].name + "\" uses store \"" + store + "\", which was not added");
    return;
  }
  names.push_back(store);
  found->users.push_back(step);
}

std::string Graph::internal_topic(std::string_view name) const {
  return (application_id_.empty() ? "" : application_id_ + "-") + std::string(name);
}

std::string Graph::repartition_topic(std::string_view name) const {
  return internal_topic(name) + "-repartition";
}

void Graph::reject(std::string why) {
  if (!rejection_.has_value()) {
    rejection_ = std::move(why);
  }
}

std::vector<std::string> Graph::child_names(StepId id) const {
  std::vector<std::string> names;
  for (const NodePlan& plan : plans_) {
    const Step& step = steps_[plan.first];
    for (auto count = std::ranges::count(step.parents, id); count > 0; --count) {
      names.push_back(step.name);
    }
  }
  return names;
}

Status Graph::check() const {
  if (rejection_.has_value()) {
    return Error(ErrorCode::kInvalid, *rejection_);
  }
  if (steps_.empty()) {
    return Error(ErrorCode::kInvalid, "the topology has no steps");
  }
  for (const ErrorHandler* handler :
       {&errors_.deserialization, &errors_.processing, &errors_.production}) {
    if (handler->is(ErrorResponse::kDeadLetter) && errors_.dead_letter_topic.empty()) {
      return Error(ErrorCode::kInvalid,
                   "a handler of errors writes dead letters; name their topic "
                   "(ErrorHandlers::dead_letter_topic)");
    }
  }
  std::set<std::string_view> names;
  for (const StorePlan& store : stores_) {
    if (store.name.empty() || !names.insert(store.name).second) {
      return Error(ErrorCode::kInvalid, "the store name \"" + store.name +
                                            "\" is empty or used twice; every stateful step needs "
                                            "one of its own");
    }
  }
  for (const topology::GlobalTable& table : global_tables_) {
    if (!names.insert(table.name).second) {
      return Error(ErrorCode::kInvalid, "the store name \"" + table.name + "\" is used twice");
    }
  }
  names.clear();
  for (const RepartitionPlan& repartition : repartitions_) {
    if (!names.insert(repartition.topic).second) {
      return Error(ErrorCode::kInvalid, "two steps repartition through topic \"" +
                                            repartition.topic + "\"; name them apart");
    }
  }
  names.clear();
  for (const Step& step : steps_) {
    if (!names.insert(step.name).second) {
      return Error(ErrorCode::kInvalid, "the step name \"" + step.name + "\" is used twice");
    }
  }
  return {};
}

void Graph::decide_null_keys() {
  // Steps come after their parents, so one pass backwards reaches everything.
  std::vector<bool> leads_to_use(steps_.size());
  for (StepId step = steps_.size(); step-- > 0;) {
    if (steps_[step].uses_null_keys || leads_to_use[step]) {
      for (const StepId parent : steps_[step].parents) {
        leads_to_use[parent] = true;
      }
    }
  }
  for (const RepartitionPlan& plan : repartitions_) {
    plan.rule->keeps_null_keys = leads_to_use[plan.source];
  }
}

std::vector<std::size_t> Graph::find_groups() const {
  std::vector<std::size_t> group(steps_.size());
  const auto root = [&group](std::size_t step) {
    while (group[step] != step) {
      step = group[step];
    }
    return step;
  };
  const auto join = [&](StepId left, StepId right) {
    const std::size_t a = root(left);
    const std::size_t b = root(right);
    group[std::max(a, b)] = std::min(a, b);
  };
  for (StepId step = 0; step < steps_.size(); ++step) {
    group[step] = step;
  }
  for (StepId step = 0; step < steps_.size(); ++step) {
    for (const StepId parent : steps_[step].parents) {
      join(step, parent);
    }
  }
  for (const StorePlan& store : stores_) {
    for (const StepId user : store.users) {
      join(user, store.users.front());
    }
  }
  for (StepId step = 0; step < steps_.size(); ++step) {
    group[step] = root(step);
  }
  return group;
}

std::vector<topology::StepDescription> Graph::describe(const std::vector<StepId>& members) const {
  std::vector<topology::StepDescription> descriptions;
  for (const StepId id : members) {
    const Step& step = steps_[id];
    topology::StepDescription description{step.kind, step.name, step.topics, step.stores, {}, {}};
    for (const StepId parent : step.parents) {
      description.predecessors.push_back(steps_[parent].name);
    }
    for (const StepId other : members) {
      if (std::ranges::find(steps_[other].parents, id) != steps_[other].parents.end()) {
        description.successors.push_back(steps_[other].name);
      }
    }
    descriptions.push_back(std::move(description));
  }
  return descriptions;
}

// A repartition topic gets as many partitions as the other topics that its readers read, or else
// as those that its writers read.
void Graph::describe_internal_topics(const std::vector<std::size_t>& groups,
                                     topology::TopologyBuilder& builder) const {
  const auto is_internal = [this](const std::string& topic) {
    return std::ranges::find(repartitions_, topic, &RepartitionPlan::topic) != repartitions_.end();
  };
  const auto source_of = [&](std::size_t group, bool with_internal) -> std::string {
    for (StepId step = 0; step < steps_.size(); ++step) {
      if (groups[step] == group && steps_[step].kind == Step::Kind::kSource &&
          (with_internal || !is_internal(steps_[step].topics.front()))) {
        return steps_[step].topics.front();
      }
    }
    return {};
  };
  for (const RepartitionPlan& plan : repartitions_) {
    std::string like = source_of(groups[plan.source], false);
    if (like.empty()) {
      like = source_of(groups[plan.sink], false);
    }
    if (like.empty()) {
      like = source_of(groups[plan.sink], true);
    }
    builder.add_internal_topic(
        {plan.topic, topology::InternalTopic::Kind::kRepartition, like, std::nullopt, plan.types});
  }
}

Result<topology::Topology> Graph::make_topology(std::unique_ptr<Graph> made) {
  PENSTOCK_TRY(made->check());
  std::ranges::stable_sort(made->plans_, {}, &NodePlan::first);
  made->decide_null_keys();
  const std::shared_ptr<const Graph> graph(std::move(made));
  const std::vector<std::size_t> groups = graph->find_groups();
  topology::TopologyBuilder builder;
  if (!graph->application_id_.empty()) {
    builder.set_application_id(graph->application_id_);
  }
  for (StepId first = 0; first < graph->steps_.size(); ++first) {
    if (groups[first] == first) {
      add_sub_topology(graph, groups, first, builder);
    }
  }
  for (const topology::GlobalTable& table : graph->global_tables_) {
    builder.add_global_table(table);
  }
  graph->describe_internal_topics(groups, builder);
  return builder.build();
}

void Graph::add_sub_topology(const std::shared_ptr<const Graph>& graph,
                             const std::vector<std::size_t>& groups, StepId first,
                             topology::TopologyBuilder& builder) {
  std::vector<StepId> members;
  std::vector<std::string> sources;
  for (StepId id = first; id < graph->steps_.size(); ++id) {
    const Step& step = graph->steps_[id];
    if (groups[id] != first) {
      continue;
    }
    members.push_back(id);
    if (step.kind == Step::Kind::kSource) {
      builder.add_source(step.name, step.topics);
      sources.push_back(step.name);
    }
  }
  const std::string name = "steps-" + std::to_string(first);
  builder.add_processor(
      name, [graph, members] { return std::make_unique<GraphProcessor>(graph, members); }, sources,
      graph->describe(members));
  for (const StepId id : members) {
    const Step& step = graph->steps_[id];
    for (const std::string& topic : step.kind == Step::Kind::kSink ? step.topics : Names()) {
      builder.add_sink(sink_name(step.name, topic), {topic}, {name});
    }
  }
  if (!graph->errors_.dead_letter_topic.empty()) {
    builder.add_sink(dead_letter_sink(first), {graph->errors_.dead_letter_topic}, {name});
  }
  for (const StorePlan& store : graph->stores_) {
    if (!store.users.empty() && groups[store.users.front()] == first) {
      builder.add_store(store.name, graph->with_default_type(store.factory), {name}, store.shape);
    }
  }
}

std::string Graph::sink_name(const std::string& step, const std::string& topic) {
  return step + " to " + topic;
}

std::string Graph::dead_letter_sink(StepId first) {
  return "dead letters of steps-" + std::to_string(first);
}

}  // namespace penstock::dsl
