#include "gateway/purge_route.h"

#include <string>

#include <gtest/gtest.h>

#include "core/rfc3339.h"
#include "gateway/gateway_fixture_test.h"
#include "record/dead_letter.h"

namespace penstock::gateway {
namespace {

class PurgeRouteTest : public GatewayFixture {
 protected:
  void SetUp() override {
    GatewayOptions options;
    options.topics.push_back(topic("web"));
    options.topics[0].key = pointer("/user");
    open(options);
  }

  Answer purge(std::string_view body = "", const std::string& of = "web") {
    const std::size_t number = post_to("/v1/dead-letters/" + of + "/purge", body);
    settle();
    return answer(number).value_or(Answer());
  }

  log::PartitionOffsets letters() {
    return *log_.offsets({log_.topic("web.dlq")->id, PartitionId(0)});
  }
};

TEST_F(PurgeRouteTest, RemovesAllAndLeavesANote) {
  ask("web", R"({"n":1}{"n":2})");

  const Answer purged = purge(R"({"by":"ann"})");

  EXPECT_EQ(purged.body, R"({"purged":2,"before":2})");
  EXPECT_EQ(letters().start, Offset(2));
  EXPECT_EQ(letters().end, Offset(2));
  EXPECT_EQ(values(kDeadLetterActionsTopic),
            std::vector<std::string>{R"({"action":"purge","topic":"web","start":0,"before":2,)"
                                     R"("by":"ann","from":"192.0.2.7"})"});
  EXPECT_EQ(purge().body, R"({"purged":0,"before":2})");
  const std::size_t replay = post_to("/v1/dead-letters/web/0/replay", "");
  settle();
  EXPECT_EQ(answer(replay)->status, 404);
}

TEST_F(PurgeRouteTest, RemovesWhatIsOlderThanATime) {
  ask("web", R"({"n":1})");
  clock_.advance(std::chrono::hours(1));
  const std::string now = format_rfc3339(clock_.wall_now().time_since_epoch().count());
  ask("web", R"({"n":2})");

  EXPECT_EQ(purge(R"({"until":")" + now + R"("})").body, R"({"purged":1,"before":1})");

  EXPECT_EQ(letters().start, Offset(1));
}

TEST_F(PurgeRouteTest, SaysWhatIsWrong) {
  ask("web", R"({"n":1})");

  EXPECT_EQ(purge("", "wbe").status, 404);
  for (const char* bad : {"{", R"({"until":"soon"})", R"({"until":5})", R"({"code":"a"})"}) {
    EXPECT_EQ(purge(bad).status, 400) << bad;
  }
  EXPECT_EQ(letters().start, Offset(0));
}

}  // namespace
}  // namespace penstock::gateway
