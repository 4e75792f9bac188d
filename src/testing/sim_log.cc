#include "testing/sim_log.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "log/topic_rules.h"

namespace penstock::testing {

using log::AppendDone;
using log::AppendResult;
using log::Consumer;
using log::ConsumerOptions;
using log::FetchedBatch;
using log::GroupMetadata;
using log::OffsetCommit;
using log::PartitionBatch;
using log::PartitionOffsets;
using log::TopicConfig;
using log::TopicInfo;
using log::TransactionalProducer;

namespace {

struct StoredBytes final : RefCounted {
  explicit StoredBytes(Buffer contents) : bytes(std::move(contents)) {}

  Buffer bytes;
};

Error not_found(std::string message) {
  return {ErrorCode::kNotFound, std::move(message)};
}

Error crashed() {
  return {ErrorCode::kFatal, "the log has crashed and was opened again"};
}

std::string name_of(TopicPartition partition) {
  return "partition " + to_string(partition.partition) + " of topic " + to_string(partition.topic);
}

}  // namespace

Status SimLog::Fault::strike(std::string_view what) {
  if (count == 0) {
    return {};
  }
  --count;
  return Error(code, std::string(what) + " fails on demand of the test");
}

std::size_t SimLog::run_once(std::size_t count_max) {
  std::size_t count = 0;
  while (count < count_max && !waiting_.empty()) {
    UniqueFunction<void()> operation = std::move(waiting_.front());
    waiting_.pop_front();
    operation();
    ++count;
  }
  return count;
}

void SimLog::crash() {
  ++life_;
  waiting_.clear();
  groups_ = log::GroupCoordinator();
}

void SimLog::drop_before(TopicPartition at, Offset start) {
  Partition* partition = find_mutable(at);
  PENSTOCK_CHECK(partition != nullptr && start <= partition->end);
  partition->start = std::max(partition->start, start);
  while (!partition->batches.empty() && partition->batches.front().last < start) {
    partition->batches.pop_front();
  }
}

void SimLog::lose_batch(TopicPartition at, Offset base) {
  Partition* partition = find_mutable(at);
  PENSTOCK_CHECK(partition != nullptr);
  const auto lost = std::find_if(partition->batches.begin(), partition->batches.end(),
                                 [&](const StoredBatch& batch) { return batch.base == base; });
  PENSTOCK_CHECK(lost != partition->batches.end());
  RecordBatchBuilder builder;
  builder.skip_offsets(static_cast<std::uint32_t>(lost->last - base) + 1);
  RecordBatch batch = builder.finish();
  set_base_offset({batch.bytes.data(), batch.bytes.size()}, base);
  const auto memory = make_ref<StoredBytes>(batch.bytes);
  *lost = {base, lost->last, kNoTimestamp, memory, memory->bytes, true};
}

Result<TopicInfo> SimLog::ensure_topic(const TopicConfig& config) {
  PENSTOCK_TRY(log::check_topic_config(config));
  const auto found = topics_.find(config.name);
  if (found == topics_.end()) {
    Topic topic{TopicId(next_topic_++), config, {}};
    topic.partitions.resize(static_cast<std::size_t>(config.partition_count));
    const TopicInfo info{topic.id, config};
    topics_.emplace(config.name, std::move(topic));
    return info;
  }
  PENSTOCK_TRY(log::check_same_topic(found->second.config, config));
  found->second.config = config;
  return TopicInfo{found->second.id, config};
}

Result<TopicInfo> SimLog::topic(std::string_view name) const {
  const auto found = topics_.find(name);
  if (found == topics_.end()) {
    return not_found("there is no topic \"" + std::string(name) + "\"");
  }
  return TopicInfo{found->second.id, found->second.config};
}

std::vector<TopicInfo> SimLog::topics() const {
  std::vector<TopicInfo> all;
  all.reserve(topics_.size());
  for (const auto& [name, topic] : topics_) {
    all.push_back({topic.id, topic.config});
  }
  return all;
}

Status SimLog::delete_topic(std::string_view name) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) {
    return not_found("there is no topic \"" + std::string(name) + "\"");
  }
  for (auto& [group, offsets] : committed_) {
    std::erase_if(offsets, [&](const auto& e) { return e.first.topic == found->second.id; });
  }
  topics_.erase(found);
  return {};
}

Status SimLog::delete_records(const std::vector<Consumer::Position>& before) {
  PENSTOCK_TRY(failed_questions_.strike("a question"));
  for (const Consumer::Position& at : before) {
    PENSTOCK_TRY_ASSIGN(const Partition* partition, find(at.partition));
    PENSTOCK_TRY(log::check_deletion(config_of(at.partition), at.offset, partition->end));
  }
  for (const Consumer::Position& at : before) {
    drop_before(at.partition, at.offset);
  }
  return {};
}

std::optional<Offset> SimLog::known_end(TopicPartition at) const {
  const auto partition = find(at);
  return partition ? std::optional((*partition)->end) : std::nullopt;
}

Result<const SimLog::Partition*> SimLog::find(TopicPartition at) const {
  Partition* partition = const_cast<SimLog*>(this)->find_mutable(at);
  if (partition == nullptr) {
    return not_found("there is no " + name_of(at));
  }
  return static_cast<const Partition*>(partition);
}

// Of a partition that is there.
const TopicConfig& SimLog::config_of(TopicPartition at) const {
  return std::ranges::find_if(topics_,
                              [&](const auto& topic) { return topic.second.id == at.topic; })
      ->second.config;
}

SimLog::Partition* SimLog::find_mutable(TopicPartition at) {
  for (auto& [name, topic] : topics_) {
    if (topic.id == at.topic) {
      const auto index = static_cast<std::size_t>(at.partition.value());
      return at.partition.value() >= 0 && index < topic.partitions.size() ? &topic.partitions[index]
                                                                          : nullptr;
    }
  }
  return nullptr;
}

Result<PartitionOffsets> SimLog::offsets(TopicPartition at) const {
  PENSTOCK_TRY(failed_questions_.strike("a question"));
  PENSTOCK_TRY_ASSIGN(const Partition* partition, find(at));
  return PartitionOffsets{partition->start, partition->end};
}

Result<Offset> SimLog::offset_for_time(TopicPartition at, Timestamp timestamp) const {
  PENSTOCK_TRY_ASSIGN(const Partition* partition, find(at));
  for (const StoredBatch& batch : partition->batches) {
    if (batch.max_timestamp >= timestamp) {
      return std::max(batch.base, partition->start);
    }
  }
  return partition->end;
}

Status SimLog::check_batches(const std::vector<PartitionBatch>& batches) const {
  for (const PartitionBatch& batch : batches) {
    PENSTOCK_TRY(find(batch.to));
    const auto view = RecordBatchView::parse(batch.batch.bytes, RecordBatchView::Verify::kChecksum);
    if (!view) {
      return Error(ErrorCode::kInvalid, view.error().message()).with(name_of(batch.to));
    }
  }
  return {};
}

Status SimLog::check_commits(const std::vector<GroupOffsets>& groups) const {
  for (const GroupOffsets& group : groups) {
    for (const OffsetCommit& commit : group.offsets) {
      PENSTOCK_TRY(find(commit.partition));
      PENSTOCK_TRY(groups_.check_commit(group.group, commit.partition));
    }
  }
  return {};
}

void SimLog::store(std::vector<PartitionBatch>& batches) {
  for (PartitionBatch& batch : batches) {
    Partition* partition = find_mutable(batch.to);
    if (partition == nullptr) {
      continue;  // the topic was deleted meanwhile
    }
    set_base_offset(batch.batch.bytes, partition->end);
    store(*partition, batch.batch);
  }
}

void SimLog::store(Partition& partition, RecordBatch batch) {
  set_base_offset(batch.bytes, partition.end);
  const auto memory = make_ref<StoredBytes>(std::move(batch.bytes));
  const auto view = *RecordBatchView::parse(memory->bytes, RecordBatchView::Verify::kHeaderOnly);
  partition.batches.push_back(
      {view.base_offset(), view.last_offset(), view.max_timestamp(), memory, memory->bytes});
  partition.end = view.last_offset() + 1;
}

void SimLog::store_marks(const std::vector<PartitionBatch>& batches) {
  if (!marks_transactions_) {
    return;
  }
  std::set<TopicPartition> written;
  for (const PartitionBatch& batch : batches) {
    written.insert(batch.to);
  }
  for (const TopicPartition& partition : written) {
    if (Partition* const marked = find_mutable(partition); marked != nullptr) {
      RecordBatchBuilder mark;
      mark.skip_offsets(1);
      store(*marked, mark.finish());
    }
  }
}

void SimLog::store_offsets(const std::vector<GroupOffsets>& groups) {
  for (const GroupOffsets& group : groups) {
    for (const OffsetCommit& commit : group.offsets) {
      committed_[group.group.group_id][commit.partition] = commit;
    }
  }
}

Status SimLog::append(std::vector<PartitionBatch> batches, AppendDone done) {
  if (!status_.writable) {
    return Error(ErrorCode::kBusy, status_.reason);
  }
  PENSTOCK_TRY(refused_appends_.strike("append"));
  PENSTOCK_TRY(check_batches(batches));

  waiting_.emplace_back([this, taken = std::move(batches), answer = std::move(done)]() mutable {
    if (Status failure = failed_appends_.strike("append"); !failure) {
      answer(std::move(failure).error());
      return;
    }
    store(taken);
    answer(AppendResult{std::move(taken)});
  });
  return {};
}

Result<std::vector<OffsetCommit>> SimLog::committed(std::string_view group_id) const {
  PENSTOCK_TRY(failed_questions_.strike("a question"));
  PENSTOCK_TRY(refused_committed_.strike("committed"));
  std::vector<OffsetCommit> offsets;
  if (const auto found = committed_.find(group_id); found != committed_.end()) {
    for (const auto& [partition, commit] : found->second) {
      offsets.push_back(commit);
    }
  }
  return offsets;
}

// ---------------------------------------------------------------------------------------------

class SimProducer final : public TransactionalProducer {
 public:
  SimProducer(SimLog& log, std::string id, std::int32_t epoch)
      : log_(log), id_(std::move(id)), epoch_(epoch), life_(log.life_) {}

  Status begin() override {
    PENSTOCK_TRY(check_alive());
    PENSTOCK_CHECK(state_ == State::kIdle);
    state_ = State::kOpen;
    return {};
  }

  Status append(TopicPartition to, RecordBatch batch) override {
    PENSTOCK_TRY(check_alive());
    PENSTOCK_CHECK(state_ == State::kOpen);
    std::vector<PartitionBatch> one;
    one.push_back({to, std::move(batch)});
    PENSTOCK_TRY(log_.check_batches(one));
    size_ += one.front().batch.bytes.size();
    if (size_ > log_.transaction_bytes_max_) {
      return Error(ErrorCode::kInvalid, "the transaction is too large");
    }
    batches_.push_back(std::move(one.front()));
    return {};
  }

  Status commit_offsets(const GroupMetadata& group, std::vector<OffsetCommit> offsets) override {
    PENSTOCK_TRY(check_alive());
    PENSTOCK_CHECK(state_ == State::kOpen);
    offsets_.push_back({group, std::move(offsets)});
    return {};
  }

  void commit(Done done) override {
    PENSTOCK_CHECK(state_ == State::kOpen);
    state_ = State::kIdle;
    if (Status alive = check_alive(); !alive) {
      clear();
      done(std::move(alive));
      return;
    }

    log_.waiting_.emplace_back([&log = log_, id = id_, epoch = epoch_,
                                batches = std::move(batches_), offsets = std::move(offsets_),
                                answer = std::move(done)]() mutable {
      if (Status allowed = may_commit(log, id, epoch, offsets); !allowed) {
        log.store_marks(batches);
        answer(std::move(allowed));
        return;
      }
      log.store(batches);
      log.store_marks(batches);
      log.store_offsets(offsets);
      if (Status lost = log.lost_answers_.strike("the answer to the commit"); !lost) {
        answer(std::move(lost));
        return;
      }
      answer(Status());
    });
    clear();
  }

  Status abort() override {
    PENSTOCK_CHECK(state_ == State::kOpen);
    state_ = State::kIdle;
    if (life_ == log_.life_) {
      log_.store_marks(batches_);
    }
    clear();
    return check_alive();
  }

  std::optional<Offset> known_end(TopicPartition partition) const override {
    return log_.known_end(partition);
  }

 private:
  enum class State { kIdle, kOpen };

  static Status may_commit(SimLog& log, const std::string& id, std::int32_t epoch,
                           const std::vector<SimLog::GroupOffsets>& offsets) {
    PENSTOCK_TRY(log.failed_commits_.strike("commit"));
    if (log.producer_epochs_[id] != epoch) {
      return Error(ErrorCode::kFenced, "transactional id " + id + " has a newer producer");
    }
    return log.check_commits(offsets);
  }

  Status check_alive() const {
    if (life_ != log_.life_) {
      return crashed();
    }
    if (const auto found = log_.producer_epochs_.find(id_);
        found == log_.producer_epochs_.end() || found->second != epoch_) {
      return Error(ErrorCode::kFenced, "transactional id " + id_ + " has a newer producer");
    }
    return {};
  }

  void clear() {
    batches_.clear();
    offsets_.clear();
    size_ = 0;
  }

  SimLog& log_;
  const std::string id_;
  const std::int32_t epoch_;
  const std::uint64_t life_;
  State state_ = State::kIdle;
  std::vector<PartitionBatch> batches_;
  std::size_t size_ = 0;  // of batches_
  std::vector<SimLog::GroupOffsets> offsets_;
};

Result<std::unique_ptr<TransactionalProducer>> SimLog::open_transactional_producer(
    std::string_view transactional_id) {
  const std::int32_t epoch = ++producer_epochs_[std::string(transactional_id)];
  return std::unique_ptr<TransactionalProducer>(
      std::make_unique<SimProducer>(*this, std::string(transactional_id), epoch));
}

// ---------------------------------------------------------------------------------------------

class SimConsumer final : public Consumer {
 public:
  SimConsumer(SimLog& log, ConsumerOptions options)
      : log_(log), options_(std::move(options)), life_(log.life_) {}

  ~SimConsumer() override {
    if (member_ && life_ == log_.life_) {
      log_.groups_.leave(*member_);
    }
  }

  Status join() {
    if (!options_.group_id) {
      return {};
    }
    std::vector<log::GroupCoordinator::TopicPartitions> topics;
    for (const TopicId id : options_.topics) {
      const auto info = info_of(id);
      if (!info) {
        return not_found("there is no topic " + to_string(id));
      }
      topics.push_back({id, info->config.partition_count});
    }
    PENSTOCK_TRY_ASSIGN(
        member_, log_.groups_.join(*options_.group_id, options_.instance_id, std::move(topics)));
    return {};
  }

  Status assign(std::vector<Position> positions) override {
    PENSTOCK_CHECK(!member_);
    std::map<TopicPartition, Offset> assigned;
    for (const Position& position : positions) {
      PENSTOCK_TRY(log_.find(position.partition));
      assigned[position.partition] = position.offset;
    }
    positions_ = std::move(assigned);
    paused_.clear();
    return {};
  }

  Status seek(TopicPartition partition, Offset offset) override {
    const auto found = positions_.find(partition);
    if (found == positions_.end()) {
      return not_found(name_of(partition) + " is not assigned to this consumer");
    }
    found->second = offset;
    return {};
  }

  void pause(TopicPartition partition) override { paused_.insert(partition); }

  void resume(TopicPartition partition) override { paused_.erase(partition); }

  Result<Polled> poll(std::size_t bytes_max) override {
    if (life_ != log_.life_) {
      return crashed();
    }
    Polled polled;
    if (member_) {
      polled.rebalance = next_rebalance();
      if (polled.rebalance) {
        apply(*polled.rebalance);
        return polled;
      }
    }
    // Each poll begins with another partition, so that none starves.
    std::size_t bytes = 0;
    auto at = positions_.upper_bound(last_polled_);
    for (std::size_t i = 0; i < positions_.size() && bytes < bytes_max; ++i, ++at) {
      at = at == positions_.end() ? positions_.begin() : at;
      if (!paused_.contains(at->first)) {
        PENSTOCK_TRY(fetch(at->first, at->second, bytes_max, bytes, polled.batches));
        last_polled_ = at->first;
      }
    }
    return polled;
  }

  // Nothing happens in a SimLog while its caller waits.
  void wait(std::chrono::microseconds) override {}

  void wake() override {}

  std::optional<Offset> known_end(TopicPartition partition) const override {
    return log_.known_end(partition);
  }

  Status finish_revocation() override {
    PENSTOCK_CHECK(member_);
    for (const TopicPartition& partition : revoking_) {
      positions_.erase(partition);
      paused_.erase(partition);
    }
    revoking_.clear();
    untold_ = std::exchange(returning_, std::nullopt);
    return life_ == log_.life_ ? log_.groups_.finish_revocation(*member_) : Status(crashed());
  }

  GroupMetadata group_metadata() const override {
    PENSTOCK_CHECK(member_);
    return life_ == log_.life_ ? log_.groups_.metadata(*member_) : GroupMetadata{};
  }

  Status commit(std::vector<OffsetCommit> offsets) override {
    if (life_ != log_.life_) {
      return crashed();
    }
    for (const OffsetCommit& offset : offsets) {
      if (!positions_.contains(offset.partition)) {
        return Error(ErrorCode::kFenced, name_of(offset.partition) + " is not this member's");
      }
    }
    const std::vector<SimLog::GroupOffsets> commit = {{group_metadata(), std::move(offsets)}};
    PENSTOCK_TRY(log_.check_commits(commit));
    log_.store_offsets(commit);
    return {};
  }

 private:
  std::optional<Rebalance> next_rebalance() {
    if (untold_) {
      return std::exchange(untold_, std::nullopt);
    }
    auto next = log_.groups_.next_rebalance(*member_);
    const bool is_kept_apart = next && next->kind != Rebalance::Kind::kLost && !positions_.empty();
    return log_.shares_out_anew_ && is_kept_apart ? revoke_all(*next) : next;
  }

  // First everything is taken, then what stays comes back together with what is new.
  Rebalance revoke_all(const Rebalance& next) {
    Rebalance all{Rebalance::Kind::kRevoked, {}, true};
    Rebalance after{Rebalance::Kind::kAssigned, {}};
    for (const auto& [partition, position] : positions_) {
      all.partitions.push_back(partition);
      if (next.kind == Rebalance::Kind::kAssigned ||
          std::ranges::find(next.partitions, partition) == next.partitions.end()) {
        after.partitions.push_back(partition);
      }
    }
    if (++log_.shared_out_count_ % 3 != 0) {
      after.came_back = after.partitions;
    }
    if (next.kind == Rebalance::Kind::kAssigned) {
      std::ranges::copy(next.partitions, std::back_inserter(after.partitions));
    }
    returning_ = std::move(after);
    return all;
  }

  std::optional<TopicInfo> info_of(TopicId id) const {
    for (const TopicInfo& info : log_.topics()) {
      if (info.id == id) {
        return info;
      }
    }
    return std::nullopt;
  }

  void apply(const Rebalance& rebalance) {
    switch (rebalance.kind) {
      case Rebalance::Kind::kAssigned:
        for (const TopicPartition& partition : rebalance.partitions) {
          positions_[partition] = starting_position(partition);
        }
        break;
      case Rebalance::Kind::kRevoked:
        revoking_ = rebalance.partitions;
        for (const TopicPartition& partition : revoking_) {
          paused_.insert(partition);
        }
        break;
      case Rebalance::Kind::kLost:
        positions_.clear();
        break;
    }
  }

  Offset starting_position(TopicPartition partition) const {
    const auto group = log_.committed_.find(*options_.group_id);
    if (group != log_.committed_.end()) {
      if (const auto found = group->second.find(partition); found != group->second.end()) {
        return found->second.next_offset;
      }
    }
    return (*log_.find(partition))->start;
  }

  Status fetch(TopicPartition from, Offset& position, std::size_t bytes_max, std::size_t& bytes,
               std::vector<FetchedBatch>& into) const {
    PENSTOCK_TRY_ASSIGN(const SimLog::Partition* partition, log_.find(from));
    position = std::clamp(position, partition->start, partition->end);
    auto batch = std::partition_point(
        partition->batches.begin(), partition->batches.end(),
        [&](const SimLog::StoredBatch& stored) { return stored.last < position; });
    for (; batch != partition->batches.end() && bytes < bytes_max; ++batch) {
      into.push_back({from, batch->bytes, batch->memory, batch->is_lost});
      bytes += batch->bytes.size();
      position = batch->last + 1;
    }
    return {};
  }

  SimLog& log_;
  const ConsumerOptions options_;
  const std::uint64_t life_;
  std::optional<log::GroupCoordinator::MemberId> member_;
  std::map<TopicPartition, Offset> positions_;
  std::set<TopicPartition> paused_;
  std::vector<TopicPartition> revoking_;
  std::optional<Rebalance> returning_;  // to be told after the revocation, see revoke_all()
  std::optional<Rebalance> untold_;
  TopicPartition last_polled_;
};

Result<std::unique_ptr<Consumer>> SimLog::open_consumer(ConsumerOptions options) {
  auto consumer = std::make_unique<SimConsumer>(*this, std::move(options));
  PENSTOCK_TRY(consumer->join());
  return std::unique_ptr<Consumer>(std::move(consumer));
}

}  // namespace penstock::testing
