#include "topology/topology.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/check.h"
#include "topology/description.h"

namespace penstock::topology {

namespace {

Error invalid(std::string message) {
  return {ErrorCode::kInvalid, std::move(message)};
}

}  // namespace

std::string to_string(const TaskId& id) {
  return std::to_string(id.sub_topology) + "_" + to_string(id.partition);
}

RecordCounts& RecordCounts::operator+=(const RecordCounts& other) {
  late += other.late;
  expired += other.expired;
  dropped += other.dropped;
  dead_lettered += other.dead_lettered;
  ignored_values += other.ignored_values;
  return *this;
}

std::vector<std::string> Topology::source_topics() const {
  std::set<std::string> topics;
  for (const SubTopology& sub : sub_topologies_) {
    for (const SourceNode& source : sub.sources) {
      topics.insert(source.topics.begin(), source.topics.end());
    }
  }
  return {topics.begin(), topics.end()};
}

std::string Topology::describe() const {
  return to_text(topology::describe(*this, ""));
}

TopologyBuilder::Node& TopologyBuilder::add(NodeKind kind, std::string name, Names parents) {
  Node& node = nodes_.emplace_back();
  node.kind = kind;
  node.name = std::move(name);
  node.parents = std::move(parents);
  return node;
}

TopologyBuilder& TopologyBuilder::add_source(std::string name, Names topics) {
  add(NodeKind::kSource, std::move(name), {}).topics = std::move(topics);
  return *this;
}

TopologyBuilder& TopologyBuilder::add_processor(std::string name, ProcessorFactory factory,
                                                Names parents, std::vector<StepDescription> steps) {
  Node& node = add(NodeKind::kProcessor, std::move(name), std::move(parents));
  node.processor_factory = std::move(factory);
  node.steps = std::move(steps);
  return *this;
}

TopologyBuilder& TopologyBuilder::set_application_id(std::string id) {
  changelog_prefix_ = std::move(id) + "-";
  return *this;
}

TopologyBuilder& TopologyBuilder::add_sink(std::string name, SinkOptions options, Names parents) {
  add(NodeKind::kSink, std::move(name), std::move(parents)).sink = std::move(options);
  return *this;
}

TopologyBuilder& TopologyBuilder::add_store(std::string name, StoreFactory factory,
                                            Names processors, StoreShape shape) {
  Node& node = add(NodeKind::kStore, std::move(name), std::move(processors));
  node.store_factory = std::move(factory);
  node.store_shape = std::move(shape);
  return *this;
}

TopologyBuilder& TopologyBuilder::add_global_table(GlobalTable table) {
  global_tables_.push_back(std::move(table));
  return *this;
}

TopologyBuilder& TopologyBuilder::add_internal_topic(InternalTopic topic) {
  internal_topics_.push_back(std::move(topic));
  return *this;
}

const TopologyBuilder::Node* TopologyBuilder::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(nodes_, [&](const Node& node) { return node.name == name; });
  return found == nodes_.end() ? nullptr : &*found;
}

Status TopologyBuilder::check_parents(const Node& node) const {
  if (node.kind != NodeKind::kSource && node.parents.empty()) {
    return invalid("node \"" + node.name + "\" is connected to nothing");
  }
  for (const std::string& name : node.parents) {
    const Node* parent = find(name);
    // Parents come first, which also rules out cycles.
    if (parent == nullptr || parent > &node) {
      return invalid("node \"" + node.name + "\" names \"" + name +
                     "\", which was not added before it");
    }
    const bool fits = node.kind == NodeKind::kStore ? parent->kind == NodeKind::kProcessor
                                                    : parent->kind == NodeKind::kProcessor ||
                                                          parent->kind == NodeKind::kSource;
    if (!fits) {
      return invalid("node \"" + node.name + "\" cannot be connected to \"" + name + "\"");
    }
  }
  return {};
}

Status TopologyBuilder::check() const {
  std::set<std::string_view> names;
  std::set<std::string_view> topics;
  for (const Node& node : nodes_) {
    if (node.name.empty() || !names.insert(node.name).second) {
      return invalid("the node name \"" + node.name + "\" is empty or used twice");
    }
    if (node.kind == NodeKind::kSource && node.topics.empty()) {
      return invalid("source \"" + node.name + "\" has no topic");
    }
    for (const std::string& topic : node.topics) {
      if (!topics.insert(topic).second) {
        return invalid("topic \"" + topic + "\" has two sources; use one for all readers");
      }
    }
    PENSTOCK_TRY(check_parents(node));
  }
  for (const GlobalTable& table : global_tables_) {
    if (table.name.empty() || !names.insert(table.name).second) {
      return invalid("the node name \"" + table.name + "\" is empty or used twice");
    }
    if (!topics.insert(table.topic).second) {
      return invalid("topic \"" + table.topic +
                     "\" is read as a global table and has another reader");
    }
  }
  return nodes_.empty() ? invalid("the topology has no nodes") : Status();
}

std::size_t TopologyBuilder::group_of(std::size_t node) const {
  while (nodes_[node].group != node) {
    node = nodes_[node].group;
  }
  return node;
}

void TopologyBuilder::join_groups() {
  for (std::size_t index = 0; index < nodes_.size(); ++index) {
    nodes_[index].group = index;
    for (const std::string& name : nodes_[index].parents) {
      const std::size_t mine = group_of(index);
      const std::size_t theirs = group_of(static_cast<std::size_t>(find(name) - nodes_.data()));
      nodes_[std::max(mine, theirs)].group = std::min(mine, theirs);
    }
  }
}

TopologyBuilder::Names TopologyBuilder::children_of(const std::string& name) const {
  Names children;
  for (const Node& node : nodes_) {
    if (node.kind != NodeKind::kStore &&
        std::ranges::find(node.parents, name) != node.parents.end()) {
      children.push_back(node.name);
    }
  }
  return children;
}

SubTopology TopologyBuilder::make_sub_topology(std::size_t group) const {
  SubTopology sub;
  for (std::size_t index = 0; index < nodes_.size(); ++index) {
    const Node& node = nodes_[index];
    if (group_of(index) != group) {
      continue;
    }
    if (node.kind == NodeKind::kSource) {
      sub.sources.push_back({node.name, node.topics});
      sub.source_children.push_back(children_of(node.name));
    } else if (node.kind == NodeKind::kSink) {
      sub.sinks.push_back({node.name, node.sink});
    } else if (node.kind == NodeKind::kStore) {
      sub.stores.push_back({node.name, node.store_factory,
                            changelog_prefix_ + node.name + "-changelog", node.store_shape});
    } else {
      sub.processors.push_back(
          {node.name, node.processor_factory, children_of(node.name), {}, node.steps});
    }
  }
  for (ProcessorNode& processor : sub.processors) {
    for (const StoreNode& store : sub.stores) {
      const Names& users = find(store.name)->parents;
      if (std::ranges::find(users, processor.name) != users.end()) {
        processor.stores.push_back(store.name);
      }
    }
  }
  return sub;
}

Result<Topology> TopologyBuilder::build() {
  PENSTOCK_TRY(check());
  join_groups();
  Topology topology;
  topology.internal_topics_ = std::move(internal_topics_);
  topology.global_tables_ = std::move(global_tables_);
  for (std::size_t index = 0; index < nodes_.size(); ++index) {
    if (group_of(index) != index) {
      continue;
    }
    SubTopology sub = make_sub_topology(index);
    PENSTOCK_CHECK(!sub.sources.empty());  // every node leads back to one: check_parents()
    for (const StoreNode& store : sub.stores) {
      topology.internal_topics_.push_back({store.changelog_topic, InternalTopic::Kind::kChangelog,
                                           sub.sources.front().topics.front(), std::nullopt});
    }
    topology.sub_topologies_.push_back(std::move(sub));
  }
  return topology;
}

}  // namespace penstock::topology
