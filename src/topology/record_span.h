// RecordSpan is a run of records of one partition, as columns: what processors work on.
//
// Columns, because most processors look at one or two fields of many records; a run, because a
// virtual call per record would cost more than the work (docs/adr/0013-processors-on-batches.md).
// RecordColumns owns such columns: the engine decodes into one, and a processor that makes new
// records collects them in its own and forwards its span().
//
// Lifetime  neither owns the bytes of keys and values: a span handed to Processor::process() and
//           all it points to is valid during the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "record/record_batch.h"
#include "record/types.h"

namespace penstock::topology {

// A key or value that may be null, as one view: null has no address.
[[nodiscard]] inline bool is_null(ByteView bytes) {
  return bytes.data() == nullptr;
}

// An empty key or value is not null: it has this address.
[[nodiscard]] ByteView empty_bytes();

[[nodiscard]] inline ByteView from_optional(const std::optional<ByteView>& bytes) {
  return !bytes.has_value() ? ByteView() : is_null(*bytes) ? empty_bytes() : *bytes;
}

[[nodiscard]] inline std::optional<ByteView> to_optional(ByteView bytes) {
  return is_null(bytes) ? std::nullopt : std::optional(bytes);
}

// The headers of one record, not decoded: see HeaderReader.
struct RecordHeaders {
  Offset offset;
  std::uint32_t count = 0;
  ByteView bytes;
};

struct RecordSpan {
  TopicPartition from;
  std::string_view topic;  // the name of `from.topic`
  // The largest timestamp of `from` before the first of these records: its stream time.
  Timestamp stream_time;
  // When they were accepted, in microseconds since the epoch, if that is known.
  std::optional<std::int64_t> ingest_us;
  // All of the same size. The offsets ascend, not always by one.
  std::span<const Offset> offsets;
  std::span<const Timestamp> timestamps;
  std::span<const ByteView> keys;    // see is_null()
  std::span<const ByteView> values;  // see is_null()
  // Of those records that have headers (other than Penstock's own); ascending.
  std::span<const RecordHeaders> headers;

  [[nodiscard]] std::size_t size() const { return offsets.size(); }
};

class RecordColumns {
 public:
  void clear();
  void reserve(std::size_t count);

  void push_back(Offset offset, Timestamp timestamp, ByteView key, ByteView value) {
    offsets_.push_back(offset);
    timestamps_.push_back(timestamp);
    keys_.push_back(key);
    values_.push_back(value);
  }

  // Of the record pushed last.
  void add_headers(std::uint32_t count, ByteView bytes) {
    headers_.push_back({offsets_.back(), count, bytes});
  }

  [[nodiscard]] std::size_t size() const { return offsets_.size(); }

  [[nodiscard]] const std::vector<Timestamp>& timestamps() const { return timestamps_; }

  [[nodiscard]] const std::vector<Offset>& offsets() const { return offsets_; }

  // Records [begin, end).
  [[nodiscard]] RecordSpan span(TopicPartition from, Timestamp stream_time, std::size_t begin,
                                std::size_t end) const;

 private:
  [[nodiscard]] std::span<const RecordHeaders> headers_of(std::size_t begin, std::size_t end) const;

  std::vector<Offset> offsets_;
  std::vector<Timestamp> timestamps_;
  std::vector<ByteView> keys_;
  std::vector<ByteView> values_;
  std::vector<RecordHeaders> headers_;
};

// Those that are not Penstock's own, in order; the views point into `headers.bytes`.
[[nodiscard]] std::vector<HeaderView> decode_headers(const RecordHeaders& headers);

}  // namespace penstock::topology
