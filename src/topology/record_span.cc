#include "topology/record_span.h"

#include <algorithm>

#include "record/internal_headers.h"

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
  headers_.clear();
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
          {},
          stream_time,
          std::nullopt,
          std::span(offsets_).subspan(begin, count),
          std::span(timestamps_).subspan(begin, count),
          std::span(keys_).subspan(begin, count),
          std::span(values_).subspan(begin, count),
          headers_of(begin, end)};
}

std::span<const RecordHeaders> RecordColumns::headers_of(std::size_t begin, std::size_t end) const {
  if (headers_.empty() || begin == end) {
    return {};
  }
  const auto first =
      std::ranges::lower_bound(headers_, offsets_[begin], {}, &RecordHeaders::offset);
  const auto last = std::ranges::upper_bound(first, headers_.end(), offsets_[end - 1], {},
                                             &RecordHeaders::offset);
  return {first, last};
}

std::vector<HeaderView> decode_headers(const RecordHeaders& headers) {
  RecordView record;
  record.header_count = headers.count;
  record.header_bytes = headers.bytes;
  std::vector<HeaderView> decoded;
  HeaderReader reader(record);
  for (HeaderView header; reader.next(header);) {
    if (!is_internal_header(header.key)) {
      decoded.push_back(header);
    }
  }
  return decoded;
}

}  // namespace penstock::topology
