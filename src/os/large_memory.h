// LargeMemory is one zero-filled block of memory, on huge pages where it is large enough.
//
// A hash table of a million keys is read at random places: with pages of 4 KiB each access also
// misses the translation buffer, which costs about as much as the memory itself. Blocks of 2 MiB
// and more are therefore mapped aligned and marked for transparent huge pages. The system zeroes
// pages when they are touched first, so a large block costs nothing until it is used.
//
// Where huge pages are not to be had it is ordinary memory; where memory is not, the process ends,
// as for `new`.
//
// Threads   a value; no sharing.
#pragma once

#include <cstddef>
#include <utility>

namespace penstock::os {

class LargeMemory {
 public:
  static constexpr std::size_t kHugePageSize = std::size_t{2} << 20;

  LargeMemory() = default;
  // `alignment`: a power of two, at most kHugePageSize.
  explicit LargeMemory(std::size_t size, std::size_t alignment = alignof(std::max_align_t));

  LargeMemory(LargeMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

  LargeMemory& operator=(LargeMemory other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  ~LargeMemory();

  [[nodiscard]] void* data() const { return data_; }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;  // as asked for
};

}  // namespace penstock::os
