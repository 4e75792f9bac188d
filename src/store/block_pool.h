// BlockPool gives out blocks of memory of any size, and takes them back for reuse.
//
// For values that are replaced all the time: a size class (four per doubling) has a list of free
// blocks, and new ones are cut from slabs, so replacing a value allocates nothing. Blocks above
// 64 KiB come from the heap one by one. Slabs are freed with the pool.
//
// Threads   one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace penstock::store {

class BlockPool {
 public:
  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  // At least `size` > 0 bytes, aligned to 8.
  [[nodiscard]] std::byte* take(std::size_t size);
  // `size` as it was taken.
  void give_back(std::byte* block, std::size_t size);

  // What fits into a block that was taken for `size`.
  [[nodiscard]] static std::size_t capacity(std::size_t size);

  // Of slabs and large blocks.
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  static constexpr std::size_t kPooledSizeMax = 64 * 1024;
  static constexpr std::size_t kClassCount = 64;

  struct FreeBlock {
    FreeBlock* next;
  };

  std::array<FreeBlock*, kClassCount> free_{};
  std::vector<std::unique_ptr<std::byte[]>> slabs_;
  std::byte* slab_at_ = nullptr;
  std::size_t slab_left_ = 0;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t large_count_ = 0;
};

}  // namespace penstock::store
