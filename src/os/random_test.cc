#include "os/random.h"

#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock::os {
namespace {

using ::testing::ElementsAre;

// Gives out what it was told to, for tests of what Random makes of it.
class Scripted final : public Random {
 public:
  explicit Scripted(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}

  std::uint64_t next() override { return numbers_.at(used_++); }

  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  std::vector<std::uint64_t> numbers_;
  std::size_t used_ = 0;
};

// Expected numbers: splitmix64 and xoshiro256** in Python, written from the authors' description.
TEST(SeededRandom, GivesTheNumbersOfXoshiro) {
  SeededRandom random(0);
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 4; ++i) {
    numbers.push_back(random.next());
  }

  EXPECT_THAT(numbers, ElementsAre(0x99ec5f36cb75f2b4U, 0xbf6e1f784956452aU, 0x1a5f849d4933e6e0U,
                                   0x6aa594f1262d2d2cU));
}

TEST(SeededRandom, EqualSeedsGiveEqualNumbers) {
  SeededRandom one(42);
  SeededRandom two(42);
  SeededRandom other(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t number = one.next();
    ASSERT_EQ(number, two.next());
    differs = differs || number != other.next();
  }

  EXPECT_TRUE(differs);
}

TEST(Random, BelowStaysBelowAndReachesEverything) {
  SeededRandom random(1);
  std::set<std::uint64_t> reached;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t number = random.below(10);
    ASSERT_LT(number, 10U);
    reached.insert(number);
  }

  EXPECT_EQ(reached.size(), 10U);
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, BelowThrowsAwayNumbersThatWouldFavourSmallResults) {
  // 2^64 mod 10 = 6: of the first six numbers there would be one more than of the others.
  Scripted random({0, 5, 6});

  EXPECT_EQ(random.below(10), 6U);
  EXPECT_EQ(random.used(), 3U);
}

TEST(Random, UuidsAreOfVersion4) {
  Scripted random({0xffff'ffff'ffff'ffff, 0xffff'ffff'ffff'ffff, 0, 0});

  const auto ones = random.uuid();
  const auto zeros = random.uuid();

  EXPECT_EQ(ones[6], std::byte{0x4f});
  EXPECT_EQ(ones[8], std::byte{0xbf});
  EXPECT_EQ(zeros[6], std::byte{0x40});
  EXPECT_EQ(zeros[8], std::byte{0x80});
}

TEST(RandomSeed, IsHardlyEverTheSame) {
  EXPECT_NE(random_seed(), random_seed());
}

}  // namespace
}  // namespace penstock::os
