// Topology says what is done with which topics: sources, processors, stores and sinks, connected.
//
// Pure description, without threads or data. TopologyBuilder collects it and checks it; the engine
// makes tasks of it. What is connected, also by sharing a store, forms one sub-topology, and each
// sub-topology runs as one task per partition of its source topics. Two sub-topologies meet only
// in topics: a sink of one writes the repartition topic that is a source of the other.
// The terms and rules are those of Kafka Streams' Processor API.
//
//   TopologyBuilder builder;
//   builder.add_source("in", {"clicks"});
//   builder.add_processor("count", [] { return std::make_unique<Count>(); }, {"in"});
//   builder.add_store({"counts", make_count_store}, {"count"});
//   builder.add_sink("out", {"click_counts"}, {"count"});
//   Result<Topology> topology = builder.build();
//
// Threads   none of its own; a Topology is immutable and may be shared.
// Errors    kInvalid  from build(): names that are used twice or unknown, a processor without a
//           source, two sources of one topic; the message names the node
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
#include "record/types.h"
#include "store/rocks_environment.h"
#include "store/state_store.h"
#include "store/store_type.h"
#include "topology/processor.h"

namespace penstock::topology {

using ProcessorFactory = std::function<std::unique_ptr<Processor>()>;

// What a store is told about where it lives.
struct StoreContext {
  PartitionId partition;
  std::uint64_t hash_seed = 0;                          // secret, random per process
  std::size_t commit_bytes_max = kCommitBytesDefault;   // what a commit should not exceed by much
  store::RocksEnvironment* rocks = nullptr;             // of stores on a disk; none: in memory only
  std::string folder = {};                              // what theirs begin with
  store::StoreType type = store::StoreType::kInMemory;  // of a store that says nothing of it
};

using StoreFactory = std::function<std::unique_ptr<store::StateStore>(const StoreContext&)>;

enum class Partitioning : std::uint8_t {
  kByKey,  // murmur2 of the record's key, as Kafka's clients
  kTask,   // the number of the writing task's partition
};

struct SinkOptions {
  std::string topic;
  Partitioning partitioning = Partitioning::kByKey;
};

// The formats of keys and values by name, such as "string" or "long"; empty: not known.
struct TypeNames {
  std::string key;
  std::string value;

  friend bool operator==(const TypeNames&, const TypeNames&) = default;
};

// What makes the contents of a store of one version of a program readable for another.
struct StoreShape {
  std::string kind;  // "key-value", "window", "session", ...; empty: not known
  TypeNames types;
  std::int64_t window_ms = 0;     // 0: it has no windows, or none of one size
  std::int64_t retention_ms = 0;  // 0: for ever

  friend bool operator==(const StoreShape&, const StoreShape&) = default;
};

// Topics that a topology brings with it. They have as many partitions as the sub-topology that
// reads the named topic has tasks.
struct InternalTopic {
  enum class Kind : std::uint8_t { kRepartition, kChangelog, kOutput };

  std::string name;
  Kind kind = Kind::kOutput;
  std::string partitions_of;  // a topic that has the same number of partitions
  std::optional<std::chrono::milliseconds> retention;  // of outputs; absent: forever
  TypeNames types = {};                                // of repartition topics

  friend bool operator==(const InternalTopic&, const InternalTopic&) = default;
};

struct SourceNode {
  std::string name;
  std::vector<std::string> topics;
};

// What a processor that was made of several steps shows of them, each as Kafka Streams would show
// it: the names are those of its topology description.
struct StepDescription {
  enum class Kind : std::uint8_t { kSource, kProcessor, kSink };

  Kind kind = Kind::kProcessor;
  std::string name;
  std::vector<std::string> topics;  // of sources and sinks
  std::vector<std::string> stores;  // of processors
  std::vector<std::string> predecessors;
  std::vector<std::string> successors;

  friend bool operator==(const StepDescription&, const StepDescription&) = default;
};

struct ProcessorNode {
  std::string name;
  ProcessorFactory factory;
  std::vector<std::string> children;  // processors and sinks
  std::vector<std::string> stores;
  std::vector<StepDescription> steps;  // empty: the processor is one step itself
};

struct SinkNode {
  std::string name;
  SinkOptions options;
};

struct StoreNode {
  std::string name;
  StoreFactory factory;
  std::string changelog_topic;
  StoreShape shape;
};

struct SubTopology {
  std::vector<SourceNode> sources;
  std::vector<ProcessorNode> processors;  // each after all that forward to it
  std::vector<SinkNode> sinks;
  std::vector<StoreNode> stores;
  std::vector<std::vector<std::string>> source_children;  // of sources[i]
};

// A table that every stream thread has whole: made of all partitions of a topic, which is its own
// changelog. Any processor may look into it.
struct GlobalTable {
  // Puts a record of the topic into the store; counts what it drops.
  using Apply = std::function<Status(store::StateStore& store, const RecordView& record,
                                     RecordCounts& counts)>;

  std::string name;  // of the store
  std::string topic;
  StoreFactory store;
  Apply apply;
  std::vector<StepDescription> steps;
};

class Topology {
 public:
  [[nodiscard]] const std::vector<SubTopology>& sub_topologies() const { return sub_topologies_; }

  [[nodiscard]] const std::vector<GlobalTable>& global_tables() const { return global_tables_; }

  [[nodiscard]] const std::vector<InternalTopic>& internal_topics() const {
    return internal_topics_;
  }

  // All topics read by tasks, repartition topics included; sorted.
  [[nodiscard]] std::vector<std::string> source_topics() const;

  // For people, in Kafka Streams' format: see topology/description.h.
  [[nodiscard]] std::string describe() const;

 private:
  friend class TopologyBuilder;

  std::vector<SubTopology> sub_topologies_;
  std::vector<GlobalTable> global_tables_;
  std::vector<InternalTopic> internal_topics_;
};

class TopologyBuilder {
 public:
  using Names = std::vector<std::string>;

  TopologyBuilder& add_source(std::string name, Names topics);
  TopologyBuilder& add_processor(std::string name, ProcessorFactory factory, Names parents,
                                 std::vector<StepDescription> steps = {});
  TopologyBuilder& add_sink(std::string name, SinkOptions options, Names parents);
  // Names of changelog topics begin with `<id>-`.
  TopologyBuilder& set_application_id(std::string id);
  // A store of the processors named; its changelog topic is `<name>-changelog`.
  TopologyBuilder& add_store(std::string name, StoreFactory factory, Names processors,
                             StoreShape shape = {});
  TopologyBuilder& add_global_table(GlobalTable table);
  // A topic to be made before the topology runs. Changelog topics need no mention.
  TopologyBuilder& add_internal_topic(InternalTopic topic);

  // Once.
  [[nodiscard]] Result<Topology> build();

 private:
  enum class NodeKind : std::uint8_t { kSource, kProcessor, kSink, kStore };

  struct Node {
    NodeKind kind;
    std::string name;
    Names parents;  // of a store: the processors that use it
    Names topics;
    ProcessorFactory processor_factory;
    std::vector<StepDescription> steps;
    StoreFactory store_factory;
    StoreShape store_shape;
    SinkOptions sink;
    std::size_t group = 0;  // joined nodes have one representative
  };

  Node& add(NodeKind kind, std::string name, Names parents);
  [[nodiscard]] const Node* find(std::string_view name) const;
  [[nodiscard]] std::size_t group_of(std::size_t node) const;
  [[nodiscard]] Status check() const;
  [[nodiscard]] Status check_parents(const Node& node) const;
  void join_groups();
  [[nodiscard]] Names children_of(const std::string& name) const;
  [[nodiscard]] SubTopology make_sub_topology(std::size_t group) const;

  std::vector<Node> nodes_;
  std::vector<GlobalTable> global_tables_;
  std::vector<InternalTopic> internal_topics_;
  std::string changelog_prefix_;
};

}  // namespace penstock::topology
