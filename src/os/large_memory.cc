#include "os/large_memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <sys/mman.h>

#include "core/check.h"

namespace penstock::os {

namespace {

std::size_t mapped_size(std::size_t size) {
  return (size + LargeMemory::kHugePageSize - 1) / LargeMemory::kHugePageSize *
         LargeMemory::kHugePageSize;
}

// Maps more than needed and gives back what lies before and behind the aligned part.
void* map_aligned(std::size_t size) {
  constexpr std::size_t kAlignment = LargeMemory::kHugePageSize;
  const std::size_t with_slack = size + kAlignment;
  void* const mapped = ::mmap(nullptr, with_slack, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  PENSTOCK_CHECK(mapped != MAP_FAILED);
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t before =
      (kAlignment - reinterpret_cast<std::uintptr_t>(begin) % kAlignment) % kAlignment;
  if (before > 0) {
    ::munmap(begin, before);
  }
  ::munmap(begin + before + size, with_slack - size - before);
  ::madvise(begin + before, size, MADV_HUGEPAGE);  // a wish: without it, ordinary pages
  return begin + before;
}

}  // namespace

LargeMemory::LargeMemory(std::size_t size, std::size_t alignment) : size_(size) {
  PENSTOCK_CHECK(alignment <= kHugePageSize);
  if (size >= kHugePageSize) {
    data_ = map_aligned(mapped_size(size));
  } else if (size > 0 && alignment > alignof(std::max_align_t)) {
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    data_ = std::aligned_alloc(alignment, rounded);
    PENSTOCK_CHECK(data_ != nullptr);
    std::memset(data_, 0, rounded);
  } else if (size > 0) {
    data_ = std::calloc(1, size);
    PENSTOCK_CHECK(data_ != nullptr);
  }
}

LargeMemory::~LargeMemory() {
  if (size_ >= kHugePageSize) {
    ::munmap(data_, mapped_size(size_));
  } else {
    std::free(data_);
  }
}

}  // namespace penstock::os
