// EmbeddedConsumer reads partitions of the embedded log: from memory when it is caught up,
// otherwise from the segment files, on its own thread.
//
// A poll has three steps. Under the log's lock it notes where the next batches lie, at most as many
// as it may return (collect). Without the lock it reads what is not in memory, neighbours in one
// go, and checks each batch (fetch). Then its positions move (deliver). So a failed read changes
// nothing, and the lock is held for a lookup per batch.
//
// Invariants
//   I1  A batch from disk is delivered only if its checksum, offsets and size are what the index
//   says. I2  Segments that are being read are pinned by a Ref and not reused. I3  A partition that
//   is being revoked delivers nothing.
//
// Threads, errors   see log/log.h
// Lifetime          `shared` and `submitter` outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/group_coordinator.h"
#include "log/log.h"
#include "wal/index_file.h"
#include "wal/segment_reader.h"
#include "wal/submitter.h"

namespace penstock::wal {

class EmbeddedConsumer final : public log::Consumer {
 public:
  EmbeddedConsumer(Shared& shared, Submitter& submitter, log::ConsumerOptions options);
  ~EmbeddedConsumer() override;

  // Joins the group, if the options name one.
  [[nodiscard]] Status join();

  [[nodiscard]] Status assign(std::vector<Position> positions) override;
  [[nodiscard]] Status seek(TopicPartition partition, Offset offset) override;
  void pause(TopicPartition partition) override;
  void resume(TopicPartition partition) override;
  [[nodiscard]] Result<Polled> poll(std::size_t bytes_max) override;
  void wait(std::chrono::microseconds timeout) override;
  void wake() override;
  [[nodiscard]] std::optional<Offset> known_end(TopicPartition partition) const override;
  [[nodiscard]] Status finish_revocation() override;
  [[nodiscard]] log::GroupMetadata group_metadata() const override;
  [[nodiscard]] Status commit(std::vector<log::OffsetCommit> offsets) override;

 private:
  struct Cursor {
    Offset position;
    bool paused = false;
    bool revoking = false;
    Offset collected_to;  // during a poll: where the position will be
    Ref<Run> loaded_run;  // whose entries were read from its index file
    std::vector<IndexEntry> loaded_entries;
  };

  using Cursors = std::map<TopicPartition, Cursor>;

  // A run whose entries have to be read before its partition can be collected.
  struct Missing {
    TopicPartition partition;
    Ref<Run> run;
    ScanRange range;
  };

  struct Collected {
    std::vector<WantedBatch> batches;
    std::vector<Missing> missing;
    std::size_t bytes = 0;
    bool stopped_by_limit = false;
  };

  [[nodiscard]] Result<std::optional<Rebalance>> next_rebalance();
  [[nodiscard]] Status take_assignment(const std::vector<TopicPartition>& partitions);
  [[nodiscard]] Status collect(State& state, std::size_t bytes_max, Collected& into);
  [[nodiscard]] Status collect_partition(State& state, Cursors::iterator at, std::size_t bytes_max,
                                         Collected& into);
  void collect_run(State& state, Cursors::iterator at, const Ref<Run>& run,
                   const std::vector<IndexEntry>& entries, std::size_t bytes_max, Collected& into);
  [[nodiscard]] Status load(std::vector<Missing>& missing);
  [[nodiscard]] Result<std::vector<log::FetchedBatch>> deliver(Collected collected);
  void add_cursor(TopicPartition partition, Offset position);
  void drop_cursor(TopicPartition partition);
  void drop_all_cursors();

  Shared& shared_;
  Submitter& submitter_;
  const log::ConsumerOptions options_;
  const Ref<Reader> reader_;
  SegmentReader segment_reader_;
  std::optional<log::GroupCoordinator::MemberId> member_;
  Cursors cursors_;
  std::optional<Rebalance> untold_;  // from the coordinator, not yet acted upon
  std::vector<TopicPartition> revoking_;
  TopicPartition last_polled_;
  bool has_more_ = false;  // the last poll stopped at its limit
};

}  // namespace penstock::wal
