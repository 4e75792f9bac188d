#include "topology/description.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/json_tree.h"
#include "core/json_writer.h"

namespace penstock::topology {

namespace {

using Kind = StepDescription::Kind;
using Names = std::vector<std::string>;

constexpr std::int64_t kVersion = 1;

// ---- from a topology ----

Names parents_of(const SubTopology& sub, const std::string& name) {
  Names parents;
  const auto has = [&](const Names& children) {
    return std::ranges::find(children, name) != children.end();
  };
  for (std::size_t index = 0; index < sub.sources.size(); ++index) {
    if (has(sub.source_children[index])) {
      parents.push_back(sub.sources[index].name);
    }
  }
  for (const ProcessorNode& processor : sub.processors) {
    if (has(processor.children)) {
      parents.push_back(processor.name);
    }
  }
  return parents;
}

// Of a processor that was not made of steps, each node is one.
std::vector<StepDescription> steps_of(const SubTopology& sub) {
  std::vector<StepDescription> steps;
  if (sub.processors.size() == 1 && !sub.processors.front().steps.empty()) {
    return sub.processors.front().steps;
  }
  steps.reserve(sub.sources.size() + sub.processors.size() + sub.sinks.size());
  for (std::size_t index = 0; index < sub.sources.size(); ++index) {
    steps.push_back({Kind::kSource,
                     sub.sources[index].name,
                     sub.sources[index].topics,
                     {},
                     {},
                     sub.source_children[index]});
  }
  for (const ProcessorNode& node : sub.processors) {
    steps.push_back(
        {Kind::kProcessor, node.name, {}, node.stores, parents_of(sub, node.name), node.children});
  }
  for (const SinkNode& sink : sub.sinks) {
    steps.push_back(
        {Kind::kSink, sink.name, {sink.options.topic}, {}, parents_of(sub, sink.name), {}});
  }
  return steps;
}

// Stores that were not made by the DSL say themselves what they are.
StoreShape shape_of(const StoreNode& node) {
  StoreShape shape = node.shape;
  if (shape.kind.empty()) {
    const store::StoreDescription description = node.factory({})->describe();
    shape.kind = description.kind == store::StoreKind::kWindow ? "window" : "key-value";
    shape.window_ms = description.window.count();
    shape.retention_ms = description.retention.value_or(std::chrono::milliseconds(0)).count();
  }
  return shape;
}

// ---- text ----

std::string joined(const Names& names, std::string_view nothing) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? std::string(nothing) : text;
}

void append_step(std::string& text, const StepDescription& step) {
  switch (step.kind) {
    case Kind::kSource:
      text += "    Source: " + step.name + " (topics: [" + joined(step.topics, "") + "])\n";
      break;
    case Kind::kProcessor:
      text += "    Processor: " + step.name + " (stores: [" + joined(step.stores, "") + "])\n";
      break;
    case Kind::kSink:
      text += "    Sink: " + step.name + " (topic: " + joined(step.topics, "-") + ")\n";
      break;
  }
  if (step.kind != Kind::kSink) {
    text += "      --> " + joined(step.successors, "none") + "\n";
  }
  if (step.kind != Kind::kSource) {
    text += "      <-- " + joined(step.predecessors, "none") + "\n";
  }
}

// ---- Mermaid ----

// In Mermaid's text a quote ends it; the rest may stand as it is.
std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    text += c == '"' ? std::string("#quot;") : std::string(1, c);
  }
  return text + "\"";
}

// Numbers what the chart connects: names may hold anything.
class Chart {
 public:
  // The id of a step, topic or store; "t" or "s" and so on tells them apart.
  std::string id(std::string_view kind, const std::string& name) {
    const std::string key = std::string(kind) + " " + name;
    const auto found = std::ranges::find(names_, key);
    const auto index = static_cast<std::size_t>(found - names_.begin());
    if (found == names_.end()) {
      names_.push_back(key);
    }
    return std::string(kind) + std::to_string(index);
  }

 private:
  Names names_;
};

void append_chart(std::string& text, Chart& chart, std::size_t number,
                  const DescribedSubTopology& sub) {
  const std::string group = std::to_string(number);
  const auto step_id = [&](const std::string& name) { return chart.id("p", group + " " + name); };
  std::string links;
  text += "  subgraph sub" + group + "[\"Sub-topology " + group + "\"]\n";
  for (const StepDescription& step : sub.steps) {
    text += "    " + step_id(step.name) + "[" + quoted(step.name) + "]\n";
    for (const std::string& child : step.successors) {
      links += "  " + step_id(step.name) + " --> " + step_id(child) + "\n";
    }
    for (const std::string& topic : step.topics) {
      const std::string from =
          step.kind == Kind::kSource ? chart.id("t", topic) : step_id(step.name);
      const std::string to = step.kind == Kind::kSource ? step_id(step.name) : chart.id("t", topic);
      links += "  " + from + " --> " + to + "\n";
    }
    for (const std::string& store : step.stores) {
      links += "  " + step_id(step.name) + " --- " + chart.id("s", store) + "\n";
    }
  }
  for (const DescribedStore& store : sub.stores) {
    text += "    " + chart.id("s", store.name) + "[(" + quoted(store.name) + ")]\n";
  }
  text += "  end\n" + links;
}

// ---- JSON ----

void write_names(JsonWriter& json, std::string_view key, const Names& names) {
  json.key(key).begin_array();
  for (const std::string& name : names) {
    json.value(name);
  }
  json.end_array();
}

std::string_view to_string(Kind kind) {
  return kind == Kind::kSource ? "source" : kind == Kind::kSink ? "sink" : "processor";
}

void write_step(JsonWriter& json, const StepDescription& step) {
  json.begin_object().key("kind").value(to_string(step.kind)).key("name").value(step.name);
  write_names(json, "topics", step.topics);
  write_names(json, "stores", step.stores);
  write_names(json, "predecessors", step.predecessors);
  write_names(json, "successors", step.successors);
  json.end_object();
}

void write_store(JsonWriter& json, const DescribedStore& store) {
  json.begin_object().key("name").value(store.name).key("kind").value(store.shape.kind);
  json.key("key").value(store.shape.types.key).key("value").value(store.shape.types.value);
  json.key("window_ms").value(store.shape.window_ms);
  json.key("retention_ms").value(store.shape.retention_ms);
  json.key("changelog").value(store.changelog).end_object();
}

Names read_names(const JsonTree& tree, std::string_view key) {
  Names names;
  for (const JsonTree& element : tree.elements_of(key)) {
    names.push_back(element.text);
  }
  return names;
}

StepDescription read_step(const JsonTree& tree) {
  const std::string kind = tree.text_of("kind");
  return {kind == "source" ? Kind::kSource
          : kind == "sink" ? Kind::kSink
                           : Kind::kProcessor,
          tree.text_of("name"),
          read_names(tree, "topics"),
          read_names(tree, "stores"),
          read_names(tree, "predecessors"),
          read_names(tree, "successors")};
}

DescribedStore read_store(const JsonTree& tree) {
  return {tree.text_of("name"),
          {tree.text_of("kind"),
           {tree.text_of("key"), tree.text_of("value")},
           tree.integer_of("window_ms").value_or(0),
           tree.integer_of("retention_ms").value_or(0)},
          tree.text_of("changelog")};
}

std::int32_t read_partitions(const JsonTree& tree) {
  return static_cast<std::int32_t>(tree.integer_of("partitions").value_or(0));
}

void write_sub_topologies(JsonWriter& json, std::string_view key,
                          const std::vector<DescribedSubTopology>& subs) {
  json.key(key).begin_array();
  for (const DescribedSubTopology& sub : subs) {
    json.begin_object();
    write_names(json, "sources", sub.sources);
    json.key("partitions").value(sub.partitions).key("stores").begin_array();
    for (const DescribedStore& store : sub.stores) {
      write_store(json, store);
    }
    json.end_array().key("steps").begin_array();
    for (const StepDescription& step : sub.steps) {
      write_step(json, step);
    }
    json.end_array().end_object();
  }
  json.end_array();
}

DescribedSubTopology read_sub_topology(const JsonTree& tree) {
  DescribedSubTopology sub{read_names(tree, "sources"), read_partitions(tree), {}, {}};
  std::ranges::transform(tree.elements_of("stores"), std::back_inserter(sub.stores), read_store);
  std::ranges::transform(tree.elements_of("steps"), std::back_inserter(sub.steps), read_step);
  return sub;
}

}  // namespace

TopologyDescription describe(const Topology& topology, std::string_view application) {
  TopologyDescription description{std::string(application), {}, {}};
  for (const SubTopology& sub : topology.sub_topologies()) {
    DescribedSubTopology& made = description.sub_topologies.emplace_back();
    for (const SourceNode& source : sub.sources) {
      made.sources.insert(made.sources.end(), source.topics.begin(), source.topics.end());
    }
    for (const StoreNode& store : sub.stores) {
      made.stores.push_back({store.name, shape_of(store), store.changelog_topic});
    }
    made.steps = steps_of(sub);
  }
  for (const InternalTopic& topic : topology.internal_topics()) {
    if (topic.kind == InternalTopic::Kind::kRepartition) {
      description.repartitions.push_back({topic.name, topic.types, 0});
    }
  }
  for (const GlobalTable& table : topology.global_tables()) {
    description.global_tables.push_back({{table.topic}, 0, {}, table.steps});
  }
  return description;
}

std::string to_text(const TopologyDescription& description) {
  std::string text = "Topologies:\n";
  for (std::size_t index = 0; index < description.sub_topologies.size(); ++index) {
    text += "   Sub-topology: " + std::to_string(index) + "\n";
    for (const StepDescription& step : description.sub_topologies[index].steps) {
      append_step(text, step);
    }
    text += "\n";
  }
  std::size_t number = description.sub_topologies.size();
  for (const DescribedSubTopology& table : description.global_tables) {
    text += "   Sub-topology: " + std::to_string(number++) +
            " for global store (will not generate tasks)\n";
    for (const StepDescription& step : table.steps) {
      append_step(text, step);
    }
    text += "\n";
  }
  return text;
}

std::string to_mermaid(const TopologyDescription& description) {
  std::string text = "flowchart TD\n";
  Chart chart;
  Names topics;
  std::vector<DescribedSubTopology> all = description.sub_topologies;
  all.insert(all.end(), description.global_tables.begin(), description.global_tables.end());
  for (const DescribedSubTopology& sub : all) {
    for (const StepDescription& step : sub.steps) {
      topics.insert(topics.end(), step.topics.begin(), step.topics.end());
    }
  }
  std::ranges::sort(topics);
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  for (const std::string& topic : topics) {
    text += "  " + chart.id("t", topic) + "([" + quoted(topic) + "])\n";
  }
  for (std::size_t index = 0; index < all.size(); ++index) {
    append_chart(text, chart, index, all[index]);
  }
  return text;
}

std::string to_json(const TopologyDescription& description) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("version").value(kVersion);
  json.key("application").value(description.application);
  write_sub_topologies(json, "sub_topologies", description.sub_topologies);
  write_sub_topologies(json, "global_tables", description.global_tables);
  json.key("repartition_topics").begin_array();
  for (const DescribedRepartition& topic : description.repartitions) {
    json.begin_object().key("topic").value(topic.topic).key("key").value(topic.types.key);
    json.key("value").value(topic.types.value).key("partitions").value(topic.partitions);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

Result<TopologyDescription> parse_description(std::string_view json) {
  PENSTOCK_TRY_ASSIGN(const JsonTree tree, parse_json(json));
  const auto version = tree.integer_of("version");
  if (!version.has_value() || tree.find("sub_topologies") == nullptr) {
    return Error(ErrorCode::kInvalid, "this is no description of a topology");
  }
  if (*version > kVersion) {
    return Error(ErrorCode::kInvalid, "this description of a topology is of version " +
                                          std::to_string(*version) +
                                          "; use a later Penstock to read it");
  }
  TopologyDescription description{tree.text_of("application"), {}, {}};
  std::ranges::transform(tree.elements_of("sub_topologies"),
                         std::back_inserter(description.sub_topologies), read_sub_topology);
  std::ranges::transform(tree.elements_of("global_tables"),
                         std::back_inserter(description.global_tables), read_sub_topology);
  for (const JsonTree& topic : tree.elements_of("repartition_topics")) {
    description.repartitions.push_back({topic.text_of("topic"),
                                        {topic.text_of("key"), topic.text_of("value")},
                                        read_partitions(topic)});
  }
  return description;
}

}  // namespace penstock::topology
