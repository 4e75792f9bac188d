// GroupPlan says where in an event its group is, and which other fields are wanted: JSON Pointers,
// compiled.
//
// Threads   an immutable value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "schema/extract_plan.h"

namespace penstock::jobs {

class GroupPlan {
 public:
  // The pointers were checked: see check_pointer().
  GroupPlan(const std::vector<std::string>& group_by, const std::vector<std::string>& fields,
            const std::optional<std::string>& topic_key);

  // Group fields first, then the others.
  [[nodiscard]] const ExtractPlan& extract_plan() const { return extract_plan_; }

  [[nodiscard]] std::size_t group_size() const { return group_size_; }

  [[nodiscard]] std::size_t field_count() const { return extract_plan_.size() - group_size_; }

  // The group is the record's key, and nothing else of the event is needed: its JSON is not read.
  [[nodiscard]] bool is_key_only() const { return key_only_; }

 private:
  std::size_t group_size_;
  bool key_only_;
  ExtractPlan extract_plan_;
};

// The topic a job reads, as far as it matters where the events of a group are.
struct GroupedTopic {
  std::string name;
  std::optional<std::string> key;  // JSON Pointer of its key
  std::int32_t partition_count = 1;
};

// True if the events of a group are spread over partitions and have to be brought together: the
// topic's key is not among the group's fields, and there is more than one partition.
[[nodiscard]] bool needs_repartition(const GroupedTopic& topic,
                                     const std::vector<std::string>& group_by);

// What is wrong with a job's name, which becomes that of topics; kInvalid.
[[nodiscard]] Status check_name(const std::string& name, const std::string& topic);
[[nodiscard]] Status check_pointers(const std::vector<std::string>& pointers);

}  // namespace penstock::jobs
