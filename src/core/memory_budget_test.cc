#include "core/memory_budget.h"

#include <utility>

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(MemoryBudget, GivesNoMoreThanItsLimit) {
  MemoryBudget budget(100);

  EXPECT_TRUE(budget.try_take(60));
  EXPECT_FALSE(budget.try_take(41));
  EXPECT_TRUE(budget.try_take(40));
  EXPECT_EQ(budget.used(), 100U);
  budget.give_back(60);

  EXPECT_TRUE(budget.try_take(60));
}

TEST(MemoryBudget, AShareGivesBackWhatItTook) {
  MemoryBudget budget(100);
  {
    MemoryBudget::Share share(budget);
    EXPECT_TRUE(share.grow_to(70));
    EXPECT_TRUE(share.grow_to(50));  // has that already
    EXPECT_FALSE(share.grow_to(101));
    EXPECT_EQ(share.size(), 70U);
    share.resize_down(80);
    EXPECT_EQ(budget.used(), 70U);
    share.resize_down(30);
    EXPECT_EQ(budget.used(), 30U);
  }

  EXPECT_EQ(budget.used(), 0U);
}

TEST(MemoryBudget, WhatIsForcedCountsAndKeepsOthersOut) {
  MemoryBudget budget(100);
  MemoryBudget::Share share(budget);

  share.force_to(150);
  EXPECT_EQ(budget.used(), 150U);
  EXPECT_FALSE(budget.try_take(1));
  share.resize_down(99);

  EXPECT_TRUE(budget.try_take(1));
}

TEST(MemoryBudget, AMovedShareTakesItsBytesAlong) {
  MemoryBudget budget(100);
  MemoryBudget::Share first(budget);
  ASSERT_TRUE(first.grow_to(70));
  {
    const MemoryBudget::Share second = std::move(first);
    EXPECT_EQ(second.size(), 70U);
  }

  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace penstock
