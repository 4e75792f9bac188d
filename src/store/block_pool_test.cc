#include "store/block_pool.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "testing/random.h"

namespace penstock::store {
namespace {

TEST(BlockPool, CapacityHoldsTheSizeAndWastesAtMostAQuarter) {
  for (std::size_t size = 1; size <= 100'000; ++size) {
    const std::size_t capacity = BlockPool::capacity(size);
    ASSERT_GE(capacity, size);
    ASSERT_LE(capacity, std::max<std::size_t>(24, size + size / 4 + 8)) << size;
    ASSERT_EQ(BlockPool::capacity(capacity), capacity) << size;
  }
}

TEST(BlockPool, ReusesABlockOfTheSameClass) {
  BlockPool pool;
  std::byte* block = pool.take(100);
  pool.give_back(block, 100);

  EXPECT_EQ(pool.take(101), block);
}

TEST(BlockPool, CountsSlabsAndLargeBlocks) {
  BlockPool pool;
  EXPECT_EQ(pool.size_bytes(), 0U);

  pool.give_back(pool.take(10), 10);
  const std::uint64_t slab = pool.size_bytes();
  std::byte* large = pool.take(1'000'000);

  EXPECT_GT(slab, 0U);
  EXPECT_EQ(pool.size_bytes(), slab + 1'000'000);
  pool.give_back(large, 1'000'000);
  EXPECT_EQ(pool.size_bytes(), slab);
}

TEST(BlockPool, BlocksNeverOverlap) {
  struct Block {
    std::byte* at;
    std::size_t size;
    std::byte mark;
  };

  testing::SeededRandom random(9);
  BlockPool pool;
  std::vector<Block> blocks;
  for (int step = 0; step < 5000; ++step) {
    if (!blocks.empty() && random.below(3) == 0) {
      const std::size_t index = random.below(blocks.size());
      const Block block = blocks[index];
      EXPECT_TRUE(std::all_of(block.at, block.at + block.size,
                              [&](std::byte byte) { return byte == block.mark; }));
      pool.give_back(block.at, block.size);
      blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(index));
      continue;
    }
    const std::size_t size = 1 + random.below(random.below(50) == 0 ? 100'000 : 300);
    const Block block{pool.take(size), size, static_cast<std::byte>(step)};
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.at) % 8, 0U);
    std::fill_n(block.at, size, block.mark);
    blocks.push_back(block);
  }
  for (const Block& block : blocks) {
    pool.give_back(block.at, block.size);
  }
}

}  // namespace
}  // namespace penstock::store
