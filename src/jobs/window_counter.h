// WindowCounter counts a run of events into the windows of a WindowStore.
//
// For each event: find its group, find its window, drop it (and count that) if the window has
// closed for its partition, and add it to the group's aggregates.
//
// Threads   one.
// Lifetime  plan and store outlive it.
#pragma once

#include <array>
#include <cstdint>

#include "jobs/aggregate_plan.h"
#include "jobs/group_reader.h"
#include "store/window_store.h"
#include "topology/processor.h"
#include "topology/record_span.h"

namespace penstock::jobs {

class WindowCounter {
 public:
  WindowCounter(const AggregatePlan& plan, store::WindowStore& store);

  void count(const topology::RecordSpan& records, topology::RecordCounts& counts);

 private:
  // Events on their way into the store, to be looked up together.
  struct Group {
    std::array<store::WindowStore::Slot, store::WindowStore::kGroupSize> slots;
    std::array<std::size_t, store::WindowStore::kGroupSize> records;
    std::size_t count = 0;
  };

  void add_group(topology::RecordCounts& counts);
  void add_fields(std::uint64_t* cells, std::size_t record, topology::RecordCounts& counts);

  const AggregatePlan& plan_;
  store::WindowStore& store_;
  GroupReader reader_;
  Group group_;
};

}  // namespace penstock::jobs
