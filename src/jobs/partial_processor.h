// PartialProcessor aggregates the events of its partition until the next commit, and sends what it
// has to the partitions of the groups.
//
// Its window store is scratch space: it is emptied at every commit and needs no changelog.
//
// Threads   one.
#pragma once

#include <optional>
#include <vector>

#include "jobs/aggregate_plan.h"
#include "jobs/repartition.h"
#include "jobs/window_counter.h"
#include "topology/processor.h"

namespace penstock::jobs {

class PartialProcessor final : public topology::Processor {
 public:
  explicit PartialProcessor(AggregatePlan plan) : plan_(std::move(plan)) {}

  [[nodiscard]] Status init(topology::ProcessorContext& context) override;
  [[nodiscard]] Status process(const topology::RecordSpan& records) override;
  [[nodiscard]] Status before_commit() override;

  [[nodiscard]] std::size_t pending_bytes() const override { return store_->pending_bytes(); }

  void committed() override { clear(); }

  void aborted() override { clear(); }

 private:
  void clear();

  const AggregatePlan plan_;
  topology::ProcessorContext* context_ = nullptr;
  std::optional<store::WindowStore> store_;
  std::optional<WindowCounter> counter_;
  std::optional<RepartitionWriter> writer_;
  std::vector<store::WindowStore::Changed> partials_;
  Bytes value_;
};

}  // namespace penstock::jobs
