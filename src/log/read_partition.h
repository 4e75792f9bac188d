// Reads what a partition holds at this moment, from its start to its end, before anything else is
// done: for those who keep their progress in a small topic and learn it when they start.
//
// Blocks until all of it is there. Needs a log whose consumers deliver without being driven.
//
// Errors    what the log gives, and the first error of `visit`, which ends it
#pragma once

#include <string>

#include "core/result.h"
#include "core/unique_function.h"
#include "log/log.h"
#include "record/record_batch.h"

namespace penstock::log {

// `name` is the consumer's, for metrics and logs.
[[nodiscard]] Status read_partition(Log& log, TopicPartition partition, std::string name,
                                    UniqueFunction<Status(const RecordView&)> visit);

}  // namespace penstock::log
