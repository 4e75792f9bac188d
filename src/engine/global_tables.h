// GlobalTables keeps the global tables of a topology, whole, for one stream thread.
//
// A global table is a topic of which every thread has all partitions, so that records can be joined
// with it by any key (Kafka Streams' GlobalKTable). The topic is its own changelog: it is read from
// its beginning at each start, and read on while the thread runs. Only what is committed is read,
// so nothing has to be taken back; positions are not committed, as a restart begins anew. One copy
// per thread, since a store has one owner: no look-up waits for another thread.
//
// Threads   one: that of the stream thread.
// Lifetime  log and topology outlive it.
// Errors    those of the log, kRetry and kBusy apart, which mean "later"; what a table answers to a
//           record that cannot be read
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "engine/topics.h"
#include "log/log.h"
#include "os/clock.h"
#include "topology/topology.h"

namespace penstock::engine {

// The stores, without a log: for drivers of tests too.
class GlobalStores {
 public:
  explicit GlobalStores(const topology::Topology& topology);

  // None of that name: null.
  [[nodiscard]] store::StateStore* find(std::string_view name) const;

  // The table that is made of a topic; null if it is none.
  [[nodiscard]] const topology::GlobalTable* table_of(std::string_view topic) const;

  // Applies a record of the table's topic.
  [[nodiscard]] Status apply(const topology::GlobalTable& table, const RecordView& record);
  // What was applied may be read.
  void commit(os::TimePoint now);

  [[nodiscard]] const std::vector<std::unique_ptr<store::StateStore>>& all() const {
    return stores_;
  }

  // Since the last call.
  [[nodiscard]] topology::RecordCounts take_counts() { return std::exchange(counts_, {}); }

 private:
  const topology::Topology& topology_;
  std::vector<std::unique_ptr<store::StateStore>> stores_;  // of topology_.global_tables()[i]
  topology::RecordCounts counts_;
};

class GlobalTables {
 public:
  [[nodiscard]] static Result<std::unique_ptr<GlobalTables>> open(
      log::Log& log, const os::Clock& clock, const topology::Topology& topology,
      const TopicHandles& topics, const std::string& name);

  // Everything that was in the topics at the start is here.
  [[nodiscard]] bool is_restored() const { return remaining_ == 0; }

  // Reads about `bytes_max`, if there is something; true then.
  [[nodiscard]] Result<bool> run_once(std::size_t bytes_max);

  [[nodiscard]] GlobalStores& stores() { return stores_; }

 private:
  struct Source {
    const topology::GlobalTable* table = nullptr;
    Offset next;
    Offset restored_at;  // where the partition ended at the start
  };

  GlobalTables(const os::Clock& clock, const topology::Topology& topology)
      : clock_(clock), stores_(topology) {}

  [[nodiscard]] Status begin(log::Log& log, const topology::Topology& topology,
                             const TopicHandles& topics, const std::string& name);
  [[nodiscard]] Status apply(const log::FetchedBatch& batch);

  const os::Clock& clock_;
  GlobalStores stores_;
  std::unique_ptr<log::Consumer> consumer_;
  std::map<TopicPartition, Source> sources_;
  std::size_t remaining_ = 0;  // partitions that are not restored yet
};

}  // namespace penstock::engine
