#include "console/event_reader.h"

#include <algorithm>
#include <utility>

#include "record/record_batch.h"

namespace penstock::console {

EventReader::EventReader(log::Log& log, const os::Clock& clock, Options options)
    : log_(log), clock_(clock), options_(options) {}

Result<EventPage> EventReader::read(const EventQuery& query) {
  PENSTOCK_TRY(ensure_consumer());
  EventPage page;
  Budget budget{query.limit, query.values, page.lines};
  for (const OffsetRange& range : query.ranges) {
    PENSTOCK_TRY_ASSIGN(const Offset next, read_range(range, budget));
    page.next.push_back(next);
  }
  PENSTOCK_TRY(consumer_->assign({}));  // lets go of the log's memory
  return page;
}

Status EventReader::ensure_consumer() {
  if (consumer_ == nullptr) {
    PENSTOCK_TRY_ASSIGN(
        consumer_,
        log_.open_consumer(
            {.name = "console", .group_id = std::nullopt, .topics = {}, .instance_id = ""}));
  }
  return {};
}

bool EventReader::is_used_up(const Budget& budget) const {
  return budget.records == 0 || budget.lines.size() >= options_.page_bytes_max;
}

Result<Offset> EventReader::read_range(const OffsetRange& range, Budget& budget) {
  Offset position = range.begin;
  if (position >= range.end || is_used_up(budget)) {
    return position;
  }
  PENSTOCK_TRY(consumer_->assign({{range.partition, position}}));
  const os::TimePoint deadline = clock_.now() + options_.wait_max;
  while (position < range.end && !is_used_up(budget)) {
    PENSTOCK_TRY_ASSIGN(const log::Consumer::Polled polled, consumer_->poll(options_.poll_bytes));
    for (const log::FetchedBatch& batch : polled.batches) {
      PENSTOCK_TRY_ASSIGN(position, append_batch(batch, range, position, budget));
    }
    if (polled.batches.empty()) {
      const os::TimePoint now = clock_.now();
      if (now >= deadline) {
        break;
      }
      consumer_->wait(std::chrono::duration_cast<std::chrono::microseconds>(deadline - now));
    }
  }
  return position;
}

Result<Offset> EventReader::append_batch(const log::FetchedBatch& fetched, const OffsetRange& range,
                                         Offset position, Budget& budget) {
  PENSTOCK_TRY_ASSIGN(const RecordBatchView batch,
                      RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kHeaderOnly));
  if (is_used_up(budget)) {
    return position;
  }
  if (!batch.is_control()) {
    RecordReader reader(batch);
    for (RecordView record; reader.next(record);) {
      if (record.offset >= range.end || is_used_up(budget)) {
        return std::max(position, record.offset);
      }
      if (record.offset >= position) {
        writer_.append(budget.lines, range.partition.partition, record, budget.values);
        --budget.records;
        position = record.offset + 1;
      }
    }
    PENSTOCK_TRY(reader.status());
  }
  return std::max(position, batch.last_offset() + 1);
}

}  // namespace penstock::console
