#include "core/result.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace penstock {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) {
    return Error(ErrorCode::kInvalid, std::to_string(number) + " is odd");
  }
  return number / 2;
}

Result<int> quarter(int number) {
  PENSTOCK_TRY_ASSIGN(const int once, half(number));
  PENSTOCK_TRY_ASSIGN(const int twice, half(once));
  return twice;
}

Status check_half(int number) {
  PENSTOCK_TRY(half(number));
  return {};
}

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = half(4);
  const Result<int> bad = half(3);

  EXPECT_TRUE(good.has_value());
  EXPECT_EQ(*good, 2);
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(bad.error().message(), "3 is odd");
  EXPECT_EQ(half(3).value_or(7), 7);
  EXPECT_EQ(half(8).value_or(7), 4);
}

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(7).error().message(), "7 is odd");
  EXPECT_EQ(quarter(6).error().message(), "3 is odd");
  EXPECT_TRUE(check_half(2).has_value());
  EXPECT_FALSE(check_half(1).has_value());
}

TEST(Result, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);

  const std::unique_ptr<int> taken = *std::move(result);

  EXPECT_EQ(*taken, 5);
}

TEST(Result, ATemporaryMayBeLoopedOver) {
  const auto words = [] { return Result<std::vector<std::string>>({"one", "two and some more"}); };
  std::string all;
  for (const std::string& word : *words()) {
    all += word + ";";
  }

  EXPECT_EQ(all, "one;two and some more;");
}

TEST(Error, GathersContextOnTheWayUp) {
  const Error error = Error(ErrorCode::kBusy, "no space").with("segment 42").with("append");

  EXPECT_EQ(error.code(), ErrorCode::kBusy);
  EXPECT_EQ(error.message(), "append: segment 42: no space");
  EXPECT_EQ(error.to_string(), "busy: append: segment 42: no space");
}

TEST(Error, EveryCodeHasItsName) {
  EXPECT_EQ(to_string(ErrorCode::kRetry), "retry");
  EXPECT_EQ(to_string(ErrorCode::kBusy), "busy");
  EXPECT_EQ(to_string(ErrorCode::kInvalid), "invalid");
  EXPECT_EQ(to_string(ErrorCode::kNotFound), "not_found");
  EXPECT_EQ(to_string(ErrorCode::kAbortTxn), "abort_transaction");
  EXPECT_EQ(to_string(ErrorCode::kFenced), "fenced");
  EXPECT_EQ(to_string(ErrorCode::kCorrupt), "corrupt");
  EXPECT_EQ(to_string(ErrorCode::kFatal), "fatal");
}

TEST(ResultDeathTest, TheWrongHalfCannotBeTaken) {
  EXPECT_DEATH(static_cast<void>(*half(3)), "has_value");
  EXPECT_DEATH(static_cast<void>(half(4).error()), "has_value");
  EXPECT_DEATH(static_cast<void>(Status().error()), "has_value");
}

TEST(CheckDeathTest, SaysWhereAndWhat) {
  EXPECT_DEATH(PENSTOCK_CHECK(1 + 1 == 3), "check failed at .*result_test.cc:[0-9]+: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace penstock
