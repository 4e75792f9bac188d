// Tests of the small owners: Ref, UniqueFunction, Guarded, Counter and Flag.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/counter.h"
#include "core/guarded.h"
#include "core/ref_counted.h"
#include "core/unique_function.h"
#include "testing/thread.h"

namespace penstock {
namespace {

class Tracked final : public RefCounted {
 public:
  explicit Tracked(int& alive) : alive_(alive) { ++alive_; }

  ~Tracked() override { --alive_; }

 private:
  int& alive_;
};

TEST(Ref, TheLastOneDeletes) {
  int alive = 0;
  {
    Ref<Tracked> one = make_ref<Tracked>(alive);
    EXPECT_TRUE(one->has_one_ref());
    {
      const Ref<Tracked> two = one;  // NOLINT(performance-unnecessary-copy-initialization)
      EXPECT_FALSE(one->has_one_ref());
    }
    EXPECT_TRUE(one->has_one_ref());
    const Ref<Tracked> moved = std::move(one);
    EXPECT_FALSE(one);  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(moved->has_one_ref());
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Ref, AssignmentLetsGoOfTheOldObject) {
  int alive = 0;
  Ref<Tracked> ref = make_ref<Tracked>(alive);
  ref = make_ref<Tracked>(alive);
  EXPECT_EQ(alive, 1);
  const Ref<Tracked>& same = ref;
  ref = same;
  EXPECT_EQ(alive, 1);
  ref = {};
  EXPECT_EQ(alive, 0);
}

TEST(Ref, AnObjectCanBeHeldAsItsBase) {
  int alive = 0;
  Ref<RefCounted> base = make_ref<Tracked>(alive);

  base = {};

  EXPECT_EQ(alive, 0);
}

TEST(Ref, IsCopiedAndDroppedOnManyThreads) {
  int alive = 0;
  Ref<Tracked> shared = make_ref<Tracked>(alive);
  std::vector<std::unique_ptr<testing::Thread>> threads;
  threads.reserve(3);
  for (int i = 0; i < 3; ++i) {
    threads.push_back(
        std::make_unique<testing::Thread>("copier", [ref = shared](const testing::StopToken&) {
          for (int turn = 0; turn < 10'000; ++turn) {
            const Ref<Tracked> copy = ref;  // NOLINT(performance-unnecessary-copy-initialization)
          }
        }));
  }
  threads.clear();

  EXPECT_TRUE(shared->has_one_ref());
  EXPECT_EQ(alive, 1);
}

TEST(UniqueFunction, OwnsWhatCannotBeCopied) {
  UniqueFunction<int(int)> add = [base = std::make_unique<int>(40)](int more) {
    return *base + more;
  };
  UniqueFunction<int(int)> moved = std::move(add);

  EXPECT_EQ(moved(2), 42);
  EXPECT_FALSE(add);  // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(moved);
}

TEST(UniqueFunction, PassesReferencesAndMovesArguments) {
  std::string seen;
  UniqueFunction<void(std::string&, std::unique_ptr<int>)> call =
      [](std::string& to, std::unique_ptr<int> number) { to = std::to_string(*number); };

  call(seen, std::make_unique<int>(9));

  EXPECT_EQ(seen, "9");
}

TEST(UniqueFunctionDeathTest, AnEmptyOneCannotBeCalled) {
  UniqueFunction<void()> none;

  EXPECT_DEATH(none(), "callable_");
}

TEST(Guarded, GivesTheValueOnlyUnderItsLock) {
  Guarded<std::vector<int>> guarded(std::size_t{2}, 7);
  guarded.with([](std::vector<int>& values) { values.push_back(8); });
  const auto& constant = guarded;

  EXPECT_EQ(constant.with([](const std::vector<int>& values) { return values; }),
            (std::vector<int>{7, 7, 8}));
}

TEST(Counter, AddsFromManyThreads) {
  Counter counter;
  std::vector<std::unique_ptr<testing::Thread>> threads;
  threads.reserve(3);
  for (int i = 0; i < 3; ++i) {
    threads.push_back(std::make_unique<testing::Thread>("adder", [&](const testing::StopToken&) {
      for (int turn = 0; turn < 10'000; ++turn) {
        counter.add(2);
        counter.sub(1);
      }
    }));
  }
  threads.clear();

  EXPECT_EQ(counter.get(), 30'000U);
  counter.set(5);
  EXPECT_EQ(counter.get(), 5U);
}

TEST(Flag, IsRaisedAndLowered) {
  Flag flag;
  EXPECT_FALSE(flag.raised());
  flag.raise();
  EXPECT_TRUE(flag.raised());
  flag.lower();
  EXPECT_FALSE(flag.raised());
}

}  // namespace
}  // namespace penstock
