// EmbeddedLog is the log port on this machine's disk: one process, one directory, no server.
//
// Everything (batches of all partitions, committed offsets, transactions, topics) goes into one
// physical log, in groups: what arrived while the last group was being written is the next one. A
// group is written and synced as one, and valid as a whole or not at all; so a transaction over
// many partitions costs one sequential write. Why: docs/adr/0007-one-physical-log.md and
// docs/adr/0008-group-commit.md; the bytes: docs/formats/log.md.
//
//   auto log = wal::EmbeddedLog::open(options, files, clock, random, metrics);
//   os::Thread writer("wal", [&](const os::StopToken& stop) {
//     while (!stop.requested()) {
//       log->wait(100ms);
//       if (!log->run_once(clock.now())) { ...stop the process, log->status() says why }
//     }
//   });
//   os::Thread keeper("wal-keeper", [&](const os::StopToken& stop) {
//     while (!stop.requested()) {
//       log->wait_for_maintenance(1s);
//       if (!log->maintain_once(clock.now())) { ...report }
//     }
//   });
//
// Invariants (see log/log.h for those of the port)
//   I1  An append is answered, and readable, only after the sync of its group.
//   I2  An append or transaction is never split over groups.
//   I3  After a failed write or sync nothing is written any more: kFatal until opened again.
//   I4  At most queue_bytes_max of appends wait; further ones get kBusy.
//   I5  Damage is never truncated, skipped or served.
//
// Threads   run_once() and maintain_once() each from one thread at a time, those two may run beside
//           each other; wake() and wake_maintenance() from any. Functions that block until
//           something is durable (ensure_topic, Consumer::commit, ...) do the writer's turn
//           themselves if no other thread is doing it, so everything also works on a single thread.
//           Completions run inside such a turn, on whichever thread does it.
// Lifetime  the references given to open() outlive the log. Destroying the log without close() is
//           what a crash would be: nothing acknowledged is lost.
// Errors    open()  kBusy     another process has the directory open, or there is no space
//                   kCorrupt  damage, with file and place (see Options::on_damage)
//                   kInvalid  a setting, or files written by a newer version
//                   kFatal    the disk fails
//           kBusy   also while the disk is full; reads go on
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "telemetry/registry.h"
#include "wal/options.h"

namespace penstock::wal {

// What open() found, for the operator's log.
struct RecoveryReport {
  std::uint64_t segments = 0;
  std::uint64_t groups_scanned = 0;  // of the last segment, and of those without an index
  std::uint64_t torn_bytes = 0;      // cut off at the end: never acknowledged
  std::uint64_t indexes_rebuilt = 0;
  std::vector<std::string> damage_accepted;  // one sentence each, see Options::on_damage
  std::vector<std::string> set_aside;        // segments of which nothing can be kept, renamed
  // Offsets that are lost, one sentence each: accepted before, and by this start.
  std::vector<std::string> lost_before;
  std::vector<std::string> lost_now;
  std::uint64_t lost_records = 0;  // all of them; at most, see docs/formats/log.md
};

class EmbeddedLog final : public log::Log {
 public:
  [[nodiscard]] static Result<std::unique_ptr<EmbeddedLog>> open(Options options,
                                                                 os::FileSystem& files,
                                                                 const os::Clock& clock,
                                                                 os::Random& random,
                                                                 telemetry::Registry& metrics);
  ~EmbeddedLog() override;

  EmbeddedLog(const EmbeddedLog&) = delete;
  EmbeddedLog& operator=(const EmbeddedLog&) = delete;

  // Writes, syncs, publishes and answers what waits. Returns how many appends were answered;
  // kFatal after a failure (I3), when everything that waits is answered so.
  [[nodiscard]] Result<std::size_t> run_once(os::TimePoint now);
  // Returns when there is something to write, after wake(), or when time is up.
  void wait(std::chrono::microseconds timeout);
  void wake();

  // One turn of the slow work: indexes, retention, compaction, spare segments. An error has changed
  // nothing that matters; report it and go on.
  [[nodiscard]] Status maintain_once(os::TimePoint now);
  void wait_for_maintenance(std::chrono::microseconds timeout);
  void wake_maintenance();

  // Refuses new appends, writes what waits and notes that all of it is synced. After the threads
  // that call run_once() and maintain_once() have ended.
  [[nodiscard]] Status close();

  [[nodiscard]] const RecoveryReport& recovery() const;

  // --- log::Log ---
  [[nodiscard]] Result<log::TopicInfo> ensure_topic(const log::TopicConfig& config) override;
  [[nodiscard]] Result<log::TopicInfo> topic(std::string_view name) const override;
  [[nodiscard]] std::vector<log::TopicInfo> topics() const override;
  [[nodiscard]] Status delete_topic(std::string_view name) override;
  [[nodiscard]] Status delete_records(const std::vector<log::Consumer::Position>& before) override;
  [[nodiscard]] Result<log::PartitionOffsets> offsets(TopicPartition partition) const override;
  [[nodiscard]] Result<Offset> offset_for_time(TopicPartition partition,
                                               Timestamp timestamp) const override;
  [[nodiscard]] Status append(std::vector<log::PartitionBatch> batches,
                              log::AppendDone done) override;
  [[nodiscard]] Result<std::unique_ptr<log::TransactionalProducer>> open_transactional_producer(
      std::string_view transactional_id) override;
  [[nodiscard]] Result<std::unique_ptr<log::Consumer>> open_consumer(
      log::ConsumerOptions options) override;
  [[nodiscard]] Result<std::vector<log::OffsetCommit>> committed(
      std::string_view group_id) const override;
  [[nodiscard]] log::LogStatus status() const override;

 private:
  class Core;

  explicit EmbeddedLog(std::unique_ptr<Core> core);

  std::unique_ptr<Core> core_;
};

}  // namespace penstock::wal
