#include "dsl/owned_source.h"

#include <algorithm>

namespace penstock::dsl {

namespace {

// A copy in `to`; null stays null.
ByteView kept(ByteView bytes, Bytes& to) {
  if (topology::is_null(bytes)) {
    return {};
  }
  to.assign(bytes.begin(), bytes.end());
  return to.empty() ? topology::empty_bytes() : ByteView(to);
}

}  // namespace

OwnedSource::OwnedSource(const SourceRecord& record) : is_record_(record.records != nullptr) {
  if (!is_record_) {
    return;
  }
  const topology::RecordSpan& from = *record.records;
  topic_ = from.topic;
  offset_ = from.offsets[record.index];
  timestamp_ = from.timestamps[record.index];
  key_view_ = kept(from.keys[record.index], key_);
  value_view_ = kept(from.values[record.index], value_);
  span_.from = from.from;
  span_.topic = topic_;
  span_.stream_time = from.stream_time;
  span_.offsets = {&offset_, 1};
  span_.timestamps = {&timestamp_, 1};
  span_.keys = {&key_view_, 1};
  span_.values = {&value_view_, 1};
  const auto headers = std::ranges::find(from.headers, offset_, &topology::RecordHeaders::offset);
  if (headers != from.headers.end()) {
    headers_ = *headers;
    headers_.bytes = kept(headers->bytes, header_bytes_);
    span_.headers = {&headers_, 1};
  }
}

}  // namespace penstock::dsl
