#include "core/bytes.h"

#include <array>

#include <gtest/gtest.h>

#include "core/buffer.h"

namespace penstock {
namespace {

TEST(Bytes, AreStoredInTheNamedOrder) {
  std::array<std::byte, 8> room{};

  store_be(room.data(), std::uint32_t{0x01020304});
  EXPECT_EQ(as_text(ByteView(room).first(4)), "\x01\x02\x03\x04");
  store_le(room.data(), std::uint32_t{0x01020304});
  EXPECT_EQ(as_text(ByteView(room).first(4)), "\x04\x03\x02\x01");
}

TEST(Bytes, AreLoadedAsStored) {
  std::array<std::byte, 8> room{};

  store_be(room.data(), std::int64_t{-2});
  EXPECT_EQ(load_be<std::int64_t>(room.data()), -2);
  store_le(room.data(), std::int16_t{-300});
  EXPECT_EQ(load_le<std::int16_t>(room.data()), -300);
  store_be(room.data(), std::int8_t{-1});
  EXPECT_EQ(load_be<std::uint8_t>(room.data()), 255);
}

TEST(Bytes, AndTextAreTheSame) {
  EXPECT_EQ(as_text(to_bytes("text")), "text");
  EXPECT_EQ(as_bytes("text").size(), 4U);
}

TEST(Buffer, KeepsItsContentsWhenItGrows) {
  Buffer buffer(as_bytes("contents"));
  buffer.resize(100'000);
  EXPECT_EQ(as_text(ByteView(buffer).first(8)), "contents");

  buffer.resize(8);
  EXPECT_EQ(as_text(buffer), "contents");
  EXPECT_EQ(buffer.capacity(), 100'000U);
}

TEST(Buffer, IsCopiedAndMovedAsAValue) {
  Buffer one(as_bytes("one"));
  const Buffer copy = one;
  one[0] = std::byte{'O'};
  EXPECT_EQ(as_text(copy), "one");
  EXPECT_FALSE(one == copy);

  const Buffer moved = std::move(one);
  EXPECT_EQ(as_text(moved), "One");
  one = copy;
  EXPECT_TRUE(one == copy);
  one.clear();
  EXPECT_TRUE(one.empty());
}

}  // namespace
}  // namespace penstock
