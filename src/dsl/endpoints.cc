#include "dsl/endpoints.h"

#include <algorithm>

#include "core/units.h"
#include "record/partitioner.h"

namespace penstock::dsl {

namespace {

std::size_t size_of(const std::optional<ByteView>& bytes) {
  return bytes.has_value() ? bytes->size() : 0;
}

}  // namespace

void SourceBase::process(const topology::RecordSpan& records) {
  auto headers = records.headers.begin();
  for (std::size_t index = 0; index < records.size(); ++index) {
    runtime_.begin_record(records, index);
    const Timestamp timestamp = options_.timestamp == TimestampFrom::kWallClock
                                    ? Timestamp(runtime_.wall_now_ms())
                                    : records.timestamps[index];
    if (timestamp.value() < 0) {
      // As FailOnInvalidTimestamp would stop here; dropping is LogAndSkipOnInvalidTimestamp.
      runtime_.drop();
      continue;
    }
    runtime_.advance_stream_time(timestamp);
    if (headers != records.headers.end() && headers->offset == records.offsets[index]) {
      Headers decoded;
      for (const HeaderView& header : topology::decode_headers(*headers++)) {
        decoded.push_back({std::string(header.key),
                           header.value.has_value()
                               ? std::optional(Bytes(header.value->begin(), header.value->end()))
                               : std::nullopt});
      }
      process_one(records.keys[index], records.values[index], timestamp, &decoded);
    } else {
      process_one(records.keys[index], records.values[index], timestamp, nullptr);
    }
    runtime_.punctuate();
    if (runtime_.has_failed()) {
      return;
    }
  }
}

void SourceBase::reject(std::string_view what) {
  if (options_.malformed == Malformed::kDrop) {
    runtime_.drop();
    return;
  }
  const Error error(ErrorCode::kInvalid, "the " + std::string(what) + " cannot be decoded");
  runtime_.reject(ErrorKind::kDeserialization, step_, error);
}

SinkBase::SinkBase(TaskRuntime& runtime, const std::string& step,
                   const std::vector<std::string>& topics)
    : runtime_(runtime), step_(step), topics_(topics) {
  for (const std::string& topic : topics) {
    outputs_.push_back(&runtime.context().output(Graph::sink_name(step, topic)));
  }
}

std::optional<std::size_t> SinkBase::find(std::string_view topic) {
  const auto found = std::ranges::find(topics_, topic);
  if (found == topics_.end()) {
    runtime_.reject(ErrorKind::kProduction, step_,
                    Error(ErrorCode::kInvalid, "it writes to topic \"" + std::string(topic) +
                                                   "\", which it did not declare"));
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - topics_.begin());
}

void SinkBase::append(std::size_t topic, const KeyBytes& key, std::optional<ByteView> value,
                      Timestamp timestamp, const Headers* headers) {
  const std::size_t size = size_of(key.whole) + size_of(value);
  if (size > runtime_.record_bytes_max()) {
    runtime_.reject(
        ErrorKind::kProduction, step_,
        Error(ErrorCode::kInvalid, "the record for topic \"" + topics_[topic] +
                                       "\" is too large: " + format_bytes(size) + ", at most " +
                                       format_bytes(runtime_.record_bytes_max())));
    return;
  }
  headers_.clear();
  if (headers != nullptr) {
    for (const Header& header : *headers) {
      headers_.push_back({header.key, header.value.has_value()
                                          ? std::optional(ByteView(*header.value))
                                          : std::nullopt});
    }
  }
  topology::Output& output = *outputs_[topic];
  if (key.partition.has_value()) {
    output.append_to(*key.partition, timestamp, key.whole, value, headers_);
  } else if (key.partitioned.has_value()) {
    output.append_to(partition_for_key(*key.partitioned, output.partition_count()), timestamp,
                     key.whole, value, headers_);
  } else {
    output.append(timestamp, key.whole, value, headers_);
  }
}

}  // namespace penstock::dsl
