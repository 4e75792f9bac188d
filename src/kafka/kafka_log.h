// KafkaLog is the log port on an Apache Kafka cluster, through librdkafka.
//
//   auto log = kafka::open(options, clock, registry, logger);
//
// One idempotent producer for appends and for questions; a client of its own for each consumer and
// each transactional id. What is known of topics is kept for Options::topic_age_max.
//
// Why it is as it is: docs/adr/0019-kafka-as-the-log.md.
//
// Threads   see log/log.h
// Lifetime  clock, registry and logger outlive it
// Errors    of open()  kInvalid  the settings cannot be right, or this librdkafka is too old
//                      kRetry    no broker answers; the message says what was tried last
#pragma once

#include <memory>

#include "kafka/options.h"
#include "log/log.h"
#include "os/clock.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"

namespace penstock::kafka {

[[nodiscard]] Result<std::unique_ptr<log::Log>> open(const Options& options, const os::Clock& clock,
                                                     telemetry::Registry& registry,
                                                     telemetry::Logger& logger);

}  // namespace penstock::kafka
