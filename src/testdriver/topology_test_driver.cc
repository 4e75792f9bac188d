#include "testdriver/topology_test_driver.h"

#include <algorithm>
#include <set>

#include "record/partitioner.h"

namespace penstock::testdriver {

namespace {

engine::TopologyDriver::PartitionCounts outer_topics(const topology::Topology& topology,
                                                     std::int32_t partition_count) {
  std::set<std::string, std::less<>> inner;
  for (const topology::InternalTopic& topic : topology.internal_topics()) {
    inner.insert(topic.name);
  }
  engine::TopologyDriver::PartitionCounts counts;
  const auto add = [&](const std::string& topic) {
    if (!inner.contains(topic)) {
      counts[topic] = partition_count;
    }
  };
  for (const topology::GlobalTable& table : topology.global_tables()) {
    add(table.topic);
  }
  for (const topology::SubTopology& sub : topology.sub_topologies()) {
    for (const topology::SourceNode& source : sub.sources) {
      std::ranges::for_each(source.topics, add);
    }
    for (const topology::SinkNode& sink : sub.sinks) {
      add(sink.options.topic);
    }
  }
  return counts;
}

bool has_stores_on_disk(const topology::Topology& topology) {
  return std::ranges::any_of(topology.sub_topologies(), [](const topology::SubTopology& sub) {
    return std::ranges::any_of(
        sub.stores, [](const topology::StoreNode& node) { return node.factory({})->is_on_disk(); });
  });
}

}  // namespace

TopologyTestDriver::TopologyTestDriver(const topology::Topology& topology, const Options& options)
    : clock_(options.initial_wall_clock_time),
      logger_(clock_, {}),
      partition_count_(options.partition_count) {
  if (has_stores_on_disk(topology)) {
    using Files = store::RocksEnvironment::Files;
    const bool in_memory = options.state_directory.empty();
    rocks_ = std::make_unique<store::RocksEnvironment>(
        store::RocksEnvironment::Options{
            .directory = in_memory ? "/state" : options.state_directory,
            .files = in_memory ? Files::kInMemory : Files::kOnDisk},
        clock_, logger_);
  }
  auto opened =
      engine::TopologyDriver::open(topology, outer_topics(topology, options.partition_count),
                                   clock_, options.record_cache_bytes_max, {.rocks = rocks_.get()});
  if (!opened) {
    check_failed(opened.error().to_string().c_str(), __FILE__, __LINE__);
  }
  driver_ = *std::move(opened);
}

Status TopologyTestDriver::pipe(std::string_view topic, const engine::DrivenRecord& record) {
  driver_->send(topic, record);
  PENSTOCK_TRY(driver_->run());
  return driver_->commit();
}

void TopologyTestDriver::advance_wall_clock_time(std::chrono::milliseconds by) {
  clock_.advance(by);
  expect(driver_->run());
  expect(driver_->commit());
}

void TopologyTestDriver::expect(const Status& status) {
  if (!status) {
    check_failed(status.error().to_string().c_str(), __FILE__, __LINE__);
  }
}

PartitionId TopologyTestDriver::partition_for(std::optional<ByteView> key) const {
  return key.has_value() ? partition_for_key(*key, partition_count_) : PartitionId(0);
}

}  // namespace penstock::testdriver
