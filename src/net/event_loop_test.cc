#include "net/event_loop.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "os/thread.h"
#include "testing/sim_clock.h"

namespace penstock::net {
namespace {

using std::chrono::microseconds;

class EventLoopTest : public ::testing::Test {
 protected:
  void turn() { loop_.run_once(microseconds(0)); }

  penstock::testing::SimClock clock_;
  EventLoop loop_{clock_};
  std::string happened_;
};

struct Hook final : TurnEndHook {
  explicit Hook(std::function<void()> function) : run(std::move(function)) {}

  void on_turn_end() override { run(); }

  std::function<void()> run;
};

TEST_F(EventLoopTest, RunsPostedTasksInOrder) {
  loop_.post([&] { happened_ += "a"; });
  loop_.post([&] { happened_ += "b"; });

  turn();

  EXPECT_EQ(happened_, "ab");
}

TEST_F(EventLoopTest, ATaskPostedByAnotherThreadEndsTheWait) {
  os::Thread other("other", [&](const os::StopToken&) { loop_.post([&] { happened_ = "x"; }); });

  while (happened_.empty()) {
    loop_.run_once(std::chrono::seconds(60));
  }

  EXPECT_EQ(happened_, "x");
}

TEST_F(EventLoopTest, WakeEndsTheWait) {
  loop_.wake();

  EXPECT_EQ(loop_.run_once(std::chrono::seconds(60)), 1U);
}

TEST_F(EventLoopTest, TimersRunOnceWhenTheyAreDue) {
  loop_.call_at(clock_.now() + microseconds(10), [&] { happened_ += "later "; });
  loop_.call_at(clock_.now() + microseconds(5), [&] { happened_ += "soon "; });
  const auto never = loop_.call_at(clock_.now(), [&] { happened_ += "never "; });
  loop_.cancel(never);

  turn();
  EXPECT_EQ(happened_, "");
  clock_.advance(microseconds(5));
  turn();
  EXPECT_EQ(happened_, "soon ");
  clock_.advance(microseconds(100));
  turn();
  turn();

  EXPECT_EQ(happened_, "soon later ");
}

TEST_F(EventLoopTest, ATimerMaySetAnother) {
  loop_.call_at(clock_.now(), [&] {
    happened_ += "a";
    loop_.call_at(loop_.now(), [&] { happened_ += "b"; });
  });

  turn();
  EXPECT_EQ(happened_, "a");
  turn();

  EXPECT_EQ(happened_, "ab");
}

TEST_F(EventLoopTest, HooksRunOnceAtTheEndOfTheTurn) {
  Hook second([&] { happened_ += "2"; });
  Hook first([&] {
    happened_ += "1";
    loop_.arm(second);
  });
  loop_.post([&] {
    loop_.arm(first);
    loop_.arm(first);
    happened_ += "task ";
  });

  turn();
  turn();

  EXPECT_EQ(happened_, "task 12");
}

TEST_F(EventLoopTest, AnArmedHookDoesNotWait) {
  Hook hook([&] { happened_ = "x"; });
  loop_.arm(hook);

  loop_.run_once(std::chrono::hours(1));

  EXPECT_EQ(happened_, "x");
}

TEST_F(EventLoopTest, TheTimeOfATurnStandsStill) {
  const auto begin = loop_.now();
  clock_.advance(microseconds(7));
  EXPECT_EQ(loop_.now(), begin);

  turn();

  EXPECT_EQ(loop_.now(), begin + microseconds(7));
}

TEST_F(EventLoopTest, ManyTasksDoNotKeepTheHooksWaiting) {
  int left = 100'000;
  int left_at_hook = 0;
  Hook hook([&] { left_at_hook = left; });
  std::function<void()> again = [&] {
    if (--left > 0) {
      loop_.post([&] { again(); });
    }
  };
  loop_.post([&] { again(); });
  loop_.arm(hook);

  turn();

  EXPECT_GT(left_at_hook, 0);
}

}  // namespace
}  // namespace penstock::net
