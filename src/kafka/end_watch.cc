#include "kafka/end_watch.h"

#include <chrono>

namespace penstock::kafka {
namespace {

constexpr std::chrono::milliseconds kInterval{500};

}  // namespace

bool EndWatch::is_due() const {
  return !asked_at_.has_value() || clock_.now() - *asked_at_ >= kInterval;
}

void EndWatch::ask(const std::vector<PlacedOffset>& partitions) {
  asked_at_ = clock_.now();
  if (question_.has_value()) {
    const auto answer = admin_.answered_offsets(*question_);
    if (!answer.has_value()) {
      return;  // the brokers are slow
    }
    for (const PlacedOffset& at : *answer) {
      ends_[{at.topic, at.partition}] = Offset(at.offset);
    }
    question_.reset();
  }
  if (partitions.empty()) {
    return;
  }
  if (auto question = admin_.ask_offsets(partitions, RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED)) {
    question_ = *std::move(question);
  }
}

std::optional<Offset> EndWatch::end_of(const std::string& topic, std::int32_t partition) const {
  const auto found = ends_.find({topic, partition});
  return found == ends_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace penstock::kafka
