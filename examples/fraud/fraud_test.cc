#include "fraud/fraud.h"

#include <string>

#include <gtest/gtest.h>

#include "testdriver/topology_test_driver.h"

namespace fraud {
namespace {

using penstock::Error;
using penstock::ErrorCode;
using penstock::Timestamp;
using penstock::testdriver::TopologyTestDriver;

// Knows cards by their names.
void ask(const std::string& card, const RiskAnswer& answer) {
  if (card == "unknown") {
    return answer(Error(ErrorCode::kInvalid, "it does not know the card"));
  }
  answer(card == "honest" ? 10 : 90);
}

class Fraud : public ::testing::Test {
 protected:
  // Three rising payments of a card, `pause` milliseconds apart.
  void pay(const std::string& card, std::int64_t pause) {
    for (std::int64_t number = 1; number <= 3; ++number) {
      payments_.pipe_input(card, Payment{"shop", number * 100}, Timestamp(number * pause));
    }
  }

  penstock::topology::Topology topology_ = *make_topology(ask);
  TopologyTestDriver driver_{topology_};
  penstock::testdriver::TestInputTopic<std::string, Payment> payments_ =
      driver_.create_input_topic<std::string, Payment>("payments");
  penstock::testdriver::TestOutputTopic<std::string, Alert> alerts_ =
      driver_.create_output_topic<std::string, Alert>("alerts");
};

TEST_F(Fraud, ThreeRisingPaymentsOfARiskyCardWithinAMinuteAreAnAlert) {
  pay("risky", 10'000);

  EXPECT_EQ(alerts_.read_key_values_to_map(),
            (std::map<std::string, Alert>{{"risky", {{"shop", 600}, 90}}}));
}

TEST_F(Fraud, PaymentsThatAreFurtherApartOrFallAreNone) {
  pay("slow", 40'000);
  payments_.pipe_input("falling", Payment{"shop", 300}, Timestamp(1));
  payments_.pipe_input("falling", Payment{"shop", 200}, Timestamp(2));
  payments_.pipe_input("falling", Payment{"shop", 400}, Timestamp(3));

  EXPECT_TRUE(alerts_.is_empty());
}

TEST_F(Fraud, TheRiskServiceDecides) {
  pay("honest", 1);

  EXPECT_TRUE(alerts_.is_empty());
}

TEST_F(Fraud, WhatTheServiceDoesNotKnowIsADeadLetterOfTheLastPayment) {
  pay("unknown", 1);

  const auto& letters = driver_.produced("fraud-dead-letters");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].value, "300 shop");
}

TEST_F(Fraud, ThePatternSurvivesARestart) {
  payments_.pipe_input("risky", Payment{"shop", 1}, Timestamp(1));
  payments_.pipe_input("risky", Payment{"shop", 2}, Timestamp(2));
  driver_.restart();
  payments_.pipe_input("risky", Payment{"shop", 3}, Timestamp(3));

  EXPECT_EQ(alerts_.read_records().size(), 1U);
}

}  // namespace
}  // namespace fraud
