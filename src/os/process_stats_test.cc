#include "os/process_stats.h"

#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::os {
namespace {

TEST(ProcessStats, SeesMemoryThatIsTouched) {
  const ProcessStats before = process_stats();
  const std::vector<std::byte> memory(64 << 20, std::byte{1});

  const ProcessStats after = process_stats();

  EXPECT_GT(before.resident_bytes, 0U);
  EXPECT_GE(after.resident_bytes, before.resident_bytes + memory.size() / 2);
  EXPECT_GE(after.cpu_seconds, before.cpu_seconds);
  EXPECT_GT(after.open_files, 0U);
}

}  // namespace
}  // namespace penstock::os
