#include "core/padded_buffer.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(PaddedBuffer, GrowsAndKeepsItsContents) {
  PaddedBuffer buffer;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    buffer.append(as_bytes(piece));
    expected += piece;
  }

  EXPECT_EQ(buffer.text(), expected);
}

TEST(PaddedBuffer, HasReadableBytesBehindItsContents) {
  for (const std::size_t size : {1U, 63U, 64U, 1000U}) {
    PaddedBuffer buffer;
    std::memset(buffer.prepare(size).data(), 'x', size);
    buffer.commit(size);

    unsigned sum = 0;
    for (std::size_t i = 0; i < PaddedBuffer::kPadding; ++i) {
      const volatile std::byte* const behind = buffer.data() + size + i;
      sum += std::to_integer<unsigned>(*behind);  // a sanitizer would object
    }
    EXPECT_LE(sum, 64U * 255U);
  }
}

TEST(PaddedBuffer, ClearKeepsTheMemoryAndReleaseGivesItBack) {
  PaddedBuffer buffer("some text");
  const std::size_t capacity = buffer.capacity();

  buffer.clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), capacity);
  buffer.release();

  EXPECT_EQ(buffer.capacity(), 0U);
}

TEST(PaddedBuffer, ReserveIsExact) {
  PaddedBuffer buffer("abc");

  buffer.reserve(1000);
  buffer.reserve(10);

  EXPECT_EQ(buffer.capacity(), 1000U);
  EXPECT_EQ(buffer.text(), "abc");
}

TEST(PaddedBuffer, MovingLeavesAnEmptyOne) {
  PaddedBuffer from("abc");

  const PaddedBuffer to = std::move(from);

  EXPECT_EQ(to.text(), "abc");
  EXPECT_TRUE(from.empty());       // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(from.capacity(), 0U);  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace penstock
