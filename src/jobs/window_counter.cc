#include "jobs/window_counter.h"

#include <algorithm>

namespace penstock::jobs {

using store::AggregateLayout;
using store::WindowStore;

WindowCounter::WindowCounter(const AggregatePlan& plan, WindowStore& store)
    : plan_(plan), store_(store), reader_(plan.group()) {}

void WindowCounter::count(const topology::RecordSpan& records, topology::RecordCounts& counts) {
  reader_.read(records);
  const store::TumblingWindows& windows = store_.windows();
  Timestamp stream_time = records.stream_time;
  // The window of the event before; most events lie in the same one.
  Timestamp start{0};
  Timestamp end{0};
  for (std::size_t index = 0; index < records.size(); ++index) {
    const Timestamp timestamp = records.timestamps[index];
    if (!reader_.group(index).has_value() || !store::is_in_range(timestamp)) [[unlikely]] {
      ++counts.dropped;
      continue;
    }
    stream_time = std::max(stream_time, timestamp);
    if (timestamp < start || timestamp >= end) {
      start = windows.start_of(timestamp);
      end = windows.end_of(start);
    }
    if (windows.is_closed(start, stream_time)) [[unlikely]] {
      ++counts.late;
      continue;
    }
    if (start < store_.dropped_before()) [[unlikely]] {
      ++counts.expired;
      continue;
    }
    group_.slots[group_.count] = {*reader_.group(index), start};
    group_.records[group_.count] = index;
    if (++group_.count == group_.slots.size()) {
      add_group(counts);
    }
  }
  add_group(counts);
  if (stream_time != store::kNoStreamTime) {
    store_.advance_stream_time(stream_time);
  }
}

void WindowCounter::add_group(topology::RecordCounts& counts) {
  std::array<std::uint64_t*, WindowStore::kGroupSize> cells;
  store_.upsert(std::span(group_.slots).first(group_.count), cells);
  for (std::size_t index = 0; index < group_.count; ++index) {
    ++cells[index][AggregateLayout::kRecordsCell];
    if (plan_.group().field_count() > 0) {
      add_fields(cells[index], group_.records[index], counts);
    }
  }
  group_.count = 0;
}

void WindowCounter::add_fields(std::uint64_t* cells, std::size_t record,
                               topology::RecordCounts& counts) {
  const std::span<const JsonValue> fields = reader_.fields(record);
  for (std::size_t field = 0; field < fields.size(); ++field) {
    if (const std::optional<store::InputNumber> number = number_of(fields[field])) {
      store_.layout().add(cells, field, *number);
    } else if (fields[field].type != JsonType::kMissing && fields[field].type != JsonType::kNull) {
      ++counts.ignored_values;
    }
  }
}

}  // namespace penstock::jobs
