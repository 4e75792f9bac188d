// KafkaProducer is a transaction at a time under one transactional id.
//
//            begin()            commit(): on the thread        answered
//    kIdle ----------> kOpen ----------------------> kEnding ------------> kIdle
//                        |   abort()                                         |
//                        +-------------------------> kIdle         kLost <---+  unknown or fenced
//
// What is appended goes to the brokers at once; commit() waits for it, adds the consumed offsets
// with their group's generation (KIP-447) and ends the transaction, on a thread of its own.
//
// librdkafka 2.15 speaks the first version of Kafka's transactions. There a request to end one that
// was sent, lost its answer and was repeated can arrive late and end the next transaction (#5423).
// So after any lost answer the client is closed and opened again, which raises the producer's epoch
// and leaves the late request without effect. Where the outcome itself is unknown the answer is
// kFenced: whoever opens this id again learns the outcome from the committed offsets. That is also
// how a commit ends that has no answer within Options::transaction_timeout, at the latest half of
// that later, when a request that is still under way is given up.
//
// Threads   one owner; `done` runs on the producer's thread
// Lifetime  options, directory, clock and logger outlive it. Its destructor waits for a commit
// under way. Errors    as log/log.h; kFenced also where a commit's outcome is unknown
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/counter.h"
#include "core/mailbox.h"
#include "kafka/client.h"
#include "kafka/options.h"
#include "kafka/topic_directory.h"
#include "log/log.h"
#include "os/clock.h"
#include "os/thread.h"

namespace penstock::kafka {

class KafkaProducer final : public log::TransactionalProducer, private Client::Listener {
 public:
  // `transactional_id` as Kafka knows it. Fences the producer that held it before; waits for its
  // transaction to be ended.
  [[nodiscard]] static Result<std::unique_ptr<KafkaProducer>> open(const Options& options,
                                                                   const TopicDirectory& directory,
                                                                   const os::Clock& clock,
                                                                   const Client::Shared& shared,
                                                                   std::string transactional_id);
  ~KafkaProducer() override;

  [[nodiscard]] Status begin() override;
  [[nodiscard]] Status append(TopicPartition to, RecordBatch batch) override;
  [[nodiscard]] Status commit_offsets(const log::GroupMetadata& group,
                                      std::vector<log::OffsetCommit> offsets) override;
  void commit(Done done) override;
  [[nodiscard]] Status abort() override;
  [[nodiscard]] std::optional<Offset> known_end(TopicPartition partition) const override;

 private:
  enum class State { kIdle, kOpen };

  struct GroupOffsets {
    GroupMetadataHandle group;
    PartitionListHandle offsets;
  };

  KafkaProducer(const Options& options, const TopicDirectory& directory, const os::Clock& clock,
                const Client::Shared& shared, std::string transactional_id);

  void on_delivery(const rd_kafka_message_t& message) override;
  [[nodiscard]] Status open_client();
  [[nodiscard]] Status check_usable();
  template <typename Call>
  [[nodiscard]] Status persist(os::TimePoint deadline, std::string_view what, const Call& call);
  // On the producer's thread.
  [[nodiscard]] Status commit_now(std::vector<GroupOffsets>& groups);
  [[nodiscard]] Status flush_until(os::TimePoint deadline);
  [[nodiscard]] Status abort_until(os::TimePoint deadline);
  // What the caller is told of an error: without a usable client always kFenced.
  [[nodiscard]] Error settle(Error error);

  const Options& options_;
  const TopicDirectory& directory_;
  const os::Clock& clock_;
  const Client::Shared shared_;
  const std::string id_;
  std::unique_ptr<Client> client_;
  State state_ = State::kIdle;
  std::size_t size_ = 0;
  std::uint64_t lost_ends_seen_ = 0;
  Flag lost_;  // the client cannot be used any more, and its last outcome may be unknown
  std::vector<GroupOffsets> groups_;
  // By delivery reports, which come while a transaction is ended: by then the owner waits. The
  // tag of each message is its partition's entry.
  std::map<TopicPartition, Offset> ends_;
  Mailbox<UniqueFunction<void()>> work_{4};
  std::unique_ptr<os::Thread> thread_;
};

}  // namespace penstock::kafka
