#include "topology/record_span.h"

namespace penstock::topology {

ByteView empty_bytes() {
  static constexpr std::byte kNothing{};
  return {&kNothing, 0};
}

void RecordColumns::clear() {
  offsets_.clear();
  timestamps_.clear();
  keys_.clear();
  values_.clear();
}

void RecordColumns::reserve(std::size_t count) {
  offsets_.reserve(count);
  timestamps_.reserve(count);
  keys_.reserve(count);
  values_.reserve(count);
}

RecordSpan RecordColumns::span(TopicPartition from, Timestamp stream_time, std::size_t begin,
                               std::size_t end) const {
  const std::size_t count = end - begin;
  return {from,
          stream_time,
          std::nullopt,
          std::span(offsets_).subspan(begin, count),
          std::span(timestamps_).subspan(begin, count),
          std::span(keys_).subspan(begin, count),
          std::span(values_).subspan(begin, count)};
}

}  // namespace penstock::topology
