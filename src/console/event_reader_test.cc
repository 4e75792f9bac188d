#include "console/event_reader.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::console {
namespace {

class EventReaderTest : public ::testing::Test {
 protected:
  EventReaderTest() { topic_ = log_.ensure_topic({.name = "web", .partition_count = 2})->id; }

  TopicPartition partition(std::int32_t number) const { return {topic_, PartitionId(number)}; }

  // Appends one batch of events {"n":first}, {"n":first+1}, ...
  void append(std::int32_t to, int first, int count) {
    RecordBatchBuilder builder;
    for (int n = first; n < first + count; ++n) {
      const std::string value = "{\"n\":" + std::to_string(n) + "}";
      builder.append(Timestamp(n), std::nullopt, as_bytes(value));
    }
    std::vector<log::PartitionBatch> batches;
    batches.push_back({partition(to), builder.finish()});
    ASSERT_TRUE(log_.append(std::move(batches), [](const Result<log::AppendResult>&) {}));
    log_.run_once();
  }

  OffsetRange range(std::int32_t number, std::int64_t begin, std::int64_t end) const {
    return {partition(number), Offset(begin), Offset(end)};
  }

  // The values of "n" in the lines, in their order.
  static std::vector<int> numbers(const EventPage& page) {
    std::vector<int> found;
    static const std::string before = "\"value\":{\"n\":";
    for (std::size_t at = page.lines.find(before); at != std::string::npos;
         at = page.lines.find(before, at + 1)) {
      found.push_back(std::stoi(page.lines.substr(at + before.size())));
    }
    return found;
  }

  testing::SimLog log_;
  testing::SimClock clock_;
  TopicId topic_;
  EventReader reader_{log_, clock_, {.page_bytes_max = 1 * kMiB, .wait_max = {}}};
};

TEST_F(EventReaderTest, ReadsPartOfABatch) {
  append(0, 0, 10);

  const auto page = reader_.read({.ranges = {range(0, 3, 6)}, .limit = 100});

  ASSERT_TRUE(page);
  EXPECT_EQ(numbers(*page), (std::vector{3, 4, 5}));
  EXPECT_EQ(page->next, std::vector{Offset(6)});
}

TEST_F(EventReaderTest, ReadsOverManyBatchesUpToTheLimit) {
  append(0, 0, 3);
  append(0, 3, 3);
  append(0, 6, 3);

  const auto page = reader_.read({.ranges = {range(0, 1, 9)}, .limit = 6});

  ASSERT_TRUE(page);
  EXPECT_EQ(numbers(*page), (std::vector{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(page->next, std::vector{Offset(7)});
}

TEST_F(EventReaderTest, ReadsOnePartitionAfterTheOther) {
  append(1, 10, 2);
  append(0, 0, 2);

  const auto page = reader_.read({.ranges = {range(0, 0, 2), range(1, 0, 2)}, .limit = 3});

  ASSERT_TRUE(page);
  EXPECT_EQ(numbers(*page), (std::vector{0, 1, 10}));
  EXPECT_EQ(page->next, (std::vector{Offset(2), Offset(1)}));
}

TEST_F(EventReaderTest, EndsAPageThatGrowsTooLarge) {
  append(0, 0, 100);
  EventReader reader(log_, clock_, {.page_bytes_max = 200});

  const auto page = reader.read({.ranges = {range(0, 0, 100)}, .limit = 100});

  ASSERT_TRUE(page);
  EXPECT_EQ(numbers(*page), (std::vector{0, 1}));  // the second reaches 200 bytes, and is whole
  EXPECT_GT(page->lines.size(), 200U);
  EXPECT_EQ(page->next, std::vector{Offset(2)});
}

TEST_F(EventReaderTest, GivesNothingForAnEmptyRange) {
  const auto page = reader_.read({.ranges = {range(0, 0, 0)}, .limit = 100});

  ASSERT_TRUE(page);
  EXPECT_EQ(page->lines, "");
  EXPECT_EQ(page->next, std::vector{Offset(0)});
}

TEST_F(EventReaderTest, StopsWaitingForWhatTheLogNoLongerHas) {
  append(0, 0, 3);

  const auto page = reader_.read({.ranges = {range(0, 0, 50)}, .limit = 100});

  ASSERT_TRUE(page);
  EXPECT_EQ(numbers(*page), (std::vector{0, 1, 2}));
  EXPECT_EQ(page->next, std::vector{Offset(3)});
}

TEST_F(EventReaderTest, SkipsWhatRetentionTookMeanwhile) {
  append(0, 0, 3);
  append(0, 3, 3);
  log_.drop_before(partition(0), Offset(3));

  const auto page = reader_.read({.ranges = {range(0, 0, 6)}, .limit = 100});

  ASSERT_TRUE(page);
  EXPECT_EQ(numbers(*page), (std::vector{3, 4, 5}));
}

TEST_F(EventReaderTest, ReadsAgainAfterReading) {
  append(0, 0, 3);

  ASSERT_TRUE(reader_.read({.ranges = {range(0, 0, 3)}, .limit = 100}));
  const auto again = reader_.read({.ranges = {range(0, 1, 3)}, .limit = 100});

  ASSERT_TRUE(again);
  EXPECT_EQ(numbers(*again), (std::vector{1, 2}));
}

}  // namespace
}  // namespace penstock::console
