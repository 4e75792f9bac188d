#include "jobs/aggregate_plan.h"

#include <utility>

namespace penstock::jobs {

AggregatePlan::AggregatePlan(AggregateOptions options)
    : options_(std::move(options)),
      group_(options_.group_by, store::AggregateLayout(options_.columns).field_pointers(),
             options_.topic.key) {}

store::WindowStore::Options AggregatePlan::store_options(std::uint64_t hash_seed, Use use) const {
  store::WindowStore::Options options;
  options.name = options_.name;
  options.topic = options_.topic.name;
  options.group_by = options_.group_by;
  options.window = options_.window;
  options.grace = options_.grace;
  options.retention = options_.retention;
  options.columns = options_.columns;
  options.hash_seed = hash_seed;
  options.track_changes = use == Use::kStore;
  return options;
}

}  // namespace penstock::jobs
