// KafkaConsumer reads partitions through librdkafka, alone or as a member of a consumer group.
//
// A poll takes what librdkafka has fetched and encodes it, one batch per partition (BatchEncoder).
// Positions are our own: librdkafka is told where to begin, and told again after a seek or a pause,
// so what it remembers of its own does not matter. Offsets that are gone are found out here too.
//
// In a group the protocol is the classic one with the range assignor, which is eager: before each
// new assignment everything is given up. Why: docs/adr/0019-kafka-as-the-log.md. What is assigned
// in the very next generation again was nobody else's meanwhile, and is said to have come back.
//
//              librdkafka assigns                    next poll()
//   kNone ------------------------> kAssigned ---------------------> kReading
//     ^                             (told; seek() sets where           |
//     |                              reading will begin)               | librdkafka revokes
//     +---------------- kRevoking (told) <-----------------------------+
//       finish_revocation()
//
// Invariants
//   I1  Nothing is delivered of a partition that is paused, revoked, or about to be sought.
//   I2  A member that was fenced is told kLost, if it had anything, and then only answers kFenced.
//   I3  Per partition batches cover offsets without gap, but where records were deleted.
//
// Threads, errors   see log/log.h; wake() is also called by librdkafka's threads
// Lifetime          all its surroundings outlive it
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/signal.h"
#include "kafka/admin.h"
#include "kafka/batch_encoder.h"
#include "kafka/client.h"
#include "kafka/end_watch.h"
#include "kafka/options.h"
#include "kafka/topic_directory.h"
#include "log/log.h"
#include "os/clock.h"

namespace penstock::kafka {

class KafkaConsumer final : public log::Consumer, private Client::Listener {
 public:
  struct Surroundings {
    const Options& options;
    const TopicDirectory& directory;
    const Admin& admin;
    const os::Clock& clock;
    Client::Shared clients;
  };

  [[nodiscard]] static Result<std::unique_ptr<KafkaConsumer>> open(const Surroundings& surroundings,
                                                                   log::ConsumerOptions consumer);
  ~KafkaConsumer() override;

  [[nodiscard]] Status assign(std::vector<Position> positions) override;
  [[nodiscard]] Status seek(TopicPartition partition, Offset offset) override;
  void pause(TopicPartition partition) override;
  void resume(TopicPartition partition) override;
  [[nodiscard]] Result<Polled> poll(std::size_t bytes_max) override;
  void wait(std::chrono::microseconds timeout) override;

  void wake() override { signal_->raise(); }

  [[nodiscard]] std::optional<Offset> known_end(TopicPartition partition) const override;
  [[nodiscard]] Status finish_revocation() override;
  [[nodiscard]] log::GroupMetadata group_metadata() const override;
  [[nodiscard]] Status commit(std::vector<log::OffsetCommit> offsets) override;

 private:
  enum class State { kNone, kAssigned, kReading, kRevoking };

  struct Cursor {
    std::string topic;               // as Kafka names it
    std::optional<Offset> position;  // absent: where the group committed, or else the start
    bool paused = false;
    bool seek_due = false;  // librdkafka reads elsewhere
    bool is_lost = false;   // the position is not in the log any more
  };

  struct Round;  // what one poll() collects

  // What the member had in a generation.
  struct Holding {
    std::int32_t generation = -1;
    std::vector<TopicPartition> partitions;
  };

  KafkaConsumer(const Surroundings& surroundings, log::ConsumerOptions consumer)
      : options_(surroundings.options),
        directory_(surroundings.directory),
        admin_(surroundings.admin),
        consumer_(std::move(consumer)),
        signal_(make_ref<Signal>()),
        ends_(surroundings.admin, surroundings.clock) {}

  void on_rebalance(rd_kafka_resp_err_t kind,
                    const rd_kafka_topic_partition_list_t& partitions) override;
  void on_assigned(const rd_kafka_topic_partition_list_t& partitions);
  void on_revoked();
  void lose_everything();
  [[nodiscard]] std::vector<TopicPartition> partitions() const;
  [[nodiscard]] std::vector<TopicPartition> came_back(std::int32_t generation) const;
  [[nodiscard]] Status unassign();

  [[nodiscard]] Status subscribe();
  [[nodiscard]] Status begin_reading();
  [[nodiscard]] Status find_committed();
  [[nodiscard]] Status find_bounds();
  [[nodiscard]] Status seek_all();
  [[nodiscard]] Status take(const rd_kafka_message_t& message, Round& round);
  [[nodiscard]] Status take_event(const rd_kafka_message_t& message, Round& round);
  [[nodiscard]] BatchEncoder* encoder_of(const rd_kafka_message_t& message, Round& round);
  [[nodiscard]] PartitionListHandle list_of(bool (*wanted)(const Cursor&)) const;
  void set_paused(TopicPartition partition, bool paused);
  void watch_ends();
  [[nodiscard]] Status check_membership();

  const Options& options_;
  const TopicDirectory& directory_;
  const Admin& admin_;
  const log::ConsumerOptions consumer_;
  const Ref<Signal> signal_;
  std::unique_ptr<Client> client_;
  QueueHandle queue_;
  State state_ = State::kNone;
  std::map<TopicPartition, Cursor> cursors_;
  std::map<std::string, TopicId, std::less<>> topics_;  // of the cursors, by Kafka's name
  std::set<TopicPartition>
      held_;  // paused in librdkafka, which keeps that from one assignment to the next
  std::optional<Rebalance> untold_;
  std::int32_t generation_ = -1;     // of the last assignment
  std::optional<Holding> given_up_;  // since then
  EndWatch ends_;                    // of paused partitions
  bool seeks_due_ = false;
  bool has_more_ = false;  // the last poll stopped at its limit
  bool fenced_ = false;    // another member has our instance id
  bool closing_ = false;
};

}  // namespace penstock::kafka
