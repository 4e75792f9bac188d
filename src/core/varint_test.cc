#include "core/varint.h"

#include <array>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

using ::testing::ElementsAre;

std::vector<int> encoded(std::int64_t value) {
  std::array<std::byte, kVarintSizeMax> room{};
  const std::byte* end = put_varint(room.data(), value);
  std::vector<int> bytes;
  for (const std::byte* at = room.data(); at != end; ++at) {
    bytes.push_back(std::to_integer<int>(*at));
  }
  return bytes;
}

// The examples of the Protocol Buffers documentation, and the ends of the range.
TEST(Varint, IsZigzagLowGroupFirst) {
  EXPECT_THAT(encoded(0), ElementsAre(0));
  EXPECT_THAT(encoded(-1), ElementsAre(1));
  EXPECT_THAT(encoded(1), ElementsAre(2));
  EXPECT_THAT(encoded(-2), ElementsAre(3));
  EXPECT_THAT(encoded(63), ElementsAre(126));
  EXPECT_THAT(encoded(64), ElementsAre(0x80, 1));
  EXPECT_THAT(encoded(150), ElementsAre(0xac, 2));
  EXPECT_THAT(encoded(std::numeric_limits<std::int64_t>::max()),
              ElementsAre(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1));
  EXPECT_THAT(encoded(std::numeric_limits<std::int64_t>::min()),
              ElementsAre(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1));
}

TEST(Varint, IsReadBackAtEveryPowerOfTwo) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const std::int64_t step : {-1, 0, 1}) {
      const auto value =
          static_cast<std::int64_t>((std::uint64_t{1} << bit) + static_cast<std::uint64_t>(step));
      std::array<std::byte, kVarintSizeMax> room{};
      const std::byte* end = put_varint(room.data(), value);
      std::int64_t back = 0;

      ASSERT_EQ(get_varint(room.data(), end, back), end);
      ASSERT_EQ(back, value);
      ASSERT_EQ(static_cast<std::size_t>(end - room.data()), varint_size(value));
    }
  }
}

TEST(Varint, CutShortIsRefused) {
  std::array<std::byte, kVarintSizeMax> room{};
  const std::byte* end = put_varint(room.data(), std::numeric_limits<std::int64_t>::min());
  std::int64_t value = 0;
  for (const std::byte* cut = room.data(); cut != end; ++cut) {
    EXPECT_EQ(get_varint(room.data(), cut, value), nullptr);
  }
}

TEST(Varint, MoreThan64BitsAreRefused) {
  std::array<std::byte, 11> room{};
  room.fill(std::byte{0xff});
  std::int64_t value = 0;

  room[9] = std::byte{2};
  EXPECT_EQ(get_varint(room.data(), room.data() + room.size(), value), nullptr);
  room[9] = std::byte{0x81};
  room[10] = std::byte{0};
  EXPECT_EQ(get_varint(room.data(), room.data() + room.size(), value), nullptr);
  room[9] = std::byte{1};
  EXPECT_EQ(get_varint(room.data(), room.data() + room.size(), value), room.data() + 10);
}

}  // namespace
}  // namespace penstock
