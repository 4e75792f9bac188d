// ForwardingLog is a log that hands every call on to another one: for those that change a few of
// them.
//
// Threads   those of the log behind it.
// Lifetime  the log behind it outlives this one.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "log/log.h"

namespace penstock::log {

class ForwardingLog : public Log {
 public:
  explicit ForwardingLog(Log& log) : log_(log) {}

  [[nodiscard]] Result<TopicInfo> ensure_topic(const TopicConfig& config) override {
    return log_.ensure_topic(config);
  }

  [[nodiscard]] Result<TopicInfo> topic(std::string_view name) const override {
    return log_.topic(name);
  }

  [[nodiscard]] std::vector<TopicInfo> topics() const override { return log_.topics(); }

  [[nodiscard]] Status delete_topic(std::string_view name) override {
    return log_.delete_topic(name);
  }

  [[nodiscard]] Status delete_records(const std::vector<Consumer::Position>& before) override {
    return log_.delete_records(before);
  }

  [[nodiscard]] Result<PartitionOffsets> offsets(TopicPartition partition) const override {
    return log_.offsets(partition);
  }

  [[nodiscard]] Result<Offset> written_end(TopicPartition partition) const override {
    return log_.written_end(partition);
  }

  [[nodiscard]] Result<std::vector<PartitionBounds>> bounds(
      const std::vector<TopicPartition>& partitions) const override {
    return log_.bounds(partitions);
  }

  [[nodiscard]] Result<Offset> offset_for_time(TopicPartition partition,
                                               Timestamp timestamp) const override {
    return log_.offset_for_time(partition, timestamp);
  }

  [[nodiscard]] Status append(std::vector<PartitionBatch> batches, AppendDone done) override {
    return log_.append(std::move(batches), std::move(done));
  }

  [[nodiscard]] Result<std::unique_ptr<TransactionalProducer>> open_transactional_producer(
      std::string_view transactional_id) override {
    return log_.open_transactional_producer(transactional_id);
  }

  [[nodiscard]] Result<std::unique_ptr<Consumer>> open_consumer(ConsumerOptions options) override {
    return log_.open_consumer(std::move(options));
  }

  [[nodiscard]] Result<std::vector<OffsetCommit>> committed(
      std::string_view group_id) const override {
    return log_.committed(group_id);
  }

  [[nodiscard]] LogStatus status() const override { return log_.status(); }

 protected:
  [[nodiscard]] Log& forwards_to() const { return log_; }

 private:
  Log& log_;
};

}  // namespace penstock::log
