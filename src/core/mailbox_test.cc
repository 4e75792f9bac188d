#include "core/mailbox.h"

#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/thread.h"

namespace penstock {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using ::testing::ElementsAre;

TEST(Mailbox, GivesMessagesInTheOrderSent) {
  Mailbox<int> mailbox(10);
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(mailbox.try_send(int{i}));
  }
  std::vector<int> received{0};

  EXPECT_EQ(mailbox.receive(received, 2), 2U);
  EXPECT_EQ(mailbox.size(), 1U);
  EXPECT_EQ(mailbox.receive(received), 1U);
  EXPECT_THAT(received, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(mailbox.receive(received), 0U);
}

TEST(Mailbox, RefusesWhenFullAndLeavesTheMessageAlone) {
  Mailbox<std::unique_ptr<int>> mailbox(1);
  ASSERT_TRUE(mailbox.try_send(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);

  EXPECT_FALSE(mailbox.try_send(std::move(second)));
  ASSERT_NE(second, nullptr);  // NOLINT(bugprone-use-after-move)

  std::vector<std::unique_ptr<int>> received;
  mailbox.receive(received);
  EXPECT_TRUE(mailbox.try_send(std::move(second)));
}

TEST(Mailbox, AfterClosingOnlyWhatWasAcceptedIsReceived) {
  Mailbox<int> mailbox(10);
  ASSERT_TRUE(mailbox.try_send(1));
  mailbox.close();
  std::vector<int> received;

  EXPECT_TRUE(mailbox.closed());
  EXPECT_FALSE(mailbox.try_send(2));
  mailbox.receive(received);
  EXPECT_THAT(received, ElementsAre(1));
}

TEST(Mailbox, TheHookRunsWhenAMessageMeetsAnEmptyMailbox) {
  Mailbox<int> mailbox(10);
  int wakes = 0;
  mailbox.set_wake_hook([&] { ++wakes; });
  std::vector<int> received;

  EXPECT_TRUE(mailbox.try_send(1));
  EXPECT_TRUE(mailbox.try_send(2));
  EXPECT_EQ(wakes, 1);
  mailbox.receive(received);
  EXPECT_TRUE(mailbox.try_send(3));
  EXPECT_EQ(wakes, 2);
}

TEST(Mailbox, WaitingEndsAtOnceWhenThereIsAReason) {
  Mailbox<int> mailbox(10);
  mailbox.wake();
  mailbox.wait(hours(1));
  ASSERT_TRUE(mailbox.try_send(1));
  mailbox.wait(hours(1));
  std::vector<int> received;
  mailbox.receive(received);
  mailbox.wait(microseconds(1));
  mailbox.close();
  mailbox.wait(hours(1));
}

TEST(Mailbox, WaitingEndsWhenAMessageArrives) {
  Mailbox<int> mailbox(10);
  testing::Thread sender(
      "sender", [&](const testing::StopToken&) { static_cast<void>(mailbox.try_send(7)); });
  std::vector<int> received;
  while (mailbox.receive(received) == 0) {
    mailbox.wait(hours(1));
  }
  sender.join();

  EXPECT_THAT(received, ElementsAre(7));
}

TEST(Mailbox, ManySendersLoseNothingAndKeepTheirOrder) {
  constexpr int kSenders = 3;
  constexpr int kEach = 2000;
  Mailbox<std::pair<int, int>> mailbox(64);
  std::vector<std::unique_ptr<testing::Thread>> senders;
  senders.reserve(kSenders);
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.push_back(
        std::make_unique<testing::Thread>("sender", [&mailbox, sender](const testing::StopToken&) {
          for (int i = 0; i < kEach; ++i) {
            while (!mailbox.try_send({sender, i})) {
            }
          }
        }));
  }
  std::vector<int> next(kSenders, 0);
  std::vector<std::pair<int, int>> received;
  int count = 0;
  while (count < kSenders * kEach) {
    mailbox.wait(hours(1));
    received.clear();
    count += static_cast<int>(mailbox.receive(received));
    for (const auto& [sender, i] : received) {
      ASSERT_EQ(i, next[static_cast<std::size_t>(sender)]++);
    }
  }
  senders.clear();
  EXPECT_EQ(mailbox.size(), 0U);
}

}  // namespace
}  // namespace penstock
