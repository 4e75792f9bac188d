#include "kafka/transactional_producer.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "kafka/client_settings.h"
#include "kafka/error_map.h"
#include "kafka/message_producer.h"
#include "kafka/offset_list.h"

namespace penstock::kafka {
namespace {

constexpr std::chrono::milliseconds kWait{1'000};
constexpr std::chrono::milliseconds kRetryPause{20};

int milliseconds(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

}  // namespace

KafkaProducer::KafkaProducer(const Options& options, const TopicDirectory& directory,
                             const os::Clock& clock, const Client::Shared& shared,
                             std::string transactional_id)
    : options_(options),
      directory_(directory),
      clock_(clock),
      shared_(shared),
      id_(std::move(transactional_id)) {}

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::open(const Options& options,
                                                           const TopicDirectory& directory,
                                                           const os::Clock& clock,
                                                           const Client::Shared& shared,
                                                           std::string transactional_id) {
  std::unique_ptr<KafkaProducer> producer(
      new KafkaProducer(options, directory, clock, shared, std::move(transactional_id)));
  PENSTOCK_TRY(producer->open_client());
  producer->thread_ = std::make_unique<os::Thread>(
      "kafka-commit", [self = producer.get()](const os::StopToken& stop) {
        std::vector<UniqueFunction<void()>> work;
        while (!stop.requested()) {
          self->work_.wait(kWait);
          work.clear();
          self->work_.receive(work);
          for (auto& step : work) {
            step();
          }
        }
      });
  return producer;
}

KafkaProducer::~KafkaProducer() {
  if (thread_ != nullptr) {
    thread_->request_stop();
    work_.wake();
    thread_.reset();
  }
}

// A call that may be made again (to go on with what it has begun, or to send the same offsets) is,
// as long as librdkafka says so and time is left. kRetry: there was no answer in time.
template <typename Call>
Status KafkaProducer::persist(os::TimePoint deadline, std::string_view what, const Call& call) {
  Status status = Error(ErrorCode::kRetry, "no time was left for " + std::string(what));
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.now());
    if (left.count() <= 0) {
      return status;
    }
    const ErrorHandle error(call(milliseconds(std::min(left, options_.request_timeout))));
    if (error == nullptr) {
      return {};
    }
    status = to_error(*error, what);
    if (rd_kafka_error_is_retriable(error.get()) == 0) {
      return status;
    }
    rd_kafka_poll(client_->get(), milliseconds(kRetryPause));
  }
}

Status KafkaProducer::open_client() {
  client_.reset();
  PENSTOCK_TRY_ASSIGN(ConfHandle conf,
                      make_conf(options_, ClientKind::kTransactional, {.transactional_id = id_}));
  PENSTOCK_TRY_ASSIGN(client_,
                      Client::open(ClientKind::kTransactional, std::move(conf), *this, shared_));
  lost_ends_seen_ = 0;
  // Twice: for a transaction of a predecessor, and for our own question.
  return persist(
      clock_.now() + 2 * options_.transaction_timeout, "transactional id \"" + id_ + "\"",
      [this](int timeout_ms) { return rd_kafka_init_transactions(client_->get(), timeout_ms); });
}

Error KafkaProducer::settle(Error error) {
  const Status alive = client_->check_alive();
  if (!alive) {
    lost_.raise();
    return Error(ErrorCode::kFenced, alive.error().message()).with(error.message());
  }
  return error;
}

Status KafkaProducer::check_usable() {
  if (lost_.raised()) {
    return Error(ErrorCode::kFenced,
                 "transactional id \"" + id_ + "\" was fenced, or lost its brokers in a commit");
  }
  return {};
}

Status KafkaProducer::begin() {
  PENSTOCK_CHECK(state_ == State::kIdle);
  PENSTOCK_TRY(check_usable());
  if (client_->lost_end_count() != lost_ends_seen_) {
    // The last transaction did end; its first request, whose answer was lost, must not end this
    // one.
    if (const Status opened = open_client(); !opened) {
      lost_.raise();
      return Error(ErrorCode::kFenced, opened.error().message());
    }
  }
  const ErrorHandle error(rd_kafka_begin_transaction(client_->get()));
  if (error != nullptr) {
    return settle(to_error(*error, "begin of a transaction"));
  }
  state_ = State::kOpen;
  size_ = 0;
  groups_.clear();
  return {};
}

Status KafkaProducer::append(TopicPartition to, RecordBatch batch) {
  PENSTOCK_CHECK(state_ == State::kOpen);
  PENSTOCK_TRY_ASSIGN(const std::string topic, directory_.check(to));
  size_ += batch.bytes.size();
  if (size_ > options_.transaction_bytes_max) {
    return Error(ErrorCode::kInvalid,
                 "the transaction is larger than " + format_bytes(options_.transaction_bytes_max));
  }
  Offset& end = ends_.try_emplace(to, -1).first->second;
  const Produced produced =
      produce_batch(client_->get(), client_->topic(topic), to.partition, batch.bytes, &end);
  return produced.status ? Status() : settle(produced.status.error());
}

void KafkaProducer::on_delivery(const rd_kafka_message_t& message) {
  Offset& end = *static_cast<Offset*>(message._private);
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    end = std::max(end, Offset(message.offset + 1));
  }
}

std::optional<Offset> KafkaProducer::known_end(TopicPartition partition) const {
  const auto found = ends_.find(partition);
  return found != ends_.end() && found->second.value() >= 0 ? std::optional(found->second)
                                                            : std::nullopt;
}

Status KafkaProducer::commit_offsets(const log::GroupMetadata& group,
                                     std::vector<log::OffsetCommit> offsets) {
  PENSTOCK_CHECK(state_ == State::kOpen);
  GroupOffsets entry;
  const std::string group_id = directory_.kafka_name(group.group_id);
  entry.group.reset(rd_kafka_consumer_group_metadata_new_with_genid(
      group_id.c_str(), group.generation, group.member_id.c_str(), nullptr));
  entry.offsets.reset(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const log::OffsetCommit& commit : offsets) {
    PENSTOCK_TRY_ASSIGN(const std::string topic, directory_.check(commit.partition));
    set_offset(*rd_kafka_topic_partition_list_add(entry.offsets.get(), topic.c_str(),
                                                  commit.partition.partition.value()),
               commit);
  }
  groups_.push_back(std::move(entry));
  return {};
}

void KafkaProducer::commit(Done done) {
  PENSTOCK_CHECK(state_ == State::kOpen);
  state_ = State::kIdle;
  UniqueFunction<void()> work([this, groups = std::move(groups_),
                               answer = std::move(done)]() mutable { answer(commit_now(groups)); });
  groups_.clear();
  const bool sent = work_.try_send(std::move(work));
  PENSTOCK_CHECK(sent);  // one transaction at a time
}

Status KafkaProducer::commit_now(std::vector<GroupOffsets>& groups) {
  // By then the brokers have given it up themselves.
  const os::TimePoint deadline = clock_.now() + options_.transaction_timeout;
  // While the records are on their way: these are requests of their own, one after the other.
  Status status;
  for (GroupOffsets& group : groups) {
    if (status) {
      status = persist(deadline, "offsets of a transaction", [&](int timeout_ms) {
        return rd_kafka_send_offsets_to_transaction(client_->get(), group.offsets.get(),
                                                    group.group.get(), timeout_ms);
      });
    }
  }
  if (status) {
    status = flush_until(deadline);
  }
  if (status) {
    status = persist(deadline, "commit of a transaction", [this](int timeout_ms) {
      return rd_kafka_commit_transaction(client_->get(), timeout_ms);
    });
    if (status) {
      return {};
    }
  }
  const Error why = settle(status.error());
  if (why.code() == ErrorCode::kFenced && lost_.raised()) {
    return why;
  }
  if (why.code() == ErrorCode::kRetry) {  // in time neither yes nor no
    lost_.raise();
    return Error(ErrorCode::kFenced, "whether it happened is not known yet").with(why.message());
  }
  // Neither fatal nor unknown: it did not happen, and is taken back.
  if (const Status aborted = abort_until(deadline); !aborted) {
    lost_.raise();
    return Error(ErrorCode::kFenced, aborted.error().message()).with(why.message());
  }
  return why;
}

// So that a commit that runs out of time is known to have been sent.
Status KafkaProducer::flush_until(os::TimePoint deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.now());
  const auto code = rd_kafka_flush(client_->get(), std::max(milliseconds(left), 0));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  return Error(ErrorCode::kAbortTxn, to_error(code, "records of a transaction").message());
}

Status KafkaProducer::abort_until(os::TimePoint deadline) {
  return persist(deadline, "taking back a transaction", [this](int timeout_ms) {
    return rd_kafka_abort_transaction(client_->get(), timeout_ms);
  });
}

Status KafkaProducer::abort() {
  PENSTOCK_CHECK(state_ == State::kOpen);
  state_ = State::kIdle;
  groups_.clear();
  PENSTOCK_TRY(check_usable());
  const Status aborted = abort_until(clock_.now() + options_.transaction_timeout);
  if (!aborted) {
    lost_.raise();
    return Error(ErrorCode::kFenced, aborted.error().message());
  }
  return {};
}

}  // namespace penstock::kafka
