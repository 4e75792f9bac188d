// The rules for topics that every backend of the log port applies alike.
//
// Source: Kafka's Topic.validate: 1 to 249 of [a-zA-Z0-9._-], neither "." nor "..".
//
// Errors    kInvalid, with a sentence that names the topic and what is wrong
#pragma once

#include <string_view>

#include "core/result.h"
#include "log/types.h"

namespace penstock::log {

inline constexpr std::int32_t kPartitionCountMax = 10'000;

[[nodiscard]] Status check_topic_name(std::string_view name);
[[nodiscard]] Status check_topic_config(const TopicConfig& config);

// Whether ensure_topic(`wanted`) may use the topic as it is: same partitions, same cleanup policy.
[[nodiscard]] Status check_same_topic(const TopicConfig& existing, const TopicConfig& wanted);

// Whether a partition of the topic that ends at `end` may lose its records before `offset`.
// kInvalid: see Log::delete_records().
[[nodiscard]] Status check_deletion(const TopicConfig& config, Offset offset, Offset end);

}  // namespace penstock::log
