#include "os/thread.h"

#include <csignal>
#include <string>

#include <gtest/gtest.h>
#include <pthread.h>

#include "core/completion.h"

namespace penstock::os {
namespace {

TEST(Thread, RunsUntilAskedToStop) {
  Counter turns;
  {
    Thread thread("turner", [&](const StopToken& stop) {
      while (!stop.requested()) {
        turns.add(1);
      }
      turns.set(0);
    });
    while (turns.get() == 0) {
    }
    thread.request_stop();
    thread.join();
    EXPECT_EQ(turns.get(), 0U);
  }
}

TEST(Thread, TheDestructorStopsAndJoins) {
  Flag ended;
  {
    const Thread thread("ender", [&](const StopToken& stop) {
      while (!stop.requested()) {
      }
      ended.raise();
    });
  }

  EXPECT_TRUE(ended.raised());
}

TEST(Thread, BlocksSignalsAndLeavesTheCallersMask) {
  sigset_t before;
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &before), 0);
  auto [answer, source] = make_completion<bool>();
  Thread thread("masked", [&, giver = &source](const StopToken&) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    giver->set(sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1);
  });

  EXPECT_TRUE(*answer.wait());
  sigset_t after;
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &after), 0);
  EXPECT_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

TEST(Thread, CarriesItsNameCutTo15Characters) {
  auto [answer, source] = make_completion<std::string>();
  Counter named;
  Thread thread("a-name-that-is-too-long", [&, giver = &source](const StopToken&) {
    while (named.get() == 0) {
    }
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof(name));
    giver->set(std::string(name));
  });
  named.set(1);  // the name is set before the constructor returns

  EXPECT_EQ(*answer.wait(), "a-name-that-is-");
}

}  // namespace
}  // namespace penstock::os
