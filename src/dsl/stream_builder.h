// StreamBuilder is where a topology begins: sources, tables and stores; build() checks and makes
// it.
//
//   StreamBuilder builder({.application_id = "shop"});
//   builder.stream<std::string, std::string>("clicks")
//       .filter([](const std::string& url) { return !url.empty(); })
//       .group_by_key()
//       .count(Materialized("clicks-per-user"))
//       .to_stream()
//       .to("counts");
//   Result<topology::Topology> topology = std::move(builder).build();
//
// The names are those of Kafka Streams' DSL, in snake case; docs/streams.md shows both side by
// side.
//
// Threads   one while it is used; the Topology may be shared.
// Lifetime  Streams, Tables and the like point into the builder: they end with build().
// Errors    kInvalid  from build(): names used twice, topics read twice; the message says which
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dsl/global_table.h"
#include "dsl/grouped_stream.h"
#include "dsl/stream.h"
#include "dsl/table.h"
#include "topology/topology.h"

namespace penstock::dsl {

class StreamBuilder {
 public:
  struct Options {
    // Begins the names of changelog and repartition topics.
    std::string application_id;
    // How often, by the wall clock, a step looks for windows to be put out on close.
    Duration emit_interval{1000};
    // Of steps that say nothing of it; see Materialized::with_store().
    StoreType default_store = StoreType::kInMemory;
    // What happens with records that cannot be read, processed or written.
    ErrorHandlers errors = {};
    // Of tables that say nothing of it; see Materialized::with_caching().
    Caching caching = Caching::kOff;
  };

  StreamBuilder() : StreamBuilder(Options()) {}

  explicit StreamBuilder(Options options)
      : graph_(std::make_unique<Graph>(std::move(options.application_id), options.emit_interval,
                                       options.caching, std::move(options.errors))) {
    graph_->set_default_store(options.default_store);
  }

  // The records of topics. A topic is read once: use the stream several times instead.
  template <Serializable K, Serializable V>
  [[nodiscard]] Stream<K, V> stream(const std::string& topic, const Consumed& consumed = {}) {
    return stream<K, V>(std::vector<std::string>{topic}, consumed);
  }

  template <Serializable K, Serializable V>
  [[nodiscard]] Stream<K, V> stream(std::vector<std::string> topics,
                                    const Consumed& consumed = {}) {
    return {*graph_, add_source<K, V>(std::move(topics), consumed), Keys::kKept};
  }

  // The latest value of each key of a topic.
  template <Serializable K, Serializable V>
  [[nodiscard]] Table<K, V> table(const std::string& topic, const Materialized& materialized,
                                  const Consumed& consumed = {}) {
    const StepId source = add_source<K, V>({topic}, consumed);
    return add_table_source<K, V>(*graph_, source, graph_->name_step("KTABLE-SOURCE-", ""),
                                  materialized);
  }

  // The latest value of each key of all partitions of a topic, in every stream thread: to join
  // streams with it by any key. For tables that fit into memory several times. The topic should be
  // compacted: it is read from its beginning at each start.
  template <Serializable K, Serializable V>
  [[nodiscard]] GlobalTable<K, V> global_table(const std::string& topic,
                                               const Materialized& materialized,
                                               const Consumed& consumed = {}) {
    return add_global_table<K, V>(*graph_, topic, materialized, consumed);
  }

  // Stores for processors of one's own.
  void add_key_value_store(const std::string& name) {
    graph_->add_store(name, key_value_store(name), {"key-value", {}, 0, 0});
  }

  void add_versioned_store(const std::string& name, Duration history) {
    graph_->add_store(name, versioned_store(name, history));
  }

  void add_window_store(const std::string& name, Duration window, Duration retention) {
    graph_->add_store(name, window_store(name, window, retention),
                      {"window", {}, window.count(), retention.count()});
  }

  void add_session_store(const std::string& name, Duration retention) {
    graph_->add_store(name, session_store(name, retention), {"session", {}, 0, retention.count()});
  }

  [[nodiscard]] Result<topology::Topology> build() && {
    return Graph::make_topology(std::move(graph_));
  }

 private:
  template <typename K, typename V>
  [[nodiscard]] StepId add_source(std::vector<std::string> topics, const Consumed& consumed) {
    const StepId step = graph_->add_step({Step::Kind::kSource,
                                          graph_->name_step("KSTREAM-SOURCE-", consumed.name),
                                          {},
                                          std::move(topics),
                                          {}});
    add_source_plan<K, V>(*graph_, step, consumed);
    return step;
  }

  std::unique_ptr<Graph> graph_;
};

}  // namespace penstock::dsl
