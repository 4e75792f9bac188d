// TailCache keeps what was written last in memory, for readers that are caught up.
//
// Groups are built in chunks: aligned memory on huge pages (the kernel pins them page by page for
// each direct write), touched in advance, that is an image of one stretch of one segment. The chunk
// that was written to disk is the one that readers get, without a copy. The newest chunks up to a
// limit stay in the cache; a reader keeps what it got alive with its Ref, and the memory goes back
// to the pool with the last one.
//
// Invariants
//   I1  The cache holds at most `limit` bytes of chunks and one more; readers and the writer may
//       hold others.
//   I2  Bytes of a chunk that were published do not change while anyone holds it.
//
// Threads   ChunkPool and Chunk's counting from any thread; TailCache is guarded by the log's lock.
// Lifetime  a chunk keeps its pool alive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/bytes.h"
#include "core/guarded.h"
#include "core/ref_counted.h"
#include "os/large_memory.h"
#include "wal/format.h"

namespace penstock::wal {

class ChunkPool;

class Chunk final : public RefCounted {
 public:
  Chunk(Ref<ChunkPool> pool, os::LargeMemory memory);
  ~Chunk() override;

  [[nodiscard]] std::byte* data() const { return static_cast<std::byte*>(memory_.data()); }

  [[nodiscard]] std::size_t capacity() const { return memory_.size(); }

  // What it is an image of: `segment` from `position` on.
  SegmentNumber segment;
  std::uint64_t position = 0;

 private:
  Ref<ChunkPool> pool_;
  os::LargeMemory memory_;
};

class ChunkPool final : public RefCounted {
 public:
  // Chunks of `chunk_bytes`, a multiple of 4 KiB; up to `kept_max` unused ones are kept.
  ChunkPool(std::size_t chunk_bytes, std::size_t kept_max);

  // At least `size` bytes; larger than usual if need be.
  [[nodiscard]] Ref<Chunk> take(std::size_t size);

 private:
  friend class Chunk;

  void give_back(os::LargeMemory memory);

  const std::size_t chunk_bytes_;
  const std::size_t kept_max_;
  Guarded<std::vector<os::LargeMemory>> free_;
};

class TailCache {
 public:
  explicit TailCache(std::size_t limit) : limit_(limit) {}

  // Behind all chunks so far; drops the oldest ones beyond the limit.
  void add(Ref<Chunk> chunk);

  // The chunk that holds that position, or null.
  [[nodiscard]] Ref<Chunk> find(SegmentNumber segment, std::uint64_t position) const;

  [[nodiscard]] std::size_t size_bytes() const { return size_; }

 private:
  const std::size_t limit_;
  std::size_t size_ = 0;
  std::deque<Ref<Chunk>> chunks_;
};

}  // namespace penstock::wal
