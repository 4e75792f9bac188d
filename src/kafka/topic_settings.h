// How a topic of ours is configured in Kafka, and whether one that exists will do.
//
// Errors    kInvalid, with a sentence that says what to do
#pragma once

#include <map>
#include <string>

#include "core/result.h"
#include "kafka/admin.h"
#include "kafka/options.h"
#include "log/types.h"

namespace penstock::kafka {

// All settings of a topic that is to be made.
[[nodiscard]] std::map<std::string, std::string> settings_for_new_topic(
    const log::TopicConfig& config, const Options& options);
// Those that may be changed later.
[[nodiscard]] std::map<std::string, std::string> retention_settings(const log::TopicConfig& config);

// kInvalid if the brokers say what cannot be read. `name` is the port's.
[[nodiscard]] Result<log::TopicConfig> config_of(const TopicState& state, std::string name);

// Whether ensure_topic(`wanted`) may use the topic as it is.
[[nodiscard]] Status check_topic(const log::TopicConfig& existing, const TopicState& state,
                                 const log::TopicConfig& wanted, const Options& options);

}  // namespace penstock::kafka
