#include "console/dead_letter_page.h"

#include <string>

#include <gtest/gtest.h>

#include "record/dead_letter.h"
#include "testing/sim_clock.h"
#include "testing/sim_log.h"

namespace penstock::console {
namespace {

class DeadLetterPageTest : public ::testing::Test {
 protected:
  void add(std::string_view code, std::string_view replays, std::string_view event) {
    const TopicId id = log_.ensure_topic({.name = dead_letter_topic("web")})->id;
    const std::vector<HeaderView> headers = {{dead_letter::kCode, as_bytes(code)},
                                             {dead_letter::kReplays, as_bytes(replays)}};
    RecordBatchBuilder builder;
    builder.append(Timestamp(0), std::nullopt, as_bytes(event), headers);
    std::vector<log::PartitionBatch> batches;
    batches.push_back({{id, PartitionId(0)}, builder.finish()});
    ASSERT_TRUE(log_.append(std::move(batches), [](const Result<log::AppendResult>&) {}));
    log_.run_once();
  }

  std::string page(std::string_view parameters) {
    const auto query = parse_dead_letter_page("web", parameters, 2);
    EXPECT_TRUE(query) << query.error().message();
    const auto answer = dead_letter_page(log_, reader_, *query);
    return answer ? *answer : answer.error().message();
  }

  testing::SimLog log_;
  testing::SimClock clock_;
  EventReader reader_{log_, clock_, {.wait_max = {}}};
};

TEST_F(DeadLetterPageTest, HasTheLettersWithTheirBytes) {
  add("too_deep", "0", "[[[");
  add("invalid_utf8", "2", "\xff");

  EXPECT_EQ(page(""),
            R"({"letters":[{"topic":"web","offset":0,"time":"1970-01-01T00:00:00.000Z",)"
            R"("code":"too_deep","message":"","source":"","replays":0,"quarantined":false,)"
            R"("event":"[[["},{"topic":"web","offset":1,"time":"1970-01-01T00:00:00.000Z",)"
            R"("code":"invalid_utf8","message":"","source":"","replays":2,"quarantined":true,)"
            R"("event_base64":"/w=="}],"next_offset":2,"end":2})");
}

TEST_F(DeadLetterPageTest, GoesOnWhereTheOneBeforeEnded) {
  for (const char* event : {"a", "b", "c"}) {
    add("invalid_json", "0", event);
  }

  const std::string first = page("limit=2");
  const std::string second = page("limit=2&offset=2");

  EXPECT_TRUE(first.ends_with(R"("event":"b"}],"next_offset":2,"end":3})")) << first;
  EXPECT_TRUE(second.ends_with(R"("event":"c"}],"next_offset":3,"end":3})")) << second;
}

TEST_F(DeadLetterPageTest, HasOnlyWhatIsAskedFor) {
  add("a", "0", "1");
  add("b", "2", "2");

  EXPECT_NE(page("code=b").find(R"({"letters":[{"topic":"web","offset":1)"), std::string::npos);
  EXPECT_NE(page("quarantined=true").find(R"([{"topic":"web","offset":1)"), std::string::npos);
  EXPECT_EQ(page("code=c"), R"({"letters":[],"next_offset":2,"end":2})");
}

TEST_F(DeadLetterPageTest, SaysWhatIsWrong) {
  EXPECT_EQ(page(""), "there is no topic \"web\" with dead letters");
  EXPECT_FALSE(parse_dead_letter_page("web", "limit=0", 3));
  EXPECT_FALSE(parse_dead_letter_page("web", "topic=web", 3));
  EXPECT_FALSE(parse_dead_letter_page("web", "quarantined=1", 3));
}

}  // namespace
}  // namespace penstock::console
