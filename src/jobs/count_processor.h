// CountProcessor aggregates the events of its partition into the job's store, and puts out updates.
//
// For jobs whose groups do not span partitions; see aggregate_job.h.
//
// Threads   one.
#pragma once

#include <optional>

#include "jobs/aggregate_plan.h"
#include "jobs/update_writer.h"
#include "jobs/window_counter.h"
#include "topology/processor.h"

namespace penstock::jobs {

class CountProcessor final : public topology::Processor {
 public:
  explicit CountProcessor(AggregatePlan plan) : plan_(std::move(plan)) {}

  [[nodiscard]] Status init(topology::ProcessorContext& context) override;
  [[nodiscard]] Status process(const topology::RecordSpan& records) override;
  [[nodiscard]] Status before_commit() override;

  [[nodiscard]] bool is_idle() const override { return updates_->is_idle(); }

 private:
  const AggregatePlan plan_;
  topology::ProcessorContext* context_ = nullptr;
  store::WindowStore* store_ = nullptr;
  std::optional<WindowCounter> counter_;
  std::optional<UpdateWriter> updates_;
};

}  // namespace penstock::jobs
