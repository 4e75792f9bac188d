#include "dsl/error_sink.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/check.h"

namespace penstock::dsl {

namespace {

std::string place_of(const ErrorContext& at) {
  const std::string step = "step " + std::string(at.step) + ", task " + to_string(at.task);
  if (at.source.topic.empty()) {
    return step + ", in a punctuation";
  }
  return step + ", topic \"" + std::string(at.source.topic) + "\", partition " +
         to_string(at.source.partition) + ", offset " + to_string(at.source.offset);
}

std::vector<HeaderView> headers_of(const SourceRecord& record) {
  const auto& headers = record.records->headers;
  const auto found = std::ranges::find(headers, record.records->offsets[record.index],
                                       &topology::RecordHeaders::offset);
  return found == headers.end() ? std::vector<HeaderView>() : topology::decode_headers(*found);
}

}  // namespace

Status ErrorSink::handle(ErrorKind kind, std::string_view step, const SourceRecord& record,
                         const Error& error) {
  const ErrorContext at = context_of(step, record);
  switch (handler_for(kind)(at, error)) {
    case ErrorResponse::kFail:
      return Error(ErrorCode::kInvalid, error.message()).with(place_of(at));
    case ErrorResponse::kContinue:
      ++context_.counts().dropped;
      return {};
    case ErrorResponse::kRetry:
      return Error(ErrorCode::kAbortTxn, error.message()).with(place_of(at));
    case ErrorResponse::kDeadLetter:
      return write_dead_letter(at, record, error);
  }
  check_failed("unknown ErrorResponse", __FILE__, __LINE__);
}

ErrorContext ErrorSink::context_of(std::string_view step, const SourceRecord& record) const {
  if (record.records == nullptr) {
    return {{}, context_.stream_time(), step, context_.task()};
  }
  const topology::RecordSpan& records = *record.records;
  return {{records.topic, records.from.partition, records.offsets[record.index]},
          records.timestamps[record.index],
          step,
          context_.task()};
}

const ErrorHandler& ErrorSink::handler_for(ErrorKind kind) const {
  switch (kind) {
    case ErrorKind::kDeserialization:
      return handlers_.deserialization;
    case ErrorKind::kProcessing:
      return handlers_.processing;
    case ErrorKind::kProduction:
      return handlers_.production;
  }
  check_failed("unknown ErrorKind", __FILE__, __LINE__);
}

Status ErrorSink::write_dead_letter(const ErrorContext& at, const SourceRecord& record,
                                    const Error& error) {
  const auto fail = [&](const std::string& why) {
    return Error(ErrorCode::kInvalid, error.message() + " (" + why + ")").with(place_of(at));
  };
  if (dead_letters_ == nullptr) {
    return fail("there is no dead letter topic: set ErrorHandlers::dead_letter_topic");
  }
  ByteView key;
  ByteView value;
  std::vector<HeaderView> headers;
  if (record.records != nullptr) {
    key = record.records->keys[record.index];
    value = record.records->values[record.index];
    headers = headers_of(record);
  }
  if (key.size() + value.size() > handlers_.record_bytes_max) {
    return fail("the record is too large for a dead letter");
  }
  const std::string partition = to_string(at.source.partition);
  const std::string offset = to_string(at.source.offset);
  const std::string place = place_of(at);
  headers.push_back({"__streams.errors.exception", as_bytes(to_string(error.code()))});
  headers.push_back({"__streams.errors.message", as_bytes(error.message())});
  headers.push_back({"__streams.errors.stacktrace", as_bytes(place)});
  headers.push_back({"__streams.errors.topic", as_bytes(at.source.topic)});
  headers.push_back({"__streams.errors.partition", as_bytes(partition)});
  headers.push_back({"__streams.errors.offset", as_bytes(offset)});
  dead_letters_->append(at.timestamp, topology::to_optional(key), topology::to_optional(value),
                        headers);
  ++context_.counts().dead_lettered;
  return {};
}

}  // namespace penstock::dsl
