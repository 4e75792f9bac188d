// EventReader reads a topic's events for an answer: a page of some ranges of partitions, at most so
// many records and bytes, as lines of NDJSON; or record by record.
//
// It owns one consumer without a group, so that reading leaves no trace in the log. Compacted
// topics and transactions leave gaps between offsets; a page goes over them.
//
// Threads   belongs to one thread, the console's worker; read() may wait up to `wait_max` for a log
//           that is not on this machine.
// Lifetime  `log` and `clock` outlive it.
// Errors    of the log, see log/log.h
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "console/event_line.h"
#include "core/result.h"
#include "core/unique_function.h"
#include "core/units.h"
#include "log/log.h"
#include "os/clock.h"

namespace penstock::console {

// Half-open: begin <= offset < end.
struct OffsetRange {
  TopicPartition partition;
  Offset begin;
  Offset end;
};

struct EventQuery {
  std::vector<OffsetRange> ranges;  // read one after the other
  std::uint32_t limit = 100;        // records
  ValueForm values = ValueForm::kPlain;
};

struct EventPage {
  std::string lines;
  std::vector<Offset> next;  // of each range, where the next page goes on
};

class EventReader {
 public:
  struct Options {
    std::size_t page_bytes_max = 4 * kMiB;  // of lines; one event more may begin before it
    std::size_t poll_bytes = 256 * kKiB;
    std::chrono::milliseconds wait_max{5000};
  };

  EventReader(log::Log& log, const os::Clock& clock, Options options);

  // False: this record was the last one that is wanted.
  using Visitor = UniqueFunction<bool(const RecordView&)>;

  [[nodiscard]] Result<EventPage> read(const EventQuery& query);
  // Shows `visit` the records of the range in order; returns where it stopped.
  [[nodiscard]] Result<Offset> scan(const OffsetRange& range, Visitor visit);

 private:
  [[nodiscard]] Status ensure_consumer();
  [[nodiscard]] Result<Offset> scan_range(const OffsetRange& range, Visitor& visit);
  // Where reading goes on; sets `stopped` if nothing more is wanted.
  [[nodiscard]] Result<Offset> scan_batch(const log::FetchedBatch& batch, const OffsetRange& range,
                                          Offset position, Visitor& visit, bool& stopped);

  log::Log& log_;
  const os::Clock& clock_;
  const Options options_;
  std::unique_ptr<log::Consumer> consumer_;
  EventLineWriter writer_;
};

}  // namespace penstock::console
