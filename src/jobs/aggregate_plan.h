// AggregatePlan is what the processors of one aggregate job work by: its options, compiled.
//
// Threads   an immutable value; each processor has its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jobs/aggregate_job.h"
#include "schema/extract_plan.h"
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

  // Group fields first, then the aggregated ones in the order of AggregateLayout.
  [[nodiscard]] const ExtractPlan& extract_plan() const { return extract_plan_; }

  [[nodiscard]] std::size_t group_size() const { return options_.group_by.size(); }

  [[nodiscard]] std::size_t field_count() const { return field_count_; }

  // The group is the record's key, and nothing else of the event is needed: its JSON is not read.
  [[nodiscard]] bool is_key_only() const { return key_only_; }

  [[nodiscard]] store::WindowStore::Options store_options(std::uint64_t hash_seed, Use use) const;

 private:
  const AggregateOptions options_;
  std::size_t field_count_ = 0;
  bool key_only_ = false;
  ExtractPlan extract_plan_;
};

}  // namespace penstock::jobs
