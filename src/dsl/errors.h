// ErrorHandlers say what happens with a record that cannot be read, processed or written.
//
// Kafka Streams' handlers (KIP-161, KIP-210, KIP-1033, KIP-1034), one setting for a topology:
//
//   StreamBuilder builder({
//       .application_id = "shop",
//       .errors = {.deserialization = ErrorResponse::kDeadLetter,
//                  .processing = [](const ErrorContext& at, const Error& error) {
//                    return error.code() == ErrorCode::kRetry ? ErrorResponse::kRetry
//                                                             : ErrorResponse::kDeadLetter;
//                  },
//                  .dead_letter_topic = "shop-dead-letters"}});
//
//   deserialization  Serde<T>::decode() gave nothing
//   processing       a function of the program returned an Error, or a processor rejected a record
//   production       a record is too large, or goes to a topic that its step did not declare
//
// A dead letter is part of the transaction: it is there exactly once, if the record's other effects
// are. It has key, value, headers and timestamp of the record that was read, and these headers
// besides: __streams.errors.exception (the error's code), .message, .stacktrace (step and task:
// there is no other trace), .topic, .partition, .offset.
//
// Threads   handlers are called from the stream threads, from several at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"
#include "core/units.h"
#include "dsl/record.h"
#include "topology/processor.h"

namespace penstock::dsl {

enum class ErrorResponse : std::uint8_t {
  kFail,        // stop the topology: the default everywhere, as in Kafka Streams
  kContinue,    // count the record as dropped and go on with the next
  kRetry,       // take the transaction back, and process the same records again after a pause
  kDeadLetter,  // write the record to the dead letter topic and go on with the next
};

// Where an error happened.
struct ErrorContext {
  RecordMetadata source;  // the record that was read; no topic in punctuations
  Timestamp timestamp;
  std::string_view step;
  topology::TaskId task;
};

// The same answer always, or a function that decides.
class ErrorHandler {
 public:
  using Decide = std::function<ErrorResponse(const ErrorContext&, const Error&)>;

  ErrorHandler(ErrorResponse response) : response_(response) {}  // NOLINT: a setting

  template <typename Function>

  requires std::is_invocable_r_v<ErrorResponse, Function&, const ErrorContext&, const Error&>
  ErrorHandler(Function decide) : decide_(std::move(decide)) {}  // NOLINT: a setting

  [[nodiscard]] ErrorResponse operator()(const ErrorContext& context, const Error& error) const {
    return decide_ ? decide_(context, error) : response_;
  }

  [[nodiscard]] bool is(ErrorResponse response) const { return !decide_ && response_ == response; }

 private:
  ErrorResponse response_ = ErrorResponse::kFail;
  Decide decide_;
};

struct ErrorHandlers {
  ErrorHandler deserialization = ErrorResponse::kFail;
  ErrorHandler processing = ErrorResponse::kFail;
  ErrorHandler production = ErrorResponse::kFail;
  // Exists before the topology starts, as other outputs do. Empty: there are no dead letters.
  std::string dead_letter_topic = {};
  // A record that is written with more bytes than this is an error of production.
  std::size_t record_bytes_max = 8 * kMiB;
};

}  // namespace penstock::dsl
