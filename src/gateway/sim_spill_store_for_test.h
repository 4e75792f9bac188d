// SimSpillStore keeps the generations of a spill as SimLogs. For tests of gateway/.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/spill_store.h"
#include "testing/sim_log.h"

namespace penstock::gateway {

class SimSpillStore final : public SpillStore {
 public:
  [[nodiscard]] std::string_view gateway_id() const override { return "gateway-1"; }

  [[nodiscard]] Result<std::vector<std::uint64_t>> generations() override {
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, log] : logs_) {
      numbers.push_back(number);
    }
    return numbers;
  }

  [[nodiscard]] Result<std::unique_ptr<SpillGeneration>> open(std::uint64_t number) override {
    auto& log = logs_[number];
    if (log == nullptr) {
      log = std::make_unique<testing::SimLog>();
    }
    return std::unique_ptr<SpillGeneration>(std::make_unique<Generation>(*log));
  }

  [[nodiscard]] Status remove(std::uint64_t number) override {
    removed_.push_back(std::move(logs_.at(number)));  // what waits in it may still be answered
    logs_.erase(number);
    return {};
  }

  // Makes durable and answers what waits in all of them.
  void run_once() {
    for (const auto& [number, log] : logs_) {
      log->run_once();
    }
  }

  void crash() {
    for (const auto& [number, log] : logs_) {
      log->crash();
    }
  }

  // The newest one, where appends go.
  [[nodiscard]] testing::SimLog& newest() { return *logs_.rbegin()->second; }

  [[nodiscard]] std::size_t size() const { return logs_.size(); }

 private:
  class Generation final : public SpillGeneration {
   public:
    explicit Generation(testing::SimLog& log) : log_(log) {}

    [[nodiscard]] log::Log& log() override { return log_; }

   private:
    testing::SimLog& log_;
  };

  std::map<std::uint64_t, std::unique_ptr<testing::SimLog>> logs_;
  std::vector<std::unique_ptr<testing::SimLog>> removed_;
};

}  // namespace penstock::gateway
