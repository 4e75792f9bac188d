// Log is the port through which everything durable goes: topics, partitions, batches, offsets.
//
// Kafka's terms and Kafka's semantics, read_committed always. Whoever holds a Log& cannot tell
// whether the embedded log (wal/), Apache Kafka (kafka/) or the simulator (testing/) stands behind
// it; the three pass one contract test suite (testing/log_contract.h). The unit is the record
// batch: per batch a virtual call or a lock is fine, per record never.
//
// Contract
//   C1  An append is answered only when its batches are durable: synced to disk (embedded) or on
//       min.insync.replicas (Kafka). Nothing is readable before that.
//   C2  Offsets of a partition begin at 0 and grow from record to record; order of appends by one
//       caller to one partition is kept. There may be offsets without a record (on Kafka, the marks
//       that end transactions): the batches that a consumer is given cover them all the same, as
//       they cover what compaction removed, and one without any record comes where the end is
//       reached. So whoever reads on to the last offset of each batch arrives at the end.
//   C3  A transaction's batches and offsets become visible all or none: none before the commit is
//       asked for, all soon after it was answered (written_end() says when).
//   C4  Opening a transactional id fences the producer that held it before.
//   C5  At any time at most one member of a group owns a partition; offset commits of an older
//       generation are refused with kFenced.
//
// Errors    kRetry     brokers are slow or away; of an append: it may be stored all the same
//           kBusy      out of space or over a limit; nothing was taken; try again later
//           kNotFound  no such topic or partition
//           kInvalid   the request cannot be right (bad name, other settings than the topic has)
//           kFenced    a newer owner of the transactional id or the group generation exists, or
//                      may exist: go on only after opening and joining again
//           kAbortTxn  this transaction cannot commit; abort it and go on from committed offsets
//           kCorrupt   this range of the log cannot be read; the message names file and place
//           kFatal     the log has failed and will accept nothing until it is opened again
// Threads   Log's own functions from any thread. A Consumer or TransactionalProducer belongs to
//           one thread. Completions run on a thread of the log and must only hand over (send to a
//           mailbox, set a Completion).
// Lifetime  the Log outlives every Consumer and TransactionalProducer made from it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "log/types.h"

namespace penstock::log {

// Reads partitions in order. Positions move with poll(); where they are after a restart is the
// caller's business: committed offsets, or offsets it keeps itself.
class Consumer {
 public:
  struct Position {
    TopicPartition partition;
    Offset offset;
  };

  // What changed in a group's assignment, see poll().
  struct Rebalance {
    enum class Kind {
      kRevoked,   // finish and commit, then call finish_revocation(); owned until then
      kAssigned,  // owned from now on, at the committed offset or else the start; seek() may move
      kLost,      // no longer owned; commits would be fenced; drop what is in flight
    };
    Kind kind;
    std::vector<TopicPartition> partitions;
    // kRevoked: as groups do that share out everything anew. A kAssigned follows; what was made of
    // a partition may be kept until then, but not used.
    bool may_come_back = false;
    // kAssigned: those of the partitions that came back, and were nobody else's meanwhile.
    std::vector<TopicPartition> came_back{};
  };

  struct Polled {
    std::vector<FetchedBatch> batches;  // per partition in order; first may begin before position
    std::optional<Rebalance> rebalance;
  };

  virtual ~Consumer() = default;

  // Without a group: reads exactly these, from these offsets (clamped to what exists).
  [[nodiscard]] virtual Status assign(std::vector<Position> positions) = 0;
  [[nodiscard]] virtual Status seek(TopicPartition partition, Offset offset) = 0;
  // A paused partition keeps its position and delivers nothing.
  virtual void pause(TopicPartition partition) = 0;
  virtual void resume(TopicPartition partition) = 0;

  // What is there now, at most about `bytes_max` (at least one batch, if there is one); never
  // blocks for data. A batch may hold records before the position: skip those. Offsets whose loss
  // was accepted come as an empty batch that says so: positions move over them like over others.
  [[nodiscard]] virtual Result<Polled> poll(std::size_t bytes_max) = 0;
  // Returns when there may be something to poll(), after wake(), or when time is up.
  virtual void wait(std::chrono::microseconds timeout) = 0;
  virtual void wake() = 0;  // from any thread

  // Where a partition that this consumer reads ended when it last heard of that; asks nobody. For
  // figures. Absent: it has not heard yet.
  [[nodiscard]] virtual std::optional<Offset> known_end(TopicPartition partition) const = 0;

  // Group members only.
  [[nodiscard]] virtual Status finish_revocation() = 0;
  [[nodiscard]] virtual GroupMetadata group_metadata() const = 0;
  // Outside of a transaction, for at-least-once readers; durable when it returns.
  [[nodiscard]] virtual Status commit(std::vector<OffsetCommit> offsets) = 0;
};

// Appends to any partitions and commits consumed offsets, all or nothing.
//
//   begin -> append*, commit_offsets* -> commit | abort -> begin ...
class TransactionalProducer {
 public:
  using Done = UniqueFunction<void(Status)>;

  virtual ~TransactionalProducer() = default;

  [[nodiscard]] virtual Status begin() = 0;
  [[nodiscard]] virtual Status append(TopicPartition to, RecordBatch batch) = 0;
  [[nodiscard]] virtual Status commit_offsets(const GroupMetadata& group,
                                              std::vector<OffsetCommit> offsets) = 0;
  // `done` runs exactly once. kAbortTxn, kBusy: nothing of it happened, and the producer is ready
  // for the next. kFenced: the producer is of no use any more; if somebody else has its id nothing
  // happened, but brokers may also have been lost on the way: whether it happened is known only
  // after the same id has been opened again, from the committed offsets. kFatal: the same, after
  // the log has been opened again.
  virtual void commit(Done done) = 0;
  [[nodiscard]] virtual Status abort() = 0;

  // After a commit: what this producer appends to the partition from now on has no smaller offset.
  // Asks nobody. Absent: not known, as the producer has appended nothing there.
  [[nodiscard]] virtual std::optional<Offset> known_end(TopicPartition partition) const = 0;
};

struct ConsumerOptions {
  std::string name;                     // in metrics and logs
  std::optional<std::string> group_id;  // absent: assign() by hand
  std::vector<TopicId> topics;          // what the group reads; each member names the same
  std::string instance_id;              // KIP-345: a restart under the same id keeps its partitions
};

// How the log is doing, for health checks and metrics.
struct LogStatus {
  bool writable = true;
  std::string reason;  // why not, in one sentence
};

class Log {
 public:
  virtual ~Log() = default;

  // Creates the topic, or finds it with these settings. kInvalid: it exists with another partition
  // count or cleanup policy. Other retention is changed to `config`'s.
  [[nodiscard]] virtual Result<TopicInfo> ensure_topic(const TopicConfig& config) = 0;
  [[nodiscard]] virtual Result<TopicInfo> topic(std::string_view name) const = 0;
  // Sorted by name.
  [[nodiscard]] virtual std::vector<TopicInfo> topics() const = 0;
  [[nodiscard]] virtual Status delete_topic(std::string_view name) = 0;

  // Records before these offsets are not needed any more: a partition begins there from now on, if
  // it did not begin later. Its disk space comes back by and by. What was committed for a group
  // stays as it is; who stands before the new start goes on from it. kInvalid: an offset behind the
  // end, or a compacted topic, whose records are needed as long as their keys. Of several
  // partitions, on Kafka some may be cut when others are refused.
  [[nodiscard]] virtual Status delete_records(const std::vector<Consumer::Position>& before) = 0;

  [[nodiscard]] virtual Result<PartitionOffsets> offsets(TopicPartition partition) const = 0;

  // Where everything ends that was written, also of transactions whose outcome has not reached the
  // partition yet; soon `end` is there too. On Kafka a commit is answered a moment before that: who
  // must see all that was committed before (a restore) reads up to here.
  [[nodiscard]] virtual Result<Offset> written_end(TopicPartition partition) const {
    PENSTOCK_TRY_ASSIGN(const PartitionOffsets known, offsets(partition));
    return known.end;
  }

  // Of many partitions at once, in their order. On the other side of a network one question for a
  // hundred partitions takes no longer than one for one.
  [[nodiscard]] virtual Result<std::vector<PartitionBounds>> bounds(
      const std::vector<TopicPartition>& partitions) const {
    std::vector<PartitionBounds> all;
    for (const TopicPartition partition : partitions) {
      PENSTOCK_TRY_ASSIGN(const PartitionOffsets known, offsets(partition));
      PENSTOCK_TRY_ASSIGN(const Offset end, written_end(partition));
      all.push_back({partition, known.start, known.end, end});
    }
    return all;
  }

  // The first offset whose batch has a record of at least that timestamp; end if none.
  [[nodiscard]] virtual Result<Offset> offset_for_time(TopicPartition partition,
                                                       Timestamp timestamp) const = 0;

  // Takes the batches (kBusy and kFatal: took nothing, `done` will not run) and answers by `done`.
  // All batches of one call become durable together on the embedded log; on Kafka each by itself.
  [[nodiscard]] virtual Status append(std::vector<PartitionBatch> batches, AppendDone done) = 0;

  [[nodiscard]] virtual Result<std::unique_ptr<TransactionalProducer>> open_transactional_producer(
      std::string_view transactional_id) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Consumer>> open_consumer(
      ConsumerOptions options) = 0;

  // The committed offsets of a group, for the partitions it has any for; waits for pending ones.
  [[nodiscard]] virtual Result<std::vector<OffsetCommit>> committed(
      std::string_view group_id) const = 0;

  [[nodiscard]] virtual LogStatus status() const = 0;
};

}  // namespace penstock::log
