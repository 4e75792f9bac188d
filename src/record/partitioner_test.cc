#include "record/partitioner.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

std::int32_t signed_murmur2(std::string_view key) {
  return static_cast<std::int32_t>(murmur2(as_bytes(key)));
}

// The expected numbers are those of Kafka's own UtilsTest.
TEST(Partitioner, HashesAsKafkasJavaClientsDo) {
  EXPECT_EQ(signed_murmur2("21"), -973932308);
  EXPECT_EQ(signed_murmur2("foobar"), -790332482);
  EXPECT_EQ(signed_murmur2("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(signed_murmur2("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(signed_murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(signed_murmur2("abc"), 479470107);
}

TEST(Partitioner, NegativeHashesGiveValidPartitions) {
  const auto hash = static_cast<std::uint32_t>(-973932308);

  EXPECT_EQ(partition_for_key(as_bytes("21"), 7),
            PartitionId(static_cast<std::int32_t>((hash & 0x7fffffff) % 7)));
}

TEST(Partitioner, AnEmptyKeyIsAKey) {
  EXPECT_EQ(signed_murmur2(""), 275646681);
  EXPECT_EQ(partition_for_key(ByteView(), 1), PartitionId(0));
}

TEST(Partitioner, EveryPartitionIsReached) {
  std::set<PartitionId> reached;
  for (int i = 0; i < 1000; ++i) {
    reached.insert(partition_for_key(as_bytes("key-" + std::to_string(i)), 16));
  }

  EXPECT_EQ(reached.size(), 16U);
  EXPECT_EQ(*reached.begin(), PartitionId(0));
  EXPECT_EQ(*reached.rbegin(), PartitionId(15));
}

}  // namespace
}  // namespace penstock
