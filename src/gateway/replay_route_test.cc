#include "gateway/replay_route.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/gateway_fixture_test.h"
#include "record/dead_letter.h"

namespace penstock::gateway {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kAccepted =
    R"({"accepted":1,"duplicates":0,"dead_lettered":0,"errors":[]})";
constexpr std::string_view kDuplicate =
    R"({"accepted":0,"duplicates":1,"dead_lettered":0,"errors":[]})";

class ReplayRouteTest : public GatewayFixture {
 protected:
  // A topic "web" whose events must have a user.
  static GatewayOptions with_key() {
    GatewayOptions options;
    options.topics.push_back(topic("web", 2));
    options.topics[0].key = pointer("/user");
    options.replays_max = 2;
    return options;
  }

  static GatewayOptions relaxed() {
    GatewayOptions options = with_key();
    options.topics[0].key_required = false;
    return options;
  }

  std::size_t begin_replay(int offset, std::string_view body = "", std::size_t loop = 0) {
    return post_to("/v1/dead-letters/web/" + std::to_string(offset) + "/replay", body, {}, loop);
  }

  Answer replay(int offset, std::string_view body = "") {
    const std::size_t number = begin_replay(offset, body);
    settle();
    return answer(number).value_or(Answer());
  }
};

constexpr std::string_view kAddUser =
    R"({"patch":[{"op":"add","path":"/user","value":"ann"}],"by":"ben"})";

TEST_F(ReplayRouteTest, ChecksTheEventAnew) {
  open(with_key());
  ask("web", R"({"n":1})");

  EXPECT_THAT(replay(0).body, HasSubstr(R"("dead_lettered":1,)"));
  open(relaxed());
  EXPECT_EQ(replay(1).body, kAccepted);

  EXPECT_EQ(values("web"), std::vector<std::string>{R"({"n":1})"});
  EXPECT_EQ(records("web").front().headers.at("penstock.dlq.replays"), "2");
  const auto letters = records("web.dlq");
  ASSERT_EQ(letters.size(), 2U);
  EXPECT_EQ(letters[1].value, R"({"n":1})");
  EXPECT_EQ(letters[1].headers.at("penstock.dlq.replays"), "1");
  EXPECT_EQ(letters[1].headers.at("penstock.dlq.source"), "192.0.2.7");
}

TEST_F(ReplayRouteTest, EditsTheEventBefore) {
  open(with_key());
  ask("web", R"({"n":1.50})");

  EXPECT_EQ(replay(0, kAddUser).body, kAccepted);

  EXPECT_EQ(values("web"), std::vector<std::string>{R"({"n":1.50,"user":"ann"})"});
}

TEST_F(ReplayRouteTest, BringsALetterOnce) {
  open(with_key());
  ask("web", R"({"n":1})");
  const std::size_t first = begin_replay(0, kAddUser);
  ASSERT_TRUE(turn_and_read());
  const std::size_t second = begin_replay(0, kAddUser);
  settle();

  EXPECT_EQ(answer(first)->body, kAccepted);
  EXPECT_EQ(answer(second)->body, kDuplicate);
  crash_and_reopen(with_key());
  EXPECT_EQ(replay(0, kAddUser).body, kDuplicate);
  clock_.advance(std::chrono::hours(24 * 20));  // longer than an idempotency key is known
  crash_and_reopen(with_key());
  EXPECT_EQ(replay(0, kAddUser).body, kDuplicate);
  EXPECT_EQ(values("web").size(), 1U);
}

TEST_F(ReplayRouteTest, BringsItAgainIfTheAppendWasLost) {
  open(with_key());
  ask("web", R"({"n":1})");
  begin_replay(0, kAddUser);
  ASSERT_TRUE(turn_and_read());  // and the log has not stored it

  crash_and_reopen(with_key());

  EXPECT_EQ(replay(0, kAddUser).body, kAccepted);
  EXPECT_EQ(values("web").size(), 1U);
}

TEST_F(ReplayRouteTest, LeavesANoteOfWhoDidWhat) {
  open(with_key());
  ask("web", R"({"n":1}{"n":2})");

  replay(0, kAddUser);
  replay(1);
  replay(1);

  EXPECT_EQ(values(kDeadLetterActionsTopic),
            (std::vector<std::string>{
                R"({"action":"replay","topic":"web","offset":0,"code":"missing_key","replays":1,)"
                R"("edited":true,"by":"ben","from":"192.0.2.7","outcome":"accepted"})",
                R"({"action":"replay","topic":"web","offset":1,"code":"missing_key","replays":1,)"
                R"("edited":false,"by":"","from":"192.0.2.7","outcome":"dead_letter"})"}));
}

TEST_F(ReplayRouteTest, LeavesWhatIsInQuarantineUnlessAsked) {
  open(with_key());
  ask("web", R"({"n":1})");
  replay(0);
  replay(1);

  const Answer refused = replay(2);

  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("was replayed 2 times"));
  EXPECT_THAT(replay(2, R"({"quarantined":true})").body, HasSubstr(R"("dead_lettered":1,)"));
}

TEST_F(ReplayRouteTest, LooksUpIdsAsForNewEvents) {
  GatewayOptions options = with_key();
  options.topics[0].id = pointer("/id");
  open(options);
  ask("web", R"({"id":7})");
  ask("web", R"({"id":7,"user":"ann"})");

  EXPECT_EQ(replay(0, kAddUser).body, kDuplicate);
  EXPECT_EQ(values("web").size(), 1U);
}

TEST_F(ReplayRouteTest, SaysWhatCannotBeReplayed) {
  open(with_key());
  ask("web", R"({"n":1}{"user":})");

  EXPECT_EQ(replay(9).status, 404);
  EXPECT_EQ(replay(0, R"({"patch":[{"op":"remove","path":"/x"}]})").status, 422);
  EXPECT_EQ(replay(1, kAddUser).status, 422);
  for (const char* bad :
       {"{", R"({"patch":{}})", R"({"by":1})", R"({"quarantined":"x"})", R"({"force":true})"}) {
    EXPECT_EQ(replay(0, bad).status, 400) << bad;
  }
  EXPECT_TRUE(values("web").empty());
  EXPECT_EQ(records("web.dlq").size(), 2U);
}

}  // namespace
}  // namespace penstock::gateway
