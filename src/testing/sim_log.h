// SimLog is the log port in memory, on the caller's thread, with faults on demand.
//
// Appends and commits wait until run_once() makes them durable, visible and answered, in the order
// they came; so a test decides what happens in between. crash() is what a process sees after it
// died and came back: topics, batches and committed offsets stay, everything that was waiting is
// gone, and consumers, producers and group memberships have to be made anew.
//
// It passes testing/log_contract.h, as every backend does.
//
// Threads   one.
// Lifetime  consumers and producers must be destroyed before the SimLog; after crash() they only
//           answer kFatal.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/unique_function.h"
#include "log/group_coordinator.h"
#include "log/log.h"

namespace penstock::testing {

class SimLog final : public log::Log {
 public:
  SimLog() = default;
  ~SimLog() override = default;

  // Makes durable and answers what waits: all of it, or the first `count_max` operations.
  // Returns how many.
  std::size_t run_once(std::size_t count_max = static_cast<std::size_t>(-1));

  [[nodiscard]] std::size_t waiting_count() const { return waiting_.size(); }

  void crash();

  // Faults. Each holds for the next `count` operations of its kind.
  void refuse_appends(std::size_t count, ErrorCode code) { refused_appends_ = {count, code}; }

  void fail_appends(std::size_t count, ErrorCode code) { failed_appends_ = {count, code}; }

  void fail_commits(std::size_t count, ErrorCode code) { failed_commits_ = {count, code}; }

  // Offsets and committed offsets cannot be asked for, as when brokers are away.
  void fail_questions(std::size_t count, ErrorCode code) { failed_questions_ = {count, code}; }

  // The commit happens, and its answer is kFatal, or kFenced as on Kafka: the caller cannot know.
  void lose_commit_answers(std::size_t count, ErrorCode code = ErrorCode::kFatal) {
    lost_answers_ = {count, code};
  }

  // As on Kafka, where an offset without a record ends each transaction in each of its partitions,
  // also one that is taken back.
  void mark_transactions() { marks_transactions_ = true; }

  // As on Kafka, where every change of a group takes everything from all members first. Every third
  // time what comes back may have been another's meanwhile.
  void share_out_anew() { shares_out_anew_ = true; }

  void refuse_committed(std::size_t count, ErrorCode code) { refused_committed_ = {count, code}; }

  // As a log does whose segments are small: more in one transaction is answered kInvalid.
  void limit_transactions(std::size_t bytes_max) { transaction_bytes_max_ = bytes_max; }

  void set_status(log::LogStatus status) { status_ = std::move(status); }

  // As retention does: records before `start` are gone.
  void drop_before(TopicPartition partition, Offset start);

  // As after damage whose loss was accepted: the batch that begins at `base` is gone.
  void lose_batch(TopicPartition partition, Offset base);

  [[nodiscard]] Result<log::TopicInfo> ensure_topic(const log::TopicConfig& config) override;
  [[nodiscard]] Result<log::TopicInfo> topic(std::string_view name) const override;
  [[nodiscard]] std::vector<log::TopicInfo> topics() const override;
  [[nodiscard]] Status delete_topic(std::string_view name) override;
  [[nodiscard]] Status delete_records(const std::vector<log::Consumer::Position>& before) override;
  [[nodiscard]] Result<log::PartitionOffsets> offsets(TopicPartition partition) const override;
  [[nodiscard]] Result<Offset> offset_for_time(TopicPartition partition,
                                               Timestamp timestamp) const override;
  [[nodiscard]] Status append(std::vector<log::PartitionBatch> batches,
                              log::AppendDone done) override;
  [[nodiscard]] Result<std::unique_ptr<log::TransactionalProducer>> open_transactional_producer(
      std::string_view transactional_id) override;
  [[nodiscard]] Result<std::unique_ptr<log::Consumer>> open_consumer(
      log::ConsumerOptions options) override;
  [[nodiscard]] Result<std::vector<log::OffsetCommit>> committed(
      std::string_view group_id) const override;

  [[nodiscard]] log::LogStatus status() const override { return status_; }

 private:
  friend class SimConsumer;
  friend class SimProducer;

  struct StoredBatch {
    Offset base;
    Offset last;
    Timestamp max_timestamp;
    Ref<RefCounted> memory;
    ByteView bytes;
    bool is_lost = false;
  };

  struct Partition {
    Offset start;
    Offset end;
    std::deque<StoredBatch> batches;
  };

  struct Topic {
    TopicId id;
    log::TopicConfig config;
    std::vector<Partition> partitions;
  };

  struct Fault {
    std::size_t count = 0;
    ErrorCode code = ErrorCode::kBusy;

    // Uses it up by one; the error if there was any left.
    [[nodiscard]] Status strike(std::string_view what);
  };

  struct GroupOffsets {
    log::GroupMetadata group;
    std::vector<log::OffsetCommit> offsets;
  };

  using CommittedOffsets = std::map<TopicPartition, log::OffsetCommit>;

  [[nodiscard]] std::optional<Offset> known_end(TopicPartition partition) const;
  [[nodiscard]] Result<const Partition*> find(TopicPartition partition) const;
  [[nodiscard]] const log::TopicConfig& config_of(TopicPartition partition) const;
  [[nodiscard]] Partition* find_mutable(TopicPartition partition);
  [[nodiscard]] Status check_batches(const std::vector<log::PartitionBatch>& batches) const;
  [[nodiscard]] Status check_commits(const std::vector<GroupOffsets>& groups) const;
  void store(std::vector<log::PartitionBatch>& batches);
  void store_marks(const std::vector<log::PartitionBatch>& batches);
  static void store(Partition& partition, RecordBatch batch);
  void store_offsets(const std::vector<GroupOffsets>& groups);

  std::map<std::string, Topic, std::less<>> topics_;
  std::uint32_t next_topic_ = 1;
  std::deque<UniqueFunction<void()>> waiting_;
  log::GroupCoordinator groups_;
  std::map<std::string, CommittedOffsets, std::less<>> committed_;
  std::map<std::string, std::int32_t, std::less<>> producer_epochs_;
  std::uint64_t life_ = 1;  // grows with each crash()
  Fault refused_appends_;
  mutable Fault refused_committed_;
  Fault failed_appends_;
  Fault failed_commits_;
  Fault lost_answers_;
  mutable Fault failed_questions_;
  bool marks_transactions_ = false;
  bool shares_out_anew_ = false;
  std::uint64_t shared_out_count_ = 0;
  std::size_t transaction_bytes_max_ = static_cast<std::size_t>(-1);
  log::LogStatus status_;
};

}  // namespace penstock::testing
