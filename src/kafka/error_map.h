// What went wrong in librdkafka, as the code that names our caller's reaction.
//
// librdkafka knows some 200 errors; here each of them becomes one of ours, in one function, so that
// nobody else has to know them. The name of librdkafka's error stays in the message.
//
//   kRetry     brokers are away, slow, moving leaders or coordinators; quotas; not enough replicas
//   kBusy      a local queue is full
//   kInvalid   the request, the settings or the rights are wrong: a person has to do something
//   kNotFound  no such topic, partition or group
//   kAbortTxn  this transaction is lost, the producer is not
//   kFenced    somebody else has our transactional id, our member id or our generation
//   kCorrupt   the data that came cannot be decoded
//   kFatal     everything else, among it all that only a bug could cause
#pragma once

#include <string_view>

#include <librdkafka/rdkafka.h>

#include "core/result.h"
#include "kafka/handles.h"

namespace penstock::kafka {

[[nodiscard]] ErrorCode reaction_to(rd_kafka_resp_err_t code);

// "what: librdkafka's description (its name)".
[[nodiscard]] Error to_error(rd_kafka_resp_err_t code, std::string_view what);

// The same for errors that also say what may still be done: fencing first, then fatal, then abort,
// then retry, as rdkafka.h demands of transactional producers.
[[nodiscard]] Error to_error(const rd_kafka_error_t& error, std::string_view what);

// OK where librdkafka answers null.
[[nodiscard]] Status to_status(ErrorHandle error, std::string_view what);
[[nodiscard]] Status to_status(rd_kafka_resp_err_t code, std::string_view what);

}  // namespace penstock::kafka
