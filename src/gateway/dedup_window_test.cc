#include "gateway/dedup_window.h"

#include <deque>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "os/random.h"

namespace penstock::gateway {
namespace {

using Claim = DedupWindow::Claim;

IdHash id(std::uint64_t number) {
  // Few distinct fingerprints, so that probing and gaps get their share.
  return {number * 0x9e3779b97f4a7c15 & 0xffffffffffffff0f, number};
}

WindowOptions window_of(std::size_t count, int seconds = 1000) {
  return {.count_max = count, .time_max = std::chrono::seconds(seconds)};
}

TEST(DedupWindow, AnIdIsNewOnceAndKnownAfterItsAppendIsDurable) {
  DedupWindow window(window_of(10));
  const auto append = window.begin_append();

  EXPECT_EQ(window.claim(id(1), append, 0).claim, Claim::kNew);
  EXPECT_EQ(window.claim(id(1), append, 0).claim, Claim::kOwn);
  static_cast<void>(window.settle(append, true));

  EXPECT_EQ(window.claim(id(1), window.begin_append(), 0).claim, Claim::kDuplicate);
}

TEST(DedupWindow, AnIdOfAnotherAppendIsPendingUntilThatIsSettled) {
  DedupWindow window(window_of(10));
  const auto first = window.begin_append();
  const auto second = window.begin_append();
  ASSERT_EQ(window.claim(id(1), first, 0).claim, Claim::kNew);

  const auto result = window.claim(id(1), second, 0);

  EXPECT_EQ(result.claim, Claim::kPending);
  EXPECT_EQ(result.holder, first);
}

TEST(DedupWindow, AFailedAppendFreesItsIds) {
  DedupWindow window(window_of(10));
  const auto first = window.begin_append();
  const auto second = window.begin_append();
  ASSERT_EQ(window.claim(id(1), first, 0).claim, Claim::kNew);
  ASSERT_EQ(window.claim(id(2), second, 0).claim, Claim::kNew);

  static_cast<void>(window.settle(first, false));

  EXPECT_EQ(window.size(), 1U);
  EXPECT_EQ(window.claim(id(1), second, 0).claim, Claim::kNew);
  EXPECT_EQ(window.claim(id(2), second, 0).claim, Claim::kOwn);
}

TEST(DedupWindow, AClaimThatIsGivenUpIsFree) {
  DedupWindow window(window_of(10));
  const auto append = window.begin_append();
  ASSERT_EQ(window.claim(id(1), append, 0).claim, Claim::kNew);

  window.give_up(id(1), append);

  EXPECT_EQ(window.claim(id(1), window.begin_append(), 0).claim, Claim::kNew);
}

TEST(DedupWindow, TellsThoseWhoWaitWhenAnAppendIsSettled) {
  DedupWindow window(window_of(10));
  const auto append = window.begin_append();
  int told = 0;
  window.wait_for(append, [&] { ++told; });
  window.wait_for(append, [&] { ++told; });

  for (DedupWindow::Waiter& waiter : window.settle(append, true)) {
    waiter();
  }

  EXPECT_EQ(told, 2);
}

TEST(DedupWindow, ForgetsTheOldestByCount) {
  DedupWindow window(window_of(3));
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto append = window.begin_append();
    ASSERT_EQ(window.claim(id(i), append, 0).claim, Claim::kNew);
    static_cast<void>(window.settle(append, true));
  }
  const auto append = window.begin_append();

  EXPECT_EQ(window.size(), 3U);
  EXPECT_EQ(window.claim(id(1), append, 0).claim, Claim::kDuplicate);
  EXPECT_EQ(window.claim(id(0), append, 0).claim, Claim::kNew);
}

// A full disk, or a queue that is, makes clients send the same events again and again: that must
// not push out what is known to be durable.
TEST(DedupWindow, AppendsThatFailForgetNoneButAFewOfTheOldest) {
  constexpr std::uint64_t kCount = 800;
  DedupWindow window(window_of(kCount));
  for (std::uint64_t i = 0; i < kCount; ++i) {
    window.restore(id(i), 0);
  }

  const auto elsewhere = window.begin_append();
  for (int i = 0; i < 2 * static_cast<int>(kCount); ++i) {
    const auto append = window.begin_append();
    ASSERT_EQ(window.claim(id(kCount), append, 0).claim, Claim::kNew);
    static_cast<void>(window.settle(append, false));
    ASSERT_EQ(window.claim(id(kCount), elsewhere, 0).claim, Claim::kNew);
    window.give_up(id(kCount), elsewhere);
  }

  EXPECT_GE(window.size(), kCount - kCount / 8);
  const auto append = window.begin_append();
  EXPECT_EQ(window.claim(id(kCount / 8), append, 0).claim, Claim::kDuplicate);
  EXPECT_EQ(window.claim(id(kCount - 1), append, 0).claim, Claim::kDuplicate);
  EXPECT_EQ(window.claim(id(kCount), elsewhere, 0).claim, Claim::kNew);
  static_cast<void>(window.settle(elsewhere, false));
  EXPECT_EQ(window.claim(id(kCount), append, 0).claim, Claim::kNew);
}

TEST(DedupWindow, ForgetsByTime) {
  DedupWindow window(window_of(10, 60));
  const auto append = window.begin_append();
  ASSERT_EQ(window.claim(id(1), append, 1000).claim, Claim::kNew);
  static_cast<void>(window.settle(append, true));
  const auto later = window.begin_append();

  EXPECT_EQ(window.claim(id(1), later, 1060).claim, Claim::kDuplicate);
  EXPECT_EQ(window.claim(id(1), later, 1061).claim, Claim::kNew);
  EXPECT_EQ(window.size(), 1U);
}

TEST(DedupWindow, RestoredIdsAreKnown) {
  DedupWindow window(window_of(10));

  window.restore(id(1), 5);
  window.restore(id(1), 6);

  EXPECT_EQ(window.size(), 1U);
  EXPECT_EQ(window.claim(id(1), window.begin_append(), 7).claim, Claim::kDuplicate);
}

TEST(DedupWindow, TakesAtMost56BytesForEachId) {
  for (const std::size_t count : {1000U, 1024U, 1025U, 100'000U}) {
    DedupWindow window(window_of(count));
    for (std::uint64_t i = 0; i < 2 * count; ++i) {
      window.restore(id(i), 0);
    }

    EXPECT_EQ(window.size(), count);
    EXPECT_LE(window.memory_bytes(), 57 * count);
    EXPECT_GE(window.memory_bytes(), 40 * count);
  }
}

// The same claims and settlements against the plainest possible window.
class Model {
 public:
  explicit Model(std::size_t count_max) : count_max_(count_max) {}

  Claim claim(std::uint64_t number, std::uint32_t append) {
    const auto found = holders_.find(number);
    if (found != holders_.end()) {
      return found->second == append              ? Claim::kOwn
             : in_flight_.contains(found->second) ? Claim::kPending
                                                  : Claim::kDuplicate;
    }
    for (int i = 0; i < 4 && !order_.empty() && !holders_.contains(order_.front()); ++i) {
      order_.pop_front();
    }
    if (order_.size() == count_max_) {
      const std::size_t gone_count = order_.size() - holders_.size();
      if (gone_count * 8 >= count_max_) {
        std::erase_if(order_, [&](std::uint64_t known) { return !holders_.contains(known); });
      } else {
        holders_.erase(order_.front());
        order_.pop_front();
      }
    }
    order_.push_back(number);
    holders_[number] = append;
    return Claim::kNew;
  }

  void begin(std::uint32_t append) { in_flight_.insert(append); }

  void settle(std::uint32_t append, bool durable) {
    in_flight_.erase(append);
    for (std::uint64_t& number : order_) {
      const auto found = holders_.find(number);
      if (!durable && found != holders_.end() && found->second == append) {
        holders_.erase(found);
        number = gone_--;  // its place in the order stays taken for a while
      }
    }
  }

 private:
  const std::size_t count_max_;
  std::uint64_t gone_ = ~std::uint64_t{0};
  std::deque<std::uint64_t> order_;
  std::map<std::uint64_t, std::uint32_t> holders_;
  std::set<std::uint32_t> in_flight_;
};

TEST(DedupWindow, AgreesWithAModelOverManyClaimsAndFailures) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    os::SeededRandom random(seed);
    const std::size_t count_max = 1 + random.below(400);
    DedupWindow window(window_of(count_max));
    Model model(count_max);
    std::deque<DedupWindow::AppendId> appends;
    for (int step = 0; step < 6000; ++step) {
      if (appends.size() < 3 && random.below(10) == 0) {
        appends.push_back(window.begin_append());
        model.begin(appends.back().value());
      }
      if (!appends.empty() && random.below(30) == 0) {
        const bool durable = random.below(4) != 0;
        static_cast<void>(window.settle(appends.front(), durable));
        model.settle(appends.front().value(), durable);
        appends.pop_front();
      }
      if (!appends.empty()) {
        const std::uint64_t number = random.below(2 * count_max + 10);
        const auto append = appends[random.below(appends.size())];
        ASSERT_EQ(window.claim(id(number), append, 0).claim, model.claim(number, append.value()))
            << "seed " << seed << " step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace penstock::gateway
