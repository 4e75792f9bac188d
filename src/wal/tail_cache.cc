#include "wal/tail_cache.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/check.h"

namespace penstock::wal {
namespace {

// Touched at once: the first touch of memory costs more than the copy into it (facts: a virtual
// machine's host has to find a page too).
std::byte* allocate(std::size_t size) {
  auto* data = static_cast<std::byte*>(std::aligned_alloc(kBlockSize, size));
  PENSTOCK_CHECK(data != nullptr);
  std::memset(data, 0, size);
  return data;
}

}  // namespace

Chunk::Chunk(Ref<ChunkPool> pool, std::byte* data, std::size_t capacity)
    : pool_(std::move(pool)), data_(data), capacity_(capacity) {}

Chunk::~Chunk() {
  pool_->give_back(data_, capacity_);
}

ChunkPool::ChunkPool(std::size_t chunk_bytes, std::size_t kept_max)
    : chunk_bytes_(chunk_bytes), kept_max_(kept_max) {
  PENSTOCK_CHECK(chunk_bytes % kBlockSize == 0);
}

ChunkPool::~ChunkPool() {
  free_.with([](std::vector<std::byte*>& unused) {
    for (std::byte* data : unused) {
      std::free(data);
    }
  });
}

Ref<Chunk> ChunkPool::take(std::size_t size) {
  const std::size_t capacity = std::max(chunk_bytes_, std::size_t{round_up_to_block(size)});
  std::byte* data = nullptr;
  if (capacity == chunk_bytes_) {
    free_.with([&](std::vector<std::byte*>& unused) {
      if (!unused.empty()) {
        data = unused.back();
        unused.pop_back();
      }
    });
  }
  return make_ref<Chunk>(Ref<ChunkPool>(this), data != nullptr ? data : allocate(capacity),
                         capacity);
}

void ChunkPool::give_back(std::byte* data, std::size_t capacity) {
  const bool kept = free_.with([&](std::vector<std::byte*>& unused) {
    if (capacity != chunk_bytes_ || unused.size() >= kept_max_) {
      return false;
    }
    unused.push_back(data);
    return true;
  });
  if (!kept) {
    std::free(data);
  }
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
