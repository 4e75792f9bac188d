#include "store/ordered_key.h"

#include <limits>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::store {
namespace {

using Parts = std::tuple<std::string, std::int64_t, std::uint32_t>;

std::string encode(const Parts& parts) {
  std::string key;
  append_ordered(key, std::get<0>(parts));
  append_ordered(key, std::get<1>(parts));
  append_ordered(key, std::get<2>(parts));
  return key;
}

std::vector<Parts> all_parts() {
  using Limits = std::numeric_limits<std::int64_t>;
  std::vector<Parts> all;
  for (const std::string& bytes :
       {std::string(), std::string("\0", 1), std::string("\0\0", 2), std::string("\0\xff", 2),
        std::string("a"), std::string("a\0", 2), std::string("a\0b", 3), std::string("ab"),
        std::string("\xff")}) {
    for (const std::int64_t number : {Limits::min(), std::int64_t{-1}, std::int64_t{0},
                                      std::int64_t{1}, std::int64_t{256}, Limits::max()}) {
      for (const std::uint32_t last : {0U, 1U, 0xffffffffU}) {
        all.emplace_back(bytes, number, last);
      }
    }
  }
  return all;
}

TEST(OrderedKey, SortsAsItsParts) {
  for (const Parts& left : all_parts()) {
    for (const Parts& right : all_parts()) {
      ASSERT_EQ(encode(left) < encode(right), left < right);
    }
  }
}

TEST(OrderedKey, GivesItsPartsBack) {
  for (const Parts& parts : all_parts()) {
    const std::string key = encode(parts);
    std::string_view rest = key;

    const std::string bytes = take_ordered_bytes(rest);
    const std::int64_t number = take_ordered_int64(rest);
    const std::uint32_t last = take_ordered_uint32(rest);

    EXPECT_EQ(Parts(bytes, number, last), parts);
    EXPECT_TRUE(rest.empty());
  }
}

}  // namespace
}  // namespace penstock::store
