#include "jobs/aggregate_job.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include "jobs/aggregate_plan.h"
#include "jobs/count_processor.h"
#include "jobs/merge_processor.h"
#include "jobs/partial_processor.h"
#include "schema/json_pointer.h"

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

Status check_pointer(const AggregateOptions& options, const std::string& pointer) {
  const auto parsed = JsonPointer::parse(pointer);
  return parsed ? Status() : invalid(options, parsed.error().message());
}

Status check(const AggregateOptions& options) {
  using std::chrono::milliseconds;
  if (options.name.empty() ||
      options.name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789._-") != std::string::npos) {
    return invalid(options, "the name may only have letters, digits, '.', '_' and '-'");
  }
  if (options.name == options.topic) {
    return invalid(options, "its output topic has its name, which must differ from its topic's");
  }
  PENSTOCK_TRY(check_duration(options, "window", options.window, milliseconds(1)));
  PENSTOCK_TRY(check_duration(options, "grace", options.grace, milliseconds(0)));
  PENSTOCK_TRY(check_duration(options, "emit_interval", options.emit_interval, milliseconds(0)));
  if (options.retention.has_value()) {
    PENSTOCK_TRY(check_duration(options, "retention", *options.retention, milliseconds(0)));
  }
  if (options.columns.empty()) {
    return invalid(options, "asks for nothing; set count = true, or sum, min, max or avg");
  }
  for (const std::string& pointer : options.group_by) {
    PENSTOCK_TRY(check_pointer(options, pointer));
  }
  for (const store::AggregateColumn& column : options.columns) {
    PENSTOCK_TRY(check_pointer(options, column.pointer));
  }
  return {};
}

topology::StoreFactory store_factory(const AggregatePlan& plan) {
  return [plan](const topology::StoreContext& context) {
    return std::make_unique<store::WindowStore>(
        plan.store_options(context.hash_seed, AggregatePlan::Use::kStore));
  };
}

}  // namespace

bool needs_repartition(const AggregateOptions& options) {
  const bool by_key =
      options.topic_key.has_value() &&
      std::ranges::find(options.group_by, *options.topic_key) != options.group_by.end();
  return !by_key && options.topic_partition_count > 1;
}

Result<topology::Topology> make_aggregate_topology(AggregateOptions options) {
  PENSTOCK_TRY(check(options));
  using topology::InternalTopic;
  using topology::Partitioning;
  const bool repartition = needs_repartition(options);
  const std::string name = options.name;
  const std::string topic = options.topic;
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
    builder.add_sink("to-groups", {between, Partitioning::kByKey}, {"partial"});
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
