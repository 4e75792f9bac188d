// Restorer brings the stores of one task back from their changelogs, a few batches at a time.
//
// It reads each changelog partition from its start, or from where a store on a disk has got to, to
// where everything written ended when restoring began, transactions whose outcome was still on its
// way included; nobody writes to it meanwhile, because the partition has one owner and the former
// one is fenced.
//
// Threads   one.
// Lifetime  log and task outlive it.
// Errors    those of the log; kCorrupt and kInvalid if the changelog cannot be read
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "core/result.h"
#include "engine/task.h"
#include "log/log.h"

namespace penstock::engine {

using BoundsByPartition = std::map<TopicPartition, log::PartitionBounds>;

class Restorer {
 public:
  // `bounds` has the task's changelog partitions, asked for after the committed offsets.
  [[nodiscard]] static Result<std::unique_ptr<Restorer>> open(log::Log& log, Task& task,
                                                              const BoundsByPartition& bounds);

  // Restores about `bytes_max`. True when everything is restored and the task runs.
  [[nodiscard]] Result<bool> run_once(std::size_t bytes_max);

  // Records read since the last call.
  [[nodiscard]] std::uint64_t take_restored_count() { return std::exchange(restored_, 0); }

  // Records still to be read.
  [[nodiscard]] std::uint64_t remaining() const;

 private:
  struct Range {
    Offset next;
    Offset end;
  };

  Restorer(log::Log& log, Task& task) : log_(log), task_(task) {}

  [[nodiscard]] Status begin(const BoundsByPartition& bounds);
  [[nodiscard]] const std::string& store_of(TopicPartition changelog) const;
  [[nodiscard]] Error without_offsets(TopicPartition changelog) const;

  log::Log& log_;
  Task& task_;
  std::unique_ptr<log::Consumer> consumer_;
  std::map<TopicPartition, Range> ranges_;
  std::uint64_t restored_ = 0;
};

}  // namespace penstock::engine
