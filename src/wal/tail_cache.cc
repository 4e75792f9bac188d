#include "wal/tail_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/check.h"

namespace penstock::wal {
namespace {

// Touched at once: the first touch of memory costs more than the copy into it (facts: a virtual
// machine's host has to find a page too).
os::LargeMemory allocate(std::size_t size) {
  os::LargeMemory memory(size, kBlockSize);
  std::memset(memory.data(), 0, size);
  return memory;
}

}  // namespace

Chunk::Chunk(Ref<ChunkPool> pool, os::LargeMemory memory)
    : pool_(std::move(pool)), memory_(std::move(memory)) {}

Chunk::~Chunk() {
  pool_->give_back(std::move(memory_));
}

ChunkPool::ChunkPool(std::size_t chunk_bytes, std::size_t kept_max)
    : chunk_bytes_(chunk_bytes), kept_max_(kept_max) {
  PENSTOCK_CHECK(chunk_bytes % kBlockSize == 0);
}

Ref<Chunk> ChunkPool::take(std::size_t size) {
  const std::size_t capacity = std::max(chunk_bytes_, std::size_t{round_up_to_block(size)});
  os::LargeMemory memory;
  if (capacity == chunk_bytes_) {
    free_.with([&](std::vector<os::LargeMemory>& unused) {
      if (!unused.empty()) {
        memory = std::move(unused.back());
        unused.pop_back();
      }
    });
  }
  return make_ref<Chunk>(Ref<ChunkPool>(this),
                         memory.size() > 0 ? std::move(memory) : allocate(capacity));
}

void ChunkPool::give_back(os::LargeMemory memory) {
  free_.with([&](std::vector<os::LargeMemory>& unused) {
    if (memory.size() == chunk_bytes_ && unused.size() < kept_max_) {
      unused.push_back(std::move(memory));
    }
  });
}

void TailCache::add(Ref<Chunk> chunk) {
  size_ += chunk->capacity();
  chunks_.push_back(std::move(chunk));
  while (size_ > limit_ && chunks_.size() > 1) {  // I1
    size_ -= chunks_.front()->capacity();
    chunks_.pop_front();
  }
}

Ref<Chunk> TailCache::find(SegmentNumber segment, std::uint64_t position) const {
  const std::pair wanted(segment, position);
  const auto behind = std::partition_point(
      chunks_.begin(), chunks_.end(),
      [&](const Ref<Chunk>& c) { return std::pair(c->segment, c->position) <= wanted; });
  if (behind == chunks_.begin()) {
    return {};
  }
  const Ref<Chunk>& chunk = *std::prev(behind);
  const bool holds = chunk->segment == segment && position - chunk->position < chunk->capacity();
  return holds ? chunk : Ref<Chunk>();
}

}  // namespace penstock::wal
