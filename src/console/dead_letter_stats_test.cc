#include "console/dead_letter_stats.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "record/dead_letter.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::console {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DeadLetterStatsTest : public ::testing::Test {
 protected:
  void add(const std::string& topic, std::string_view time, std::string_view code,
           std::string_view sink = "") {
    const TopicId id = log_.ensure_topic({.name = dead_letter_topic(topic)})->id;
    std::vector<HeaderView> headers = {{dead_letter::kCode, as_bytes(code)},
                                       {dead_letter::kTime, as_bytes(time)}};
    if (!sink.empty()) {
      headers.push_back({dead_letter::kSink, as_bytes(sink)});
    }
    RecordBatchBuilder builder;
    builder.append(Timestamp(0), std::nullopt, as_bytes("{}"), headers);
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{id, PartitionId(0)}, builder.finish()});
    ASSERT_TRUE(log_.append(std::move(batches), [](const Result<log::AppendResult>&) {}));
    log_.run_once();
  }

  std::string stats(const DeadLetterQuery& query = {}) {
    const auto answer = dead_letter_stats(log_, reader_, query);
    return answer ? *answer : answer.error().message();
  }

  testing::SimLog log_;
  testing::SimClock clock_;
  EventReader reader_{log_, clock_, {.wait_max = {}}};
};

TEST_F(DeadLetterStatsTest, CountByTopicReasonSinkAndHour) {
  add("web", "2024-01-01T10:59:59.999Z", "missing_key");
  add("web", "2024-01-01T11:00:00.000Z", "sink_refused", "db");
  add("web", "2024-01-01T11:30:00.000Z", "sink_refused", "db");
  add("web", "2024-01-01T11:20:00.000Z", "sink_refused", "cache");

  EXPECT_EQ(stats(),
            R"({"topics":[{"topic":"web","count":4,"oldest":"2024-01-01T10:59:59.999Z",)"
            R"("newest":"2024-01-01T11:30:00.000Z","reasons":[{"code":"missing_key","count":1},)"
            R"({"code":"sink_refused","sink":"cache","count":1},)"
            R"({"code":"sink_refused","sink":"db","count":2}],)"
            R"("hours":[{"hour":"2024-01-01T10:00:00.000Z","count":1},)"
            R"({"hour":"2024-01-01T11:00:00.000Z","count":3}]}],"complete":true})");
}

TEST_F(DeadLetterStatsTest, AreFiltered) {
  add("web", "2024-01-01T10:00:00.000Z", "a");
  add("web", "2024-01-01T11:00:00.000Z", "b", "db");
  add("devices", "2024-01-01T12:00:00.000Z", "b");

  EXPECT_THAT(stats({.topic = "web"}), HasSubstr(R"("count":2,)"));
  EXPECT_THAT(stats({.topic = "web"}), Not(HasSubstr("devices")));
  EXPECT_THAT(stats({.filter = {.code = "a"}}), HasSubstr(R"("topic":"web","count":1,)"));
  EXPECT_THAT(stats({.filter = {.code = "a"}}), Not(HasSubstr("devices")));
  EXPECT_THAT(stats({.filter = {.sink = "db"}}), HasSubstr(R"("count":1,"oldest":"2024-01-01T11)"));
  const Timestamp eleven(1'704'106'800'000);
  EXPECT_THAT(stats({.topic = "web", .filter = {.since = eleven}}),
              HasSubstr(R"("oldest":"2024-01-01T11)"));
  EXPECT_THAT(stats({.filter = {.until = eleven}}), HasSubstr(R"("newest":"2024-01-01T10)"));
  EXPECT_EQ(stats({.filter = {.code = "c"}}), R"({"topics":[],"complete":true})");
}

TEST_F(DeadLetterStatsTest, SayIfThereWereMoreThanMayBeLookedAt) {
  for (int i = 0; i < 3; ++i) {
    add("web", "2024-01-01T10:00:00.000Z", "a");
  }

  EXPECT_THAT(stats({.letters_max = 2}), HasSubstr(R"("count":2,)"));
  EXPECT_THAT(stats({.letters_max = 2}), HasSubstr(R"("complete":false)"));
  EXPECT_THAT(stats({.letters_max = 3}), HasSubstr(R"("complete":true)"));
}

TEST_F(DeadLetterStatsTest, OfATopicThatHasNoneAreNotFound) {
  EXPECT_EQ(dead_letter_stats(log_, reader_, {.topic = "web"}).error().code(),
            ErrorCode::kNotFound);
}

TEST(DeadLetterQuery, IsReadFromTheParameters) {
  const auto query =
      parse_dead_letter_query("topic=web&code=a&sink=db&since=5&until=6&quarantined=true", 4);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->topic, "web");
  EXPECT_EQ(query->filter.code, "a");
  EXPECT_EQ(query->filter.sink, "db");
  EXPECT_EQ(query->filter.since, Timestamp(5));
  EXPECT_EQ(query->filter.until, Timestamp(6));
  EXPECT_EQ(query->filter.quarantine, DeadLetterFilter::Quarantine::kInside);
  EXPECT_EQ(query->filter.replays_max, 4U);
  EXPECT_EQ(parse_dead_letter_query("quarantined=yes", 3).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(parse_dead_letter_query("reason=a", 3).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(parse_dead_letter_query("since=soon", 3).error().code(), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace penstock::console
