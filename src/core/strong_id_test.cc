#include "core/strong_id.h"

#include <type_traits>
#include <unordered_set>

#include <gtest/gtest.h>

namespace penstock {
namespace {

using ShelfId = StrongId<struct ShelfIdTag, std::int32_t>;
using BookId = StrongId<struct BookIdTag, std::int32_t>;
using Page = StrongPosition<struct PageTag>;
using Line = StrongPosition<struct LineTag>;

template <typename A, typename B>
concept Comparable = requires(A a, B b) {
  a == b;
};

template <typename A, typename B>
concept Subtractable = requires(A a, B b) {
  a - b;
};

static_assert(!std::is_convertible_v<int, ShelfId>, "made explicitly");
static_assert(!std::is_convertible_v<ShelfId, int>, "left explicitly");
static_assert(!std::is_convertible_v<ShelfId, BookId>, "kinds do not mix");
static_assert(!Comparable<ShelfId, BookId> && !Comparable<ShelfId, int>);
static_assert(!Comparable<Page, Line> && !Subtractable<Page, Line>);
static_assert(Subtractable<Page, Page>);

TEST(StrongId, OrdersAndHashes) {
  EXPECT_LT(ShelfId(1), ShelfId(2));
  EXPECT_EQ(ShelfId(), ShelfId(0));
  const std::unordered_set<ShelfId> shelves{ShelfId(1), ShelfId(2), ShelfId(1)};
  EXPECT_EQ(shelves.size(), 2U);
  EXPECT_EQ(to_string(ShelfId(-3)), "-3");
}

TEST(StrongPosition, MovesByCountsAndMeasuresDistance) {
  Page page(10);
  page += 5;

  EXPECT_EQ(page, Page(15));
  EXPECT_EQ(page + 1, Page(16));
  EXPECT_EQ(Page(16) - page, 1);
  EXPECT_EQ(to_string(page), "15");
}

}  // namespace
}  // namespace penstock
