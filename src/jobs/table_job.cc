#include "jobs/table_job.h"

#include <memory>
#include <utility>

#include "jobs/table_processors.h"
#include "store/table_store.h"

namespace penstock::jobs {

namespace {

Status check(const TableOptions& options) {
  PENSTOCK_TRY(check_name(options.name, options.topic.name));
  if (options.group_by.empty()) {
    return Error(ErrorCode::kInvalid, "has no key: give its topic a key, or the table a group_by");
  }
  return check_pointers(options.group_by);
}

topology::StoreFactory store_factory(const TableOptions& options) {
  return [options](const topology::StoreContext& context) {
    return std::make_unique<store::TableStore>(store::TableStore::Options{
        options.name, options.topic.name, options.group_by, context.hash_seed});
  };
}

}  // namespace

Result<topology::Topology> make_table_topology(const TableOptions& options) {
  if (const Status checked = check(options); !checked) {
    return Error(ErrorCode::kInvalid,
                 "table \"" + options.name + "\": " + checked.error().message());
  }
  topology::TopologyBuilder builder;
  builder.add_source("source", {options.topic.name});
  if (needs_repartition(options.topic, options.group_by)) {
    const std::string between = options.name + "-repartition";
    builder.add_internal_topic(
        {between, topology::InternalTopic::Kind::kRepartition, options.topic.name, std::nullopt});
    builder.add_processor("rekey", [options] { return std::make_unique<RekeyProcessor>(options); },
                          {"source"});
    builder.add_sink(kToGroups, {between, topology::Partitioning::kByKey}, {"rekey"});
    builder.add_source("from-groups", {between});
    builder.add_processor("keep",
                          [options] { return std::make_unique<KeepRekeyedProcessor>(options); },
                          {"from-groups"});
  } else {
    builder.add_processor("keep", [options] { return std::make_unique<KeepProcessor>(options); },
                          {"source"});
  }
  builder.add_store(options.name, store_factory(options), {"keep"});
  return builder.build();
}

}  // namespace penstock::jobs
