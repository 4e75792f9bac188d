#include "jobs/aggregate_job.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include "jobs/aggregate_plan.h"
#include "jobs/count_processor.h"
#include "jobs/merge_processor.h"
#include "jobs/partial_processor.h"
#include "jobs/repartition.h"

namespace penstock::jobs {

namespace {

constexpr std::chrono::hours kDurationMax{24 * 366 * 1000};  // a thousand years

Error invalid(const AggregateOptions& options, const std::string& what) {
  return {ErrorCode::kInvalid, "aggregate \"" + options.name + "\": " + what};
}

Status check_duration(const AggregateOptions& options, std::string_view name,
                      std::chrono::milliseconds value, std::chrono::milliseconds least) {
  if (value < least || value > kDurationMax) {
    return invalid(options, std::string(name) + " must be between " +
                                std::to_string(least.count()) + " ms and 1000 years");
  }
  return {};
}

// Everything but what is the same for all jobs.
Status check(const AggregateOptions& options) {
  using std::chrono::milliseconds;
  PENSTOCK_TRY(check_duration(options, "window", options.window, milliseconds(1)));
  PENSTOCK_TRY(check_duration(options, "grace", options.grace, milliseconds(0)));
  PENSTOCK_TRY(check_duration(options, "emit_interval", options.emit_interval, milliseconds(0)));
  if (options.retention.has_value()) {
    PENSTOCK_TRY(check_duration(options, "retention", *options.retention, milliseconds(0)));
  }
  if (options.columns.empty()) {
    return invalid(options, "asks for nothing; set count = true, or sum, min, max or avg");
  }
  return {};
}

topology::StoreFactory store_factory(const AggregatePlan& plan) {
  return [plan](const topology::StoreContext& context) {
    store::WindowStore::Options options =
        plan.store_options(context.hash_seed, AggregatePlan::Use::kStore);
    options.tombstone_bytes_per_flush = context.commit_bytes_max / 8;
    return std::make_unique<store::WindowStore>(std::move(options));
  };
}

Status check_common(const AggregateOptions& options) {
  PENSTOCK_TRY(check_name(options.name, options.topic.name));
  PENSTOCK_TRY(check_pointers(options.group_by));
  return check_pointers(store::AggregateLayout(options.columns).field_pointers());
}

}  // namespace

Result<topology::Topology> make_aggregate_topology(AggregateOptions options) {
  if (const Status common = check_common(options); !common) {
    return invalid(options, common.error().message());
  }
  PENSTOCK_TRY(check(options));
  using topology::InternalTopic;
  using topology::Partitioning;
  const bool repartition = needs_repartition(options.topic, options.group_by);
  const std::string name = options.name;
  const std::string topic = options.topic.name;
  const auto retention = options.output_retention;
  const AggregatePlan plan(std::move(options));
  topology::TopologyBuilder builder;
  builder.add_source("source", {topic});
  std::string counter = "count";
  if (repartition) {
    const std::string between = name + "-repartition";
    builder.add_internal_topic({between, InternalTopic::Kind::kRepartition, topic, std::nullopt});
    builder.add_processor("partial", [plan] { return std::make_unique<PartialProcessor>(plan); },
                          {"source"});
    builder.add_sink(kToGroups, {between, Partitioning::kByKey}, {"partial"});
    builder.add_source("from-groups", {between});
    counter = "merge";
    builder.add_processor(counter, [plan] { return std::make_unique<MergeProcessor>(plan); },
                          {"from-groups"});
  } else {
    builder.add_processor(counter, [plan] { return std::make_unique<CountProcessor>(plan); },
                          {"source"});
  }
  builder.add_internal_topic({name, InternalTopic::Kind::kOutput, topic, retention});
  builder.add_store(name, store_factory(plan), {counter});
  builder.add_sink(kUpdatesSink, {name, Partitioning::kTask}, {counter});
  return builder.build();
}

}  // namespace penstock::jobs
