#include "dsl/endpoints.h"

#include <algorithm>

#include "record/partitioner.h"

namespace penstock::dsl {

void SourceBase::process(const topology::RecordSpan& records) {
  auto headers = records.headers.begin();
  for (std::size_t index = 0; index < records.size(); ++index) {
    runtime_.set_metadata({records.topic, records.from.partition, records.offsets[index]});
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
  const RecordMetadata& at = runtime_.metadata();
  runtime_.fail(Error(ErrorCode::kInvalid, "topic \"" + std::string(at.topic) + "\", partition " +
                                               to_string(at.partition) + ", offset " +
                                               to_string(at.offset) + ": the " + std::string(what) +
                                               " cannot be decoded"));
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
    runtime_.fail(Error(ErrorCode::kInvalid, "step \"" + step_ + "\" writes to topic \"" +
                                                 std::string(topic) +
                                                 "\", which it did not declare"));
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - topics_.begin());
}

void SinkBase::append(std::size_t topic, const KeyBytes& key, std::optional<ByteView> value,
                      Timestamp timestamp, const Headers* headers) {
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
