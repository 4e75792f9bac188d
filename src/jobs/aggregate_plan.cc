#include "jobs/aggregate_plan.h"

#include "core/check.h"
#include "schema/json_pointer.h"

namespace penstock::jobs {

AggregatePlan::AggregatePlan(AggregateOptions options) : options_(std::move(options)) {
  std::vector<JsonPointer> pointers;
  const auto add = [&pointers](const std::string& text) {
    auto pointer = JsonPointer::parse(text);
    PENSTOCK_CHECK(pointer.has_value());
    pointers.push_back(*std::move(pointer));
  };
  for (const std::string& text : options_.group_by) {
    add(text);
  }
  const store::AggregateLayout layout(options_.columns);
  for (const std::string& text : layout.field_pointers()) {
    add(text);
  }
  field_count_ = layout.field_pointers().size();
  key_only_ = field_count_ == 0 && options_.group_by.size() == 1 &&
              options_.topic_key == options_.group_by.front();
  extract_plan_ = ExtractPlan::compile(pointers);
}

store::WindowStore::Options AggregatePlan::store_options(std::uint64_t hash_seed, Use use) const {
  store::WindowStore::Options options;
  options.name = options_.name;
  options.topic = options_.topic;
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
