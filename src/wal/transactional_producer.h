// EmbeddedProducer collects a transaction and submits it as one request: one group, all or nothing.
//
//            begin()            commit(), abort()
//    kIdle ----------> kOpen -------------------> kIdle
//
// Nothing of a transaction is in the log before its commit, so an abort only forgets it. Whether
// the producer is fenced, and whether its group member still owns the partitions whose offsets it
// commits, is decided by the writer when it plans the group.
//
// Threads, errors   see log/log.h
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "log/log.h"
#include "wal/submitter.h"

namespace penstock::wal {

class EmbeddedProducer final : public log::TransactionalProducer {
 public:
  EmbeddedProducer(Shared& shared, Submitter& submitter, ProducerIdentity identity)
      : shared_(shared), submitter_(submitter), identity_(std::move(identity)) {}

  [[nodiscard]] Status begin() override;
  [[nodiscard]] Status append(TopicPartition to, RecordBatch batch) override;
  [[nodiscard]] Status commit_offsets(const log::GroupMetadata& group,
                                      std::vector<log::OffsetCommit> offsets) override;
  void commit(Done done) override;
  [[nodiscard]] Status abort() override;
  [[nodiscard]] std::optional<Offset> known_end(TopicPartition partition) const override;

 private:
  enum class State { kIdle, kOpen };

  [[nodiscard]] Status check_alive() const;

  Shared& shared_;
  Submitter& submitter_;
  const ProducerIdentity identity_;
  State state_ = State::kIdle;
  Request transaction_;
  std::size_t size_ = 0;
};

}  // namespace penstock::wal
