// AggregatePlan is what the processors of one aggregate job work by: its options, compiled.
//
// Threads   an immutable value; each processor has its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jobs/aggregate_job.h"
#include "jobs/group_plan.h"
#include "store/window_store.h"

namespace penstock::jobs {

inline constexpr const char* kUpdatesSink = "updates";

class AggregatePlan {
 public:
  enum class Use {
    kStore,    // the job's own store: changes are tracked for the output
    kPartial,  // partial aggregates of one commit
  };

  // `options` were checked.
  explicit AggregatePlan(AggregateOptions options);

  [[nodiscard]] const AggregateOptions& options() const { return options_; }

  // The fields are the aggregated ones, in the order of AggregateLayout.
  [[nodiscard]] const GroupPlan& group() const { return group_; }

  [[nodiscard]] store::WindowStore::Options store_options(std::uint64_t hash_seed, Use use) const;

 private:
  const AggregateOptions options_;
  const GroupPlan group_;
};

}  // namespace penstock::jobs
