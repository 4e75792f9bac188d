#include "sessions/sessions.h"

#include <gtest/gtest.h>

#include "testdriver/topology_test_driver.h"

namespace sessions {
namespace {

using penstock::Timestamp;
using penstock::dsl::SessionWindowed;
using penstock::testdriver::TopologyTestDriver;

constexpr std::int64_t kMinute = 60'000;

class SessionsTest : public ::testing::Test {
 protected:
  void view(const std::string& user, const std::string& page, std::int64_t minute) {
    views_.pipe_input(user, View{page, minute * kMinute}, Timestamp(minute * kMinute));
  }

  penstock::Result<penstock::topology::Topology> topology_ = make_topology();
  TopologyTestDriver driver_{*topology_};
  penstock::testdriver::TestInputTopic<std::string, View> views_ =
      driver_.create_input_topic<std::string, View>("views");
  penstock::testdriver::TestOutputTopic<SessionWindowed<std::string>, Visit> visits_ =
      driver_.create_output_topic<SessionWindowed<std::string>, Visit>("visits");
};

TEST_F(SessionsTest, AVisitEndsAfterHalfAnHourAndComesOnce) {
  view("anna", "/home", 0);
  view("anna", "/tea", 20);
  view("anna", "/cart", 50);  // half an hour later is still the same visit
  EXPECT_TRUE(visits_.is_empty());
  view("bob", "/home", 90);

  const auto records = visits_.read_records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].key->key, "anna");
  EXPECT_EQ(records[0].key->window.end, Timestamp(50 * kMinute));
  EXPECT_EQ(records[0].value->views, 3);
  EXPECT_EQ(records[0].value->first.page, "/home");
  EXPECT_EQ(records[0].value->last.page, "/cart");
}

TEST_F(SessionsTest, ALateViewJoinsTwoVisits) {
  view("anna", "/home", 0);
  view("anna", "/cart", 32);
  view("anna", "/tea", 28);  // late: without it these were two visits
  view("bob", "/home", 100);

  const auto records = visits_.read_records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].value->views, 3);
  EXPECT_EQ(records[0].value->last.page, "/cart");
}

TEST_F(SessionsTest, AViewThatIsTooLateIsCounted) {
  view("bob", "/home", 100);
  view("anna", "/home", 10);
  EXPECT_EQ(driver_.counts().late, 1U);
}

}  // namespace
}  // namespace sessions
