#include "core/completion.h"

#include <string>

#include <gtest/gtest.h>

#include "testing/thread.h"

namespace penstock {
namespace {

TEST(Completion, IsReadyOnceAnswered) {
  auto [answer, source] = make_completion<int>();
  EXPECT_FALSE(answer.ready());
  EXPECT_FALSE(answer.wait_for(std::chrono::microseconds(1)));

  source.set(5);

  EXPECT_TRUE(answer.ready());
  EXPECT_TRUE(answer.wait_for(std::chrono::hours(1)));
  EXPECT_EQ(*answer.take(), 5);
}

TEST(Completion, CarriesErrors) {
  auto [answer, source] = make_completion<std::string>();

  source.set(Error(ErrorCode::kBusy, "later"));

  EXPECT_EQ(answer.take().error().code(), ErrorCode::kBusy);
}

TEST(Completion, AGiverThatGoesAwayAnswersFatal) {
  auto [answer, source] = make_completion<int>();
  { const CompletionSource<int> gone = std::move(source); }

  ASSERT_TRUE(answer.ready());
  EXPECT_EQ(answer.take().error().code(), ErrorCode::kFatal);
}

TEST(Completion, WakesTheThreadThatWaits) {
  auto [answer, source] = make_completion<int>();
  testing::Thread giver("giver", [&, to = &source](const testing::StopToken&) { to->set(7); });

  EXPECT_EQ(*answer.wait(), 7);
  giver.join();
}

TEST(Completion, OneWithoutAValueWorks) {
  auto [answer, source] = make_completion<void>();

  source.set(Status());

  EXPECT_TRUE(answer.take().has_value());
}

TEST(CompletionDeathTest, CannotBeAnsweredTwice) {
  auto [answer, source] = make_completion<int>();
  source.set(1);

  EXPECT_DEATH(source.set(2), "state_");
}

}  // namespace
}  // namespace penstock
