#include "topology/topology_diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace penstock::topology {

namespace {

struct PlacedStore {
  const DescribedStore* store;
  const DescribedSubTopology* sub;
};

using Stores = std::map<std::string, PlacedStore>;

Stores stores_of(const TopologyDescription& description) {
  Stores stores;
  for (const DescribedSubTopology& sub : description.sub_topologies) {
    for (const DescribedStore& store : sub.stores) {
      stores[store.name] = {&store, &sub};
    }
  }
  return stores;
}

// What is not known is not compared.
bool differ(const std::string& before, const std::string& after) {
  return !before.empty() && !after.empty() && before != after;
}

std::string changed(std::string_view what, const std::string& before, const std::string& after) {
  return std::string(what) + " " + before + " became " + after;
}

std::string changed_ms(std::string_view what, std::int64_t before, std::int64_t after) {
  return changed(what, std::to_string(before) + " ms", std::to_string(after) + " ms");
}

std::string type_change(const TypeNames& before, const TypeNames& after) {
  if (differ(before.key, after.key)) {
    return changed("its key type", before.key, after.key);
  }
  return differ(before.value, after.value) ? changed("its value type", before.value, after.value)
                                           : "";
}

std::string partition_change(std::int32_t before, std::int32_t after) {
  return before == 0 || after == 0 || before == after
             ? ""
             : changed("its number of partitions", std::to_string(before), std::to_string(after));
}

// Why the store cannot be taken over; empty if it can.
std::string store_change(const PlacedStore& before, const PlacedStore& after) {
  const StoreShape& old_shape = before.store->shape;
  const StoreShape& new_shape = after.store->shape;
  if (differ(old_shape.kind, new_shape.kind)) {
    return changed("its kind", old_shape.kind, new_shape.kind);
  }
  if (std::string types = type_change(old_shape.types, new_shape.types); !types.empty()) {
    return types;
  }
  if (old_shape.window_ms != new_shape.window_ms) {
    return changed_ms("its window size", old_shape.window_ms, new_shape.window_ms);
  }
  if (before.store->changelog != after.store->changelog) {
    return changed("its changelog", before.store->changelog, after.store->changelog);
  }
  if (std::string count = partition_change(before.sub->partitions, after.sub->partitions);
      !count.empty()) {
    return count;
  }
  // What was committed with a store stands beside the position in that topic.
  const std::string& first = before.sub->sources.front();
  return std::ranges::find(after.sub->sources, first) != after.sub->sources.end()
             ? ""
             : "its sub-topology does not read topic \"" + first + "\" any more";
}

std::string store_note(const StoreShape& before, const StoreShape& after) {
  return before.retention_ms == after.retention_ms
             ? ""
             : changed_ms("its retention", before.retention_ms, after.retention_ms);
}

void compare_stores(const TopologyDescription& before, const TopologyDescription& after,
                    std::vector<Finding>& findings) {
  const Stores old_stores = stores_of(before);
  const Stores new_stores = stores_of(after);
  std::set<std::string> names;
  for (const Stores* stores : {&old_stores, &new_stores}) {
    for (const auto& [name, placed] : *stores) {
      names.insert(name);
    }
  }
  for (const std::string& name : names) {
    const auto was = old_stores.find(name);
    const auto is = new_stores.find(name);
    const std::string what = "store \"" + name + "\"";
    if (was == old_stores.end()) {
      findings.push_back({Verdict::kNew, what, ""});
    } else if (is == new_stores.end()) {
      findings.push_back({Verdict::kDropped, what, ""});
    } else if (std::string why = store_change(was->second, is->second); !why.empty()) {
      findings.push_back({Verdict::kIncompatible, what, std::move(why)});
    } else {
      findings.push_back(
          {Verdict::kKept, what, store_note(was->second.store->shape, is->second.store->shape)});
    }
  }
}

void compare_topics(const TopologyDescription& before, const TopologyDescription& after,
                    std::vector<Finding>& findings) {
  using Topics = std::map<std::string, const DescribedRepartition*>;
  const auto topics_of = [](const TopologyDescription& description) {
    Topics topics;
    for (const DescribedRepartition& topic : description.repartitions) {
      topics[topic.topic] = &topic;
    }
    return topics;
  };
  const Topics old_topics = topics_of(before);
  const Topics new_topics = topics_of(after);
  const auto what = [](const std::string& name) { return "repartition topic \"" + name + "\""; };
  for (const auto& [name, was] : old_topics) {
    const auto is = new_topics.find(name);
    if (is == new_topics.end()) {
      findings.push_back(
          {Verdict::kDropped, what(name), "records that were not read from it yet are lost"});
      continue;
    }
    std::string why = type_change(was->types, is->second->types);
    if (why.empty()) {
      why = partition_change(was->partitions, is->second->partitions);
    }
    const Verdict verdict = why.empty() ? Verdict::kKept : Verdict::kIncompatible;
    findings.push_back({verdict, what(name), std::move(why)});
  }
  for (const auto& [name, is] : new_topics) {
    if (!old_topics.contains(name)) {
      findings.push_back({Verdict::kNew, what(name), ""});
    }
  }
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kKept:
      return "kept";
    case Verdict::kNew:
      return "new";
    case Verdict::kDropped:
      return "dropped";
    case Verdict::kIncompatible:
      return "incompatible";
  }
  return "?";
}

bool TopologyDiff::is_compatible() const {
  return std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.verdict == Verdict::kIncompatible; });
}

TopologyDiff diff(const TopologyDescription& before, const TopologyDescription& after) {
  TopologyDiff found;
  compare_stores(before, after, found.findings);
  compare_topics(before, after, found.findings);
  return found;
}

std::string to_text(const TopologyDiff& diff) {
  constexpr std::size_t kWidth = 14;
  std::string text;
  for (const Finding& finding : diff.findings) {
    std::string verdict(to_string(finding.verdict));
    verdict.resize(kWidth, ' ');
    text += verdict + finding.what + (finding.why.empty() ? "" : ": " + finding.why) + "\n";
  }
  return text;
}

}  // namespace penstock::topology
