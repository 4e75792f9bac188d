#include "store/block_pool.h"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

#include "core/check.h"

namespace penstock::store {

namespace {

constexpr std::size_t kSmallest = 16;
constexpr std::size_t kSlabSizeMin = 4 * 1024;
constexpr std::size_t kSlabSizeMax = 1024 * 1024;

// 16, 20, 24, 28, 32, 40, ... : rounded up to 8 they are 16, 24, 24, 32, 32, 40, ...
std::size_t class_of(std::size_t size) {
  if (size <= kSmallest) {
    return 0;
  }
  const auto top =
      static_cast<std::size_t>(std::bit_width(size - 1)) - 1;  // size in (2^top, 2^top+1]
  const std::size_t quarter = ((size - 1) >> (top - 2)) & 3;
  return (top - 4) * 4 + quarter + 1;
}

std::size_t size_of_class(std::size_t number) {
  if (number == 0) {
    return kSmallest;
  }
  const std::size_t top = (number - 1) / 4 + 4;
  const std::size_t quarter = (number - 1) % 4;
  const std::size_t exact = (std::size_t{1} << top) + ((quarter + 1) << (top - 2));
  return (exact + 7) & ~std::size_t{7};
}

}  // namespace

BlockPool::~BlockPool() {
  PENSTOCK_CHECK(large_count_ == 0);
}

std::size_t BlockPool::capacity(std::size_t size) {
  return size > kPooledSizeMax ? size : size_of_class(class_of(size));
}

std::byte* BlockPool::take(std::size_t size) {
  PENSTOCK_DCHECK(size > 0);
  if (size > kPooledSizeMax) {
    size_bytes_ += size;
    ++large_count_;
    return static_cast<std::byte*>(::operator new(size));
  }
  const std::size_t number = class_of(size);
  if (FreeBlock* block = free_[number]) {
    free_[number] = block->next;
    return reinterpret_cast<std::byte*>(block);
  }
  const std::size_t block_size = size_of_class(number);
  if (slab_left_ < block_size) {
    const std::size_t slab_size =
        std::max(std::clamp<std::size_t>(size_bytes_, kSlabSizeMin, kSlabSizeMax), block_size);
    slabs_.push_back(std::make_unique_for_overwrite<std::byte[]>(slab_size));
    slab_at_ = slabs_.back().get();
    slab_left_ = slab_size;
    size_bytes_ += slab_size;
  }
  slab_left_ -= block_size;
  return std::exchange(slab_at_, slab_at_ + block_size);
}

void BlockPool::give_back(std::byte* block, std::size_t size) {
  if (size > kPooledSizeMax) {
    size_bytes_ -= size;
    --large_count_;
    ::operator delete(block);
    return;
  }
  FreeBlock*& first = free_[class_of(size)];
  first = new (block) FreeBlock{first};
}

}  // namespace penstock::store
