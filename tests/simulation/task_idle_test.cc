// max.task.idle: a task with two partitions takes records in the order of their timestamps, as far
// as it is to wait for that.
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "simulation/stream_world.h"

namespace penstock::testing {
namespace {

using namespace std::chrono_literals;
using Text = std::string;

constexpr int kOrderCount = 20;

// Orders with what is known of their customer.
dsl::StreamBuilder orders_with_customers() {
  dsl::StreamBuilder builder({.application_id = "app"});
  const auto customers = builder.table<Text, Text>("customers", dsl::Materialized("customers"));
  builder.stream<Text, Text>("orders")
      .left_join(
          customers,
          [](const Text& order, const Text* country) {
            return order + "/" + (country == nullptr ? "unknown" : *country);
          },
          dsl::Joined("joined"))
      .to("out");
  return builder;
}

class TaskIdle : public ::testing::Test {
 protected:
  TaskIdle() : world_({"orders", "customers", "out"}, orders_with_customers) {
    world_.options.fetch_bytes = 1;  // one batch at a time: the other topic's comes later
  }

  void send_orders() {
    for (int number = 0; number < kOrderCount; ++number) {
      world_.send("orders", "anna", "o" + std::to_string(number), 100 + number);
    }
  }

  [[nodiscard]] int count_joined(const Text& country) {
    int count = 0;
    for (const Text& line : world_.read("out")) {
      count += line.ends_with("/" + country) ? 1 : 0;
    }
    return count;
  }

  StreamWorld world_;
};

TEST_F(TaskIdle, ZeroWaitsForWhatIsInTheLogAlready) {
  send_orders();
  world_.send("customers", "anna", "FR", 50);
  ASSERT_TRUE(world_.start());
  world_.run(200);

  EXPECT_EQ(count_joined("FR"), kOrderCount);
}

TEST_F(TaskIdle, ZeroWaitsForNothingThatMayCome) {
  ASSERT_TRUE(world_.start());
  send_orders();
  world_.run(200);
  world_.send("customers", "anna", "FR", 50);
  world_.run(200);

  EXPECT_EQ(count_joined("unknown"), kOrderCount);
}

TEST_F(TaskIdle, NegativeTakesWhatIsAtHand) {
  world_.options.task_idle_max = -1ms;
  send_orders();
  world_.send("customers", "anna", "FR", 50);
  ASSERT_TRUE(world_.start());
  world_.run(200);

  EXPECT_EQ(count_joined("FR") + count_joined("unknown"), kOrderCount);
  EXPECT_GT(count_joined("unknown"), 0) << "the order of polls is not what this test needs";
}

TEST_F(TaskIdle, PositiveWaitsThatLongForWhatMayCome) {
  world_.options.task_idle_max = 50ms;
  ASSERT_TRUE(world_.start());
  send_orders();
  world_.run(30);
  EXPECT_TRUE(world_.read("out").empty());
  world_.send("customers", "anna", "FR", 50);
  world_.run(200);

  EXPECT_EQ(count_joined("FR"), kOrderCount);
}

TEST_F(TaskIdle, PositiveWaitsNoLonger) {
  world_.options.task_idle_max = 50ms;
  ASSERT_TRUE(world_.start());
  send_orders();
  world_.run(200);
  world_.send("customers", "anna", "FR", 50);
  world_.run(200);

  EXPECT_EQ(count_joined("unknown"), kOrderCount);
}

}  // namespace
}  // namespace penstock::testing
