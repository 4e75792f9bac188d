#include "wal/transactional_producer.h"

#include <utility>

#include "core/check.h"
#include "core/units.h"

namespace penstock::wal {

Status EmbeddedProducer::check_alive() const {
  return shared_.state.with([&](const wal::State& state) -> Status {
    if (state.failure) {
      return *state.failure;
    }
    const ProducerState* newest = state.catalog.producer(identity_.transactional_id);
    if (newest == nullptr || *newest != identity_.state) {
      return Error(ErrorCode::kFenced, "a newer producer has opened the transactional id " +
                                           identity_.transactional_id);
    }
    return {};
  });
}

Status EmbeddedProducer::begin() {
  PENSTOCK_CHECK(state_ == State::kIdle);
  PENSTOCK_TRY(check_alive());
  state_ = State::kOpen;
  return {};
}

Status EmbeddedProducer::append(TopicPartition to, RecordBatch batch) {
  PENSTOCK_CHECK(state_ == State::kOpen);
  PENSTOCK_TRY(shared_.state.with([&](const wal::State& state) -> Status {
    if (state.catalog.find(to) == nullptr) {
      return Error(ErrorCode::kNotFound, "there is no " + describe(state.catalog, to));
    }
    return {};
  }));
  std::vector<log::PartitionBatch> one;
  one.push_back({to, std::move(batch)});
  PENSTOCK_TRY_ASSIGN(const std::vector<BatchShape> shapes, check_batches(one));
  size_ += kBatchEntryOverhead + one.front().batch.bytes.size();
  if (size_ > shared_.options.append_bytes_max) {
    return Error(ErrorCode::kInvalid, "the transaction is too large: at most " +
                                          format_bytes(shared_.options.append_bytes_max) +
                                          " fit; commit more often");
  }
  transaction_.batches.push_back(std::move(one.front()));
  transaction_.shapes.push_back(shapes.front());
  return {};
}

Status EmbeddedProducer::commit_offsets(const log::GroupMetadata& group,
                                        std::vector<log::OffsetCommit> offsets) {
  PENSTOCK_CHECK(state_ == State::kOpen);
  transaction_.offsets.push_back({group, std::move(offsets)});
  return {};
}

void EmbeddedProducer::commit(Done done) {
  PENSTOCK_CHECK(state_ == State::kOpen);
  state_ = State::kIdle;
  size_ = 0;
  Request request = std::exchange(transaction_, Request());
  request.producer = identity_;
  request.done = [to = std::move(done)](Result<log::AppendResult> result) mutable {
    to(result ? Status() : Status(std::move(result).error()));
  };
  if (Status submitted = submitter_.submit(std::move(request)); !submitted) {
    // NOLINTNEXTLINE(bugprone-use-after-move): submit() leaves what it refuses untouched
    request.done(std::move(submitted).error());
  }
}

Status EmbeddedProducer::abort() {
  PENSTOCK_CHECK(state_ == State::kOpen);
  state_ = State::kIdle;
  size_ = 0;
  transaction_ = Request();
  return check_alive();
}

std::optional<Offset> EmbeddedProducer::known_end(TopicPartition partition) const {
  return shared_.state.with([&](const wal::State& state) -> std::optional<Offset> {
    const Partition* known = state.catalog.find(partition);
    return known == nullptr ? std::nullopt : std::optional(known->end);
  });
}

}  // namespace penstock::wal
