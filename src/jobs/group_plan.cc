#include "jobs/group_plan.h"

#include <algorithm>

#include "core/check.h"
#include "schema/json_pointer.h"

namespace penstock::jobs {

GroupPlan::GroupPlan(const std::vector<std::string>& group_by,
                     const std::vector<std::string>& fields,
                     const std::optional<std::string>& topic_key)
    : group_size_(group_by.size()),
      key_only_(fields.empty() && group_by.size() == 1 && topic_key == group_by.front()) {
  std::vector<JsonPointer> pointers;
  for (const auto* texts : {&group_by, &fields}) {
    for (const std::string& text : *texts) {
      auto pointer = JsonPointer::parse(text);
      PENSTOCK_CHECK(pointer.has_value());
      pointers.push_back(*std::move(pointer));
    }
  }
  extract_plan_ = ExtractPlan::compile(pointers);
}

bool needs_repartition(const GroupedTopic& topic, const std::vector<std::string>& group_by) {
  const bool by_key =
      topic.key.has_value() && std::ranges::find(group_by, *topic.key) != group_by.end();
  return !by_key && topic.partition_count > 1;
}

Status check_name(const std::string& name, const std::string& topic) {
  if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789._-") != std::string::npos) {
    return Error(ErrorCode::kInvalid, "the name may only have letters, digits, '.', '_' and '-'");
  }
  if (name == topic) {
    return Error(ErrorCode::kInvalid, "its name must differ from that of its topic");
  }
  return {};
}

Status check_pointers(const std::vector<std::string>& pointers) {
  for (const std::string& text : pointers) {
    const auto pointer = JsonPointer::parse(text);
    if (!pointer) {
      return pointer.error();
    }
  }
  return {};
}

}  // namespace penstock::jobs
