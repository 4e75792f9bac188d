// SegmentReader reads batches from segment files and checks them.
//
// Batches of many partitions lie side by side, so a reader of several partitions reads a stretch
// once and cuts all its batches out of it.
//
// Threads   one.
// Lifetime  `files` outlives it; fetched memory lives as long as its Refs.
// Errors    kCorrupt  a batch is not what the index says: names file, position and offsets
//           kFatal    the disk fails
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/result.h"
#include "log/types.h"
#include "os/file_system.h"
#include "wal/run.h"
#include "wal/tail_cache.h"

namespace penstock::wal {

struct WantedBatch {
  TopicPartition from;
  Ref<Segment> segment;
  IndexEntry entry;
  Ref<RefCounted> memory;            // set: it is in memory already
  const std::byte* bytes = nullptr;  // in `memory`
  bool is_lost = false;              // stands for offsets that are in no segment
};

class SegmentReader {
 public:
  explicit SegmentReader(os::FileSystem& files) : files_(files) {}

  // Sets `memory` and `bytes` of those that have none.
  [[nodiscard]] Status read(std::vector<WantedBatch>& batches);

  // Closes the files: a segment that is held cannot be freed.
  void release() { open_.clear(); }

 private:
  struct OpenFile {
    Ref<Segment> segment;
    std::unique_ptr<os::File> file;
  };

  [[nodiscard]] Result<const os::File*> file_of(const Ref<Segment>& segment);
  [[nodiscard]] Status read_stretch(std::span<WantedBatch*> stretch);

  os::FileSystem& files_;
  std::vector<OpenFile> open_;  // the last few used, the latest at the end
};

// I1 of EmbeddedConsumer.
[[nodiscard]] Status check_batch(const WantedBatch& wanted);

}  // namespace penstock::wal
