#include "sinks/runtime/dead_letter_book.h"

#include <gtest/gtest.h>

#include "sinks/runtime/sink_fixture_test.h"

namespace penstock::sinks {
namespace {

class DeadLetterBookTest : public ::testing::Test, protected SinkWorld {
 protected:
  std::unique_ptr<DeadLetterBook> opened(const char* sink = "db") {
    auto book = std::make_unique<DeadLetterBook>(
        log_, clock_, registry_, DeadLetterBook::Options{sink, "app", std::nullopt});
    PENSTOCK_CHECK(book->open().has_value());
    return book;
  }

  Status append(DeadLetterBook& book, std::vector<std::int64_t> offsets,
                std::int32_t partition = 1) {
    std::vector<DeadLetterBook::Letter> letters;
    for (const std::int64_t offset : offsets) {
      letters.push_back({PartitionId(partition), Offset(offset), as_bytes("{}"), "no"});
    }
    book.append(letters);
    log_.run_once();
    return book.settle();
  }

  static bool has(const DeadLetterBook& book, std::int64_t offset) {
    return book.contains(PartitionId(1), Offset(offset));
  }

  double records(const char* stage) {
    return registry_
        .value("penstock_sink_dead_letter_records_total", {{"topic", "app.dlq"}, {"stage", stage}})
        .value_or(-1);
  }
};

TEST_F(DeadLetterBookTest, KnowsItsDeadLettersAlsoWhenOpenedAgain) {
  auto book = opened();
  ASSERT_TRUE(append(*book, {3, 7}));
  ASSERT_TRUE(append(*book, {9}));
  ASSERT_TRUE(append(*book, {3}, 2));
  book.reset();
  log_.crash();

  book = opened();

  EXPECT_TRUE(has(*book, 3) && has(*book, 7) && has(*book, 9));
  EXPECT_FALSE(has(*book, 4));
  EXPECT_FALSE(opened("other")->contains(PartitionId(1), Offset(3)));
  EXPECT_EQ(letters().size(), 4U);
}

TEST_F(DeadLetterBookTest, ForgetsWhatThePositionHasPassed) {
  auto book = opened();
  ASSERT_TRUE(append(*book, {3, 7}));

  book->forget_before(PartitionId(1), Offset(4));

  EXPECT_FALSE(has(*book, 3));
  EXPECT_TRUE(has(*book, 7));
  ASSERT_TRUE(append(*book, {8}));  // the next note does not hold it any more
  EXPECT_FALSE(has(*opened(), 3));
}

TEST_F(DeadLetterBookTest, WhatCouldNotBeCommittedIsNoDeadLetter) {
  auto book = opened();
  log_.fail_commits(1, ErrorCode::kBusy);

  EXPECT_FALSE(append(*book, {3}));

  EXPECT_FALSE(book->is_open());
  EXPECT_FALSE(has(*opened(), 3));
  EXPECT_TRUE(letters().empty());
  EXPECT_EQ(records("begun"), 1);
  EXPECT_EQ(records("taken_back"), 1);
}

TEST_F(DeadLetterBookTest, OpeningItFencesWhoHadIt) {
  const auto old = opened();
  const auto successor = opened();

  const Status appended = append(*old, {3});

  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code(), ErrorCode::kFenced);
  EXPECT_TRUE(letters().empty());
}

TEST_F(DeadLetterBookTest, SaysThatANoteCannotBeRead) {
  static_cast<void>(opened());
  RecordBatchBuilder builder;
  builder.append(Timestamp(1), as_bytes("db/app/0"), as_bytes("1 two"));
  std::vector<log::PartitionBatch> batches;
  batches.push_back({{log_.topic(kSinkDeadLettersTopic)->id, PartitionId(0)}, builder.finish()});
  ASSERT_TRUE(log_.append(std::move(batches), [](auto) {}));
  log_.run_once();
  DeadLetterBook book(log_, clock_, registry_, {"db", "app", std::nullopt});

  const Status read = book.open();

  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace penstock::sinks
