#include "os/process_stats.h"

#include <cstddef>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

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

TEST(ProcessStats, RaisesTheLimitOfOpenFilesToWhatIsAllowed) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{before.rlim_cur / 2, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);

  EXPECT_EQ(raise_open_files_limit(), before.rlim_max);

  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace penstock::os
