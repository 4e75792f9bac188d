#include "log/topic_rules.h"

#include <algorithm>
#include <string>

namespace penstock::log {
namespace {

constexpr std::size_t kNameSizeMax = 249;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

Error invalid(std::string_view name, std::string_view problem) {
  return {ErrorCode::kInvalid, "topic \"" + std::string(name) + "\" " + std::string(problem)};
}

}  // namespace

Status check_topic_name(std::string_view name) {
  if (name.empty() || name == "." || name == "..") {
    return invalid(name, "has no usable name");
  }
  if (name.size() > kNameSizeMax) {
    return invalid(name, "has a name of more than 249 characters");
  }
  if (!std::all_of(name.begin(), name.end(), is_name_character)) {
    return invalid(name, "has characters other than letters, digits, '.', '_' and '-' in its name");
  }
  return {};
}

Status check_topic_config(const TopicConfig& config) {
  PENSTOCK_TRY(check_topic_name(config.name));
  if (config.partition_count < 1 || config.partition_count > kPartitionCountMax) {
    return invalid(config.name, "must have 1 to " + std::to_string(kPartitionCountMax) +
                                    " partitions, not " + std::to_string(config.partition_count));
  }
  return {};
}

Status check_same_topic(const TopicConfig& existing, const TopicConfig& wanted) {
  if (existing.partition_count != wanted.partition_count) {
    return invalid(existing.name, "exists with " + std::to_string(existing.partition_count) +
                                      " partitions and cannot be given " +
                                      std::to_string(wanted.partition_count));
  }
  if (existing.cleanup != wanted.cleanup) {
    return invalid(existing.name, "exists with another cleanup policy (delete or compact)");
  }
  return {};
}

Status check_deletion(const TopicConfig& config, Offset offset, Offset end) {
  if (config.cleanup == CleanupPolicy::kCompact) {
    return invalid(config.name, "is compacted: its records go by their keys only");
  }
  if (offset > end) {
    return invalid(config.name, "ends at offset " + to_string(end) +
                                    " and cannot lose records up to " + to_string(offset));
  }
  return {};
}

}  // namespace penstock::log
