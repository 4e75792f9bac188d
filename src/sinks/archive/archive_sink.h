// ArchiveSink copies topics from the log into Parquet files, each record exactly once.
//
// It keeps no position but the names of its files, which say what offsets they hold. So whatever
// happens, the archive goes on after the last offset it has. Where the files are is the business of
// an ArchiveStore. Format: docs/formats/archive.md.
//
// A partition is left to the log, which has it safe anyway, until enough of it waits for a file or
// its oldest record waits for `roll_interval`. Then that partition is read and written in one go:
//
//   waiting --due--> writing (file, file, ...) --all that was there when it began--> waiting
//
// So memory is that of one row group, however many partitions there are.
//
// Topics may come into being at any time: those that `takes` wants are found when it opens, every
// `discover_interval`, and once more for the finish.
//
// Invariants
//   I1  The published ranges of a partition join without gap or overlap.
//   I2  A file holds records of one hour of ingest time.
//   I3  What a store says has been begun (ArchiveClaim) becomes a file of just that range.
// While its circuit breaker is open the store is left alone; what waits is safe in the log.
//
// Threads   one, but wake(), interrupt() and the metrics from any.
// Lifetime  all references outlive it. Destroyed while writing, the unfinished file is dropped.
// Errors    A failed file is dropped and written again later: nothing is lost, and run_once() says
//           so once per attempt. Others that run_once() returns for good, until the sink is opened
//           again: kFatal, where it is unknown whether the last file counts.
//           kInvalid  from open: the files of the archive contradict each other or the log
//           kBusy     from open: another process has the archive open
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/circuit_breaker.h"
#include "core/mailbox.h"
#include "core/result.h"
#include "core/units.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "sinks/archive/archive_file.h"
#include "sinks/archive/archive_store.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"

namespace penstock::sinks {

class ArchiveSink {
 public:
  struct Options {
    std::function<bool(const log::TopicInfo&)> takes;  // which topics; not compacted ones
    std::uint64_t file_rows_max = 1'000'000;
    std::uint64_t file_size_max = 128 * kMiB;  // of keys, values and headers, before compression
    std::chrono::milliseconds roll_interval{60'000};
    std::uint64_t memory_max = 256 * kMiB;
    std::chrono::milliseconds survey_interval{100};  // how often the log is asked what is new
    std::chrono::milliseconds discover_interval{1'000};
    std::chrono::milliseconds retry_interval{1'000};
    CircuitBreaker::Options breaker;
  };

  struct Surroundings {
    log::Log& log;
    os::FileSystem& files;  // where files are written until they are published
    telemetry::Registry& registry;
    telemetry::Logger& logger;
  };

  // Opens the store, removes leftovers and finds out where to go on.
  [[nodiscard]] static Result<std::unique_ptr<ArchiveSink>> open(
      const Surroundings& surroundings, std::unique_ptr<ArchiveStore> store, Options options,
      os::TimePoint now);
  ~ArchiveSink();
  ArchiveSink(const ArchiveSink&) = delete;
  ArchiveSink& operator=(const ArchiveSink&) = delete;

  // One step: at most one poll of the log. Returns how many records it took; 0: nothing was due.
  [[nodiscard]] Result<std::uint64_t> run_once(os::TimePoint now);

  // From now on nothing waits: what is in the log at this moment is archived by run_once() as fast
  // as it can. For a graceful stop: call run_once() until finished(), also after an error, which is
  // that of a new topic that cannot be archived or whose end is not known.
  [[nodiscard]] Status request_finish(os::TimePoint now);
  [[nodiscard]] bool finished() const;

  // Returns when time is up or after wake().
  void wait(std::chrono::microseconds timeout) { wakes_.wait(timeout); }

  void wake() { wakes_.wake(); }  // from any thread

  // Ends what waits for the store: the process stops now. From any thread.
  void interrupt() { store_->interrupt(); }

  // Where the archive of a partition ends: everything before it is published.
  [[nodiscard]] Offset next_offset(const std::string& topic, PartitionId partition) const;

 private:
  struct Topic;
  struct Partition;
  struct Round;

  ArchiveSink(const Surroundings& surroundings, std::unique_ptr<ArchiveStore> store,
              Options options);

  // Finds the topics that are new in the log; one that cannot be added does not keep out others.
  [[nodiscard]] Status discover(os::TimePoint now);
  [[nodiscard]] Status add_topic(const log::TopicInfo& info);
  [[nodiscard]] Status start_partition(Partition& partition,
                                       const std::optional<ArchivedPartition>& archived);
  [[nodiscard]] Status survey(os::TimePoint now);
  // Where the log ends; where the archive does if the topic is no longer there.
  [[nodiscard]] Status find_ends();
  [[nodiscard]] Result<Offset> log_end(const Partition& partition) const;
  [[nodiscard]] bool is_due(const Partition& partition, os::TimePoint now) const;
  [[nodiscard]] Partition* next_due(os::TimePoint now);
  [[nodiscard]] Status begin_round(Partition& partition, os::TimePoint now);
  [[nodiscard]] Status look_up(Partition& partition);
  [[nodiscard]] Result<std::uint64_t> step(os::TimePoint now);
  void end_round();
  void end_call(CircuitBreaker::Outcome outcome, os::TimePoint now);
  [[nodiscard]] Status take_batch(const log::FetchedBatch& fetched);
  [[nodiscard]] Status take_record(const RecordView& record);
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] Status end_claim_before(Offset offset);
  [[nodiscard]] Status ensure_file(HourIndex hour);
  [[nodiscard]] Status publish_up_to(Offset next);
  [[nodiscard]] Status skip_missing(Partition& partition, Offset start);
  void report_missing(const Partition& partition, OffsetRange range);
  // What a failed round leads to.
  [[nodiscard]] Result<std::uint64_t> put_off(Partition& partition, const Error& error,
                                              os::TimePoint now);
  void update_lag(os::TimePoint now);

  log::Log& log_;
  os::FileSystem& files_;
  telemetry::Registry& registry_;
  telemetry::Logger& logger_;
  const std::unique_ptr<ArchiveStore> store_;
  telemetry::Gauge& memory_;
  telemetry::Gauge& breaker_state_;
  const Options options_;
  CircuitBreaker breaker_;
  std::optional<CircuitBreaker::Permission> permission_;
  std::unique_ptr<log::Consumer> consumer_;
  Mailbox<int> wakes_{1};  // only for its wait() and wake()

  std::vector<std::unique_ptr<Topic>> topics_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::size_t turn_ = 0;  // whose turn it is among those that are due
  std::unique_ptr<Round> round_;
  std::optional<os::TimePoint> discovered_at_;
  std::optional<os::TimePoint> surveyed_at_;
  bool finishing_ = false;
  std::optional<Error> doubt_;  // set: the archive must be opened again
};

}  // namespace penstock::sinks
