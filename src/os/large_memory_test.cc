#include "os/large_memory.h"

#include <algorithm>
#include <cstdint>

#include <gtest/gtest.h>

namespace penstock::os {
namespace {

TEST(LargeMemory, IsZeroAndWritableInEverySize) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{4096}, LargeMemory::kHugePageSize - 1,
                                 LargeMemory::kHugePageSize, LargeMemory::kHugePageSize * 3 + 5}) {
    const LargeMemory memory(size);
    auto* bytes = static_cast<unsigned char*>(memory.data());

    EXPECT_EQ(memory.size(), size);
    EXPECT_TRUE(std::all_of(bytes, bytes + size, [](unsigned char byte) { return byte == 0; }));
    std::fill_n(bytes, size, static_cast<unsigned char>(1));
  }
}

TEST(LargeMemory, AlignsLargeBlocksToHugePages) {
  const LargeMemory memory(LargeMemory::kHugePageSize + 1);

  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % LargeMemory::kHugePageSize, 0U);
}

TEST(LargeMemory, MovesItsBlock) {
  LargeMemory from(100);
  void* const data = from.data();

  LargeMemory to;
  to = std::move(from);

  EXPECT_EQ(to.data(), data);
  EXPECT_EQ(to.size(), 100U);
}

}  // namespace
}  // namespace penstock::os
