// The Kafka log keeps the contract of the log port, on the brokers that PENSTOCK_TEST_KAFKA names.
// tests/integration/kafka_contract_test.py starts them and runs this.
#include "testing/log_contract.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "core/check.h"
#include "kafka/kafka_log.h"
#include "os/clock.h"
#include "os/random.h"
#include "telemetry/logger.h"
#include "telemetry/registry.h"

namespace penstock::kafka {
namespace {

using std::chrono_literals::operator""ms;

// Each test has topics, groups and transactional ids of its own.
class OnBrokers final : public testing::LogUnderTest {
 public:
  OnBrokers() {
    const char* const brokers = std::getenv("PENSTOCK_TEST_KAFKA");
    if (brokers == nullptr) {
      check_failed("PENSTOCK_TEST_KAFKA must name brokers", __FILE__, __LINE__);
    }
    options_.bootstrap_servers = brokers;
    options_.prefix = "contract-" + std::to_string(os::random_seed()) + ".";
    options_.session_timeout = 6'000ms;
    options_.transaction_timeout = 10'000ms;
    reopen();
  }

  ~OnBrokers() override {
    for (const log::TopicInfo& topic : log_->topics()) {
      static_cast<void>(log_->delete_topic(topic.config.name));
    }
  }

  log::Log& log() override { return *log_; }

  void drive() override {}

  void reopen() override {
    log_.reset();
    auto opened = open(options_, clock_, registry_, logger_);
    if (!opened) {
      check_failed(opened.error().message().c_str(), __FILE__, __LINE__);
    }
    log_ = *std::move(opened);
  }

  [[nodiscard]] int patience() const override { return 60; }

 private:
  os::RealClock clock_;
  telemetry::Registry registry_;
  telemetry::Logger logger_{clock_, {}};
  Options options_;
  std::unique_ptr<log::Log> log_;
};

std::unique_ptr<testing::LogUnderTest> make_on_brokers() {
  return std::make_unique<OnBrokers>();
}

}  // namespace
}  // namespace penstock::kafka

namespace penstock::testing {

INSTANTIATE_TEST_SUITE_P(Kafka, LogContract, ::testing::Values(&kafka::make_on_brokers));

}  // namespace penstock::testing
