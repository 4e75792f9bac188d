// MergeProcessor adds the partial aggregates of all partitions to the job's store, and puts out
// updates.
//
// What is late was decided where the events were read. A window counts as closed here when the
// latest stream time heard of has passed it; partials of a partition that is behind still come in,
// and change it, unless it has been dropped to save memory.
//
// Threads   one.
// Errors    kInvalid  a record of the repartition topic cannot be read
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "jobs/aggregate_plan.h"
#include "jobs/update_writer.h"
#include "topology/processor.h"

namespace penstock::jobs {

class MergeProcessor final : public topology::Processor {
 public:
  explicit MergeProcessor(AggregatePlan plan) : plan_(std::move(plan)) {}

  [[nodiscard]] Status init(topology::ProcessorContext& context) override;
  [[nodiscard]] Status process(const topology::RecordSpan& records) override;
  [[nodiscard]] Status before_commit() override;

  [[nodiscard]] bool is_idle() const override { return updates_->is_idle(); }

 private:
  [[nodiscard]] Status take_partial(ByteView tagged_key, ByteView value);
  [[nodiscard]] Status take_progress(ByteView value);
  void merge_group();

  const AggregatePlan plan_;
  topology::ProcessorContext* context_ = nullptr;
  store::WindowStore* store_ = nullptr;
  std::optional<UpdateWriter> updates_;
  // Partials on their way into the store, to be looked up together.
  std::array<store::WindowStore::Slot, store::WindowStore::kGroupSize> slots_;
  std::vector<std::uint64_t> cells_;
  std::size_t count_ = 0;
};

}  // namespace penstock::jobs
