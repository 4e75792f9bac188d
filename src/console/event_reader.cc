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
  std::uint32_t left = query.limit;
  const auto is_used_up = [&] { return left == 0 || page.lines.size() >= options_.page_bytes_max; };
  for (const OffsetRange& range : query.ranges) {
    Visitor visit = [&](const RecordView& record) {
      writer_.append(page.lines, range.partition.partition, record, query.values);
      --left;
      return !is_used_up();
    };
    Offset next = range.begin;
    if (!is_used_up()) {
      PENSTOCK_TRY_ASSIGN(next, scan_range(range, visit));
    }
    page.next.push_back(next);
  }
  PENSTOCK_TRY(consumer_->assign({}));  // lets go of the log's memory
  return page;
}

Result<Offset> EventReader::scan(const OffsetRange& range, Visitor visit) {
  PENSTOCK_TRY(ensure_consumer());
  PENSTOCK_TRY_ASSIGN(const Offset next, scan_range(range, visit));
  PENSTOCK_TRY(consumer_->assign({}));
  return next;
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

Result<Offset> EventReader::scan_range(const OffsetRange& range, Visitor& visit) {
  Offset position = range.begin;
  if (position >= range.end) {
    return position;
  }
  PENSTOCK_TRY(consumer_->assign({{range.partition, position}}));
  os::TimePoint deadline = clock_.now() + options_.wait_max;
  for (bool stopped = false; position < range.end && !stopped;) {
    PENSTOCK_TRY_ASSIGN(const log::Consumer::Polled polled, consumer_->poll(options_.poll_bytes));
    for (const log::FetchedBatch& batch : polled.batches) {
      PENSTOCK_TRY_ASSIGN(position, scan_batch(batch, range, position, visit, stopped));
      if (stopped) {
        break;
      }
    }
    const os::TimePoint now = clock_.now();
    if (!polled.batches.empty()) {
      deadline = now + options_.wait_max;
    } else if (now >= deadline) {
      break;
    } else {
      consumer_->wait(std::chrono::duration_cast<std::chrono::microseconds>(deadline - now));
    }
  }
  return position;
}

Result<Offset> EventReader::scan_batch(const log::FetchedBatch& fetched, const OffsetRange& range,
                                       Offset position, Visitor& visit, bool& stopped) {
  PENSTOCK_TRY_ASSIGN(const RecordBatchView batch,
                      RecordBatchView::parse(fetched.bytes, RecordBatchView::Verify::kHeaderOnly));
  if (!batch.is_control()) {
    RecordReader reader(batch);
    for (RecordView record; reader.next(record);) {
      if (record.offset < position) {
        continue;
      }
      stopped = record.offset >= range.end;
      if (stopped) {
        return record.offset;
      }
      position = record.offset + 1;
      stopped = !visit(record);
      if (stopped) {
        return position;
      }
    }
    PENSTOCK_TRY(reader.status());
  }
  return std::max(position, batch.last_offset() + 1);
}

}  // namespace penstock::console
