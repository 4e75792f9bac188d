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
#include "jobs/window_counter.h"
#include "topology/processor.h"

namespace penstock::jobs {

class PartialProcessor final : public topology::Processor {
 public:
  explicit PartialProcessor(AggregatePlan plan) : plan_(std::move(plan)) {}

  [[nodiscard]] Status init(topology::ProcessorContext& context) override;
  [[nodiscard]] Status process(const topology::RecordSpan& records) override;
  [[nodiscard]] Status before_commit() override;

  void committed() override { clear(); }

  void aborted() override { clear(); }

 private:
  void send(const store::WindowStore::Changed& partial, Timestamp now);
  void send_progress(Timestamp now);
  void clear();

  const AggregatePlan plan_;
  std::optional<store::WindowStore> store_;
  std::optional<WindowCounter> counter_;
  topology::ProcessorContext* context_ = nullptr;
  topology::Output* output_ = nullptr;
  // Since the last commit:
  std::optional<Offset> next_offset_;
  std::optional<std::int64_t> oldest_ingest_us_;
  std::vector<store::WindowStore::Changed> partials_;
  std::vector<bool> has_header_;  // by partition: the time of acceptance was sent
  Bytes key_;
  Bytes value_;
};

}  // namespace penstock::jobs
