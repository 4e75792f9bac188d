// Catalog is everything the log knows: topics, where each partition's batches lie, committed
// offsets, transactional ids, segments.
//
// It changes in one way only: by applying entries of the log, when their group has become durable
// or when it is read again at start. So what a restart sees is what was there before by
// construction. A snapshot is a list of entries that make the same catalog from an empty one.
//
// Where offsets lie. A partition's batches are appended in order; a rewrite may later copy what is
// left of some offsets to the head of the log. `intervals` says which rewrite holds which offsets
// (none: they are where they were appended), so of all runs on disk exactly those are effective
// whose rewrite is the one that holds their offsets. A ReplacedEntry moves an interval at once.
//
// Invariants
//   I1  The effective runs of a partition cover [start, end) without gaps or overlaps, except for
//       intervals that are kLost.
//   I2  A segment's live_bytes is the size of the effective runs in it; a segment without any is
//   not
//       needed.
//   I3  Ids of topics, producers and rewrites are never used twice.
//
// Threads   none of its own; the log guards it with one lock. No I/O happens here.
// Errors    kCorrupt  an entry that cannot follow from what is there: only damage can be the reason
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/signal.h"
#include "log/types.h"
#include "wal/format.h"
#include "wal/run.h"

namespace penstock::wal {

// The highest topic number; deleted topics count, too. Beyond it is damage.
inline constexpr std::uint32_t kTopicIdMax = 1U << 20;

// A consumer that wants to know of new records.
struct Reader final : RefCounted {
  Signal signal;
  bool raised = false;  // since its last poll(): no need to raise it again
};

// Offsets whose loss an operator has accepted.
struct LostRange {
  TopicPartition partition;
  Offset first;
  Offset last;

  [[nodiscard]] std::uint64_t count() const { return static_cast<std::uint64_t>(last - first) + 1; }
};

struct Partition {
  Offset start;
  Offset end;                   // published: readers see up to here
  Offset next;                  // assigned to appends that are on their way to the disk; >= end
  std::vector<Ref<Run>> runs;   // the effective ones, by offset (I1)
  std::vector<Ref<Run>> moved;  // of rewrites that are not complete
  std::vector<Interval> intervals;
  std::vector<Ref<Reader>> readers;

  // The effective run that holds `offset`, or the first one behind it; runs.end() if there is none.
  [[nodiscard]] std::vector<Ref<Run>>::const_iterator run_at(Offset offset) const;
  [[nodiscard]] RewriteId rewrite_at(Offset offset) const;
  // The first offset from `offset` on that is not lost.
  [[nodiscard]] Offset skip_lost(Offset offset) const;
  [[nodiscard]] bool is_effective(const RunSummary& run) const;
};

struct Topic {
  log::TopicInfo info;
  std::vector<Partition> partitions;
};

struct SegmentState {
  Ref<Segment> segment;
  bool sealed = false;
  bool has_index_file = false;
  bool damage_accepted = false;
  std::uint64_t end_position = 0;
  std::uint64_t last_sequence = 0;
  std::uint32_t last_crc = 0;
  std::int64_t created_ms = 0;
  std::int64_t last_append_ms = 0;
  std::uint64_t live_bytes = 0;
  std::vector<Ref<Run>> runs;  // all that were written to it, for its index file
};

struct ProducerState {
  ProducerId producer;
  ProducerEpoch epoch;

  friend bool operator==(const ProducerState&, const ProducerState&) = default;
};

class Catalog {
 public:
  using GroupOffsets = std::map<TopicPartition, log::OffsetCommit>;

  // --- looking ---
  [[nodiscard]] const Topic* find(TopicId id) const;
  [[nodiscard]] const Topic* find(std::string_view name) const;
  [[nodiscard]] const Partition* find(TopicPartition partition) const;
  [[nodiscard]] Partition* find(TopicPartition partition);
  [[nodiscard]] std::vector<log::TopicInfo> topics() const;  // by name
  [[nodiscard]] const GroupOffsets* offsets_of(std::string_view group_id) const;
  [[nodiscard]] const ProducerState* producer(std::string_view transactional_id) const;

  [[nodiscard]] const std::map<SegmentNumber, SegmentState>& segments() const { return segments_; }

  [[nodiscard]] const CountersEntry& counters() const { return counters_; }

  [[nodiscard]] SegmentState& active() { return segments_.at(active_); }

  [[nodiscard]] const SegmentState& active() const { return segments_.at(active_); }

  [[nodiscard]] SegmentState* find_segment(SegmentNumber number);
  [[nodiscard]] std::vector<Ref<Run>> effective_runs(SegmentNumber number) const;
  // What is kLost, by partition and offset.
  [[nodiscard]] std::vector<LostRange> lost() const;

  // All topics in the order of their ids; deleted ones are left out.
  template <typename F>
  void for_each_topic(F&& function) const {
    for (const auto& topic : by_id_) {
      if (topic != nullptr) {
        function(*topic);
      }
    }
  }

  // --- applying entries ---
  // Any entry but batches and segments.
  [[nodiscard]] Status apply(const Entry& entry);
  // A batch of the active segment that has become durable; `next` was assigned to it before.
  void publish(Partition& partition, TopicPartition to, const IndexEntry& entry,
               std::int64_t written_ms);
  // A copy that a rewrite has made; it takes effect with the rewrite's ReplacedEntry.
  void publish_moved(Partition& partition, TopicPartition to, RewriteId rewrite,
                     const IndexEntry& entry, std::int64_t written_ms);
  // Forgets the copies of a rewrite that was given up.
  void drop_moved(TopicPartition partition);

  // --- segments ---
  void add_segment(SegmentState segment);
  // The newest one becomes the one that is written; the one before is sealed.
  void set_active(SegmentNumber number);

  // --- recovery ---
  // A batch of the last segment, while it is read again: moves `next`, places nothing.
  // `accept_loss`: a gap before it becomes kLost instead of kCorrupt.
  [[nodiscard]] Status replay_batch(const BatchEntry& entry, const IndexEntry& at,
                                    bool accept_loss);
  // The next `count` offsets of the partition become kLost: how many were given out is not known.
  void lose_next(TopicPartition partition, std::uint64_t count);
  // When everything is read: chooses the effective ones of all `candidates` and checks I1.
  [[nodiscard]] Status place_runs(const std::vector<Ref<Run>>& candidates, bool accept_loss);

  // Appends the entries of a snapshot; returns how many.
  [[nodiscard]] std::uint32_t encode_snapshot(Bytes& to) const;

 private:
  [[nodiscard]] Status apply_topic(const TopicEntry& entry);
  [[nodiscard]] Status apply_deleted(const TopicDeletedEntry& entry);
  [[nodiscard]] Status apply_start(const StartEntry& entry);
  [[nodiscard]] Status apply_replaced(const ReplacedEntry& entry);
  [[nodiscard]] Status apply_partition(const PartitionEntry& entry);
  void apply_offset(const OffsetEntry& entry);
  void make_effective(Partition& partition, std::vector<Ref<Run>> candidates);
  [[nodiscard]] Status check_cover(TopicPartition at, Partition& partition, bool accept_loss);
  void set_effective(Run& run, bool effective);

  std::vector<std::unique_ptr<Topic>> by_id_;  // index: TopicId; null where deleted
  std::map<std::string, Topic*, std::less<>> by_name_;
  std::map<std::string, GroupOffsets, std::less<>> offsets_;
  std::map<std::string, ProducerState, std::less<>> producers_;
  std::map<SegmentNumber, SegmentState> segments_;
  SegmentNumber active_;
  CountersEntry counters_;
};

// Sets [first, last] to `rewrite` in a list that is sorted and without overlaps, and keeps it so.
void set_interval(std::vector<Interval>& intervals, const Interval& interval);

// "partition 3 of topic web".
[[nodiscard]] std::string describe(const Catalog& catalog, TopicPartition partition);

}  // namespace penstock::wal
