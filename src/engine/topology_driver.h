// TopologyDriver runs a topology by hand: records in, records out, no log, no threads.
//
// For the tests of whoever writes a topology (Kafka Streams' TopologyTestDriver). Records are given
// to topics, run() processes them, commit() makes what came out visible and passes repartition
// topics on; abort() takes everything since the last commit back, and the records come again.
//
//   auto driver = TopologyDriver::open(topology, {{"clicks", 3}}, clock);
//   driver->send("clicks", {.partition = PartitionId(0), .timestamp = ..., .key = "a", .value =
//   "{}"}); driver->run();  driver->commit(); driver->output("click_counts");
//
// Threads   one.
// Lifetime  topology and clock outlive it.
// Errors    those of the topology's processors
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/signal.h"
#include "engine/global_tables.h"
#include "engine/task.h"
#include "os/clock.h"
#include "topology/topology.h"

namespace penstock::engine {

struct DrivenHeader {
  std::string key;
  std::optional<std::string> value;

  friend bool operator==(const DrivenHeader&, const DrivenHeader&) = default;
};

// A record with its own memory.
struct DrivenRecord {
  PartitionId partition;
  Timestamp timestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;
  Offset offset;  // given by send()
  std::vector<DrivenHeader> headers;

  friend bool operator==(const DrivenRecord&, const DrivenRecord&) = default;
};

// For stores on a disk.
struct DrivenDisk {
  store::RocksEnvironment* rocks = nullptr;
  store::StoreType default_store = store::StoreType::kInMemory;  // where the topology says nothing
};

class TopologyDriver {
 public:
  using PartitionCounts = std::map<std::string, std::int32_t, std::less<>>;

  // `partition_counts` of every topic that is not the topology's own.
  [[nodiscard]] static Result<std::unique_ptr<TopologyDriver>> open(
      const topology::Topology& topology, const PartitionCounts& partition_counts,
      const os::Clock& clock,
      std::uint64_t record_cache_bytes_max = topology::kRecordCacheBytesDefault,
      const DrivenDisk& disk = {});

  // Appends to a topic that the topology reads. Of a global table, it is there at once.
  void send(std::string_view topic, const DrivenRecord& record);

  // Processes what is there, and runs due punctuations; then nothing is left to process. kAbortTxn:
  // a processor wants the records again; they are taken back and come with the next call.
  [[nodiscard]] Status run();
  // Waits for calls to other systems that are under way, where their answers come from other
  // threads (kRetry: they do not come), commits, and processes and commits what went through
  // repartition topics, until nothing is left.
  [[nodiscard]] Status commit();
  // Takes back what was processed since the last commit.
  void abort();
  // As after a crash: new tasks, their stores from disk and changelogs, at what was committed last.
  [[nodiscard]] Status restart();

  // What was committed to a topic, in order. A topic that the topology does not have ends the test,
  // and says which there are.
  [[nodiscard]] const std::vector<DrivenRecord>& output(std::string_view topic);

  [[nodiscard]] Task& task(Task::Id id) { return *tasks_.at(id); }

  // The part of a store that lies in a partition.
  [[nodiscard]] store::StateStore& store(std::string_view name, PartitionId partition);

  // What all tasks have counted since they were made.
  [[nodiscard]] const topology::RecordCounts& counts() const { return counts_; }

  // Of the changelogs, since open().
  [[nodiscard]] std::uint64_t restored_count() const { return restored_count_; }

 private:
  TopologyDriver(const topology::Topology& topology, const os::Clock& clock,
                 std::uint64_t record_cache_bytes_max, const DrivenDisk& disk)
      : topology_(topology),
        record_cache_(record_cache_bytes_max),
        global_stores_(topology),
        environment_{.clock = clock,
                     .record_cache = &record_cache_,
                     .global_stores = &global_stores_,
                     .rocks = disk.rocks,
                     .state_folder = "driver",
                     .store_type = disk.default_store} {
    environment_.wake = [signal = wake_] { signal->raise(); };
  }

  void add_topic(const std::string& name, std::int32_t partition_count);
  [[nodiscard]] Status open_tasks();
  [[nodiscard]] Result<std::vector<SourcePosition>> positions_of(const topology::SubTopology& sub,
                                                                 Task::Id id) const;
  [[nodiscard]] Status restore(Task& task);
  [[nodiscard]] Status restore(Task& task, TopicPartition changelog);
  [[nodiscard]] Offset changelog_end(TopicPartition changelog) const;
  void add_to_changelog(const Task& task, log::PartitionBatch& batch);
  void feed_again();
  [[nodiscard]] Result<bool> commit_once();
  void publish(const log::PartitionBatch& batch);
  void feed(TopicPartition partition, std::size_t first);
  [[nodiscard]] Ref<RefCounted> make_batch(TopicPartition partition, std::size_t first,
                                           ByteView& bytes);
  void apply_to_global(const topology::GlobalTable& table, TopicPartition partition);
  [[nodiscard]] const std::string& name_of(TopicId topic) const;

  [[nodiscard]] Status take_back_if_asked(const Error& error);
  [[nodiscard]] Result<bool> advance();
  [[nodiscard]] Status wait_for_calls();

  const topology::Topology& topology_;
  const Ref<Signal> wake_ = make_ref<Signal>();
  topology::RecordCacheBudget record_cache_;
  GlobalStores global_stores_;
  Status global_error_;  // of a record that was sent; run() answers it
  TaskEnvironment environment_;
  std::map<Task::Id, std::unique_ptr<Task>> tasks_;
  std::map<TopicPartition, Task*> readers_;
  std::map<TopicPartition, std::vector<DrivenRecord>> inputs_;
  std::map<std::string, std::vector<DrivenRecord>, std::less<>> outputs_;
  std::map<TopicPartition, std::vector<RecordBatch>> changelogs_;
  std::map<TopicPartition, log::OffsetCommit> committed_;
  topology::RecordCounts counts_;
  std::uint64_t restored_count_ = 0;
};

}  // namespace penstock::engine
