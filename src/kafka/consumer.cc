#include "kafka/consumer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/check.h"
#include "kafka/client_settings.h"
#include "kafka/error_map.h"
#include "kafka/offset_list.h"

namespace penstock::kafka {
namespace {

constexpr std::size_t kMessagesMax = 1'000;  // taken from librdkafka at once
constexpr std::chrono::milliseconds kSeekPause{10};

int milliseconds(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

}  // namespace

struct KafkaConsumer::Round {
  std::map<TopicPartition, BatchEncoder> encoders;
  std::size_t bytes = 0;
  // Messages come in runs of one partition.
  const rd_kafka_topic_t* last_topic = nullptr;
  std::int32_t last_partition = -1;
  BatchEncoder* last = nullptr;
};

Result<std::unique_ptr<KafkaConsumer>> KafkaConsumer::open(const Surroundings& surroundings,
                                                           log::ConsumerOptions consumer) {
  const bool is_member = consumer.group_id.has_value();
  ClientIdentity identity;
  if (is_member) {
    identity.group_id = surroundings.directory.kafka_name(*consumer.group_id);
    identity.instance_id = consumer.instance_id;
  }
  const ClientKind kind = is_member ? ClientKind::kMember : ClientKind::kReader;
  PENSTOCK_TRY_ASSIGN(ConfHandle conf, make_conf(surroundings.options, kind, identity));
  std::unique_ptr<KafkaConsumer> opened(new KafkaConsumer(surroundings, std::move(consumer)));
  PENSTOCK_TRY_ASSIGN(opened->client_,
                      Client::open(kind, std::move(conf), *opened, surroundings.clients));
  opened->queue_.reset(rd_kafka_queue_get_consumer(opened->client_->get()));
  rd_kafka_queue_cb_event_enable(
      opened->queue_.get(),
      [](rd_kafka_t* /*client*/, void* signal) { static_cast<Signal*>(signal)->raise(); },
      opened->signal_.get());
  if (is_member) {
    PENSTOCK_TRY(opened->subscribe());
  }
  return opened;
}

KafkaConsumer::~KafkaConsumer() {
  if (client_ == nullptr) {
    return;
  }
  closing_ = true;
  // Leaves the group, unless the membership is static: that outlives the process.
  (void)rd_kafka_consumer_close(client_->get());
  if (queue_ != nullptr) {
    rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
    queue_.reset();
  }
}

Status KafkaConsumer::subscribe() {
  const PartitionListHandle topics(
      rd_kafka_topic_partition_list_new(static_cast<int>(consumer_.topics.size())));
  for (const TopicId topic : consumer_.topics) {
    PENSTOCK_TRY_ASSIGN(const std::string name, directory_.check({topic, PartitionId(0)}));
    rd_kafka_topic_partition_list_add(topics.get(), name.c_str(), RD_KAFKA_PARTITION_UA);
  }
  return to_status(rd_kafka_subscribe(client_->get(), topics.get()),
                   "joining group \"" + *consumer_.group_id + "\"");
}

// --- Assignments ------------------------------------------------------------------------------

Status KafkaConsumer::assign(std::vector<Position> positions) {
  PENSTOCK_CHECK(!consumer_.group_id.has_value());
  std::map<TopicPartition, Cursor> cursors;
  for (const Position& at : positions) {
    PENSTOCK_TRY_ASSIGN(std::string topic, directory_.check(at.partition));
    topics_[topic] = at.partition.topic;
    cursors[at.partition] = {.topic = std::move(topic), .position = at.offset};
  }
  cursors_ = std::move(cursors);
  state_ = State::kAssigned;
  return begin_reading();
}

void KafkaConsumer::on_rebalance(rd_kafka_resp_err_t kind,
                                 const rd_kafka_topic_partition_list_t& partitions) {
  if (kind == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !closing_) {
    on_assigned(partitions);
  } else {
    on_revoked();
  }
}

void KafkaConsumer::on_assigned(const rd_kafka_topic_partition_list_t& partitions) {
  cursors_.clear();
  generation_ = group_metadata().generation;
  Rebalance rebalance{Rebalance::Kind::kAssigned, {}};
  for (int i = 0; i < partitions.cnt; ++i) {
    const rd_kafka_topic_partition_t& at = partitions.elems[i];
    const auto name = directory_.name_of(at.topic);
    const auto id = name.has_value() ? directory_.find(*name) : std::nullopt;
    if (!id.has_value()) {
      continue;  // deleted since
    }
    const TopicPartition partition{*id, PartitionId(at.partition)};
    topics_[at.topic] = *id;
    cursors_[partition] = {.topic = at.topic};
    rebalance.partitions.push_back(partition);
  }
  std::ranges::sort(rebalance.partitions);
  rebalance.came_back = came_back(generation_);
  given_up_.reset();
  state_ = State::kAssigned;
  untold_ = std::move(rebalance);
}

// In between there can be no generation in which another member had them. The generation stays the
// same where a static member joins again and nothing has changed.
std::vector<TopicPartition> KafkaConsumer::came_back(std::int32_t generation) const {
  std::vector<TopicPartition> back;
  if (given_up_.has_value() && given_up_->generation >= 0 &&
      (generation == given_up_->generation || generation == given_up_->generation + 1)) {
    std::ranges::copy_if(given_up_->partitions, std::back_inserter(back),
                         [this](TopicPartition partition) { return cursors_.contains(partition); });
  }
  return back;
}

std::vector<TopicPartition> KafkaConsumer::partitions() const {
  std::vector<TopicPartition> all;
  all.reserve(cursors_.size());
  for (const auto& [partition, cursor] : cursors_) {
    all.push_back(partition);
  }
  return all;
}

void KafkaConsumer::on_revoked() {
  if (closing_ || cursors_.empty() || rd_kafka_assignment_lost(client_->get()) != 0 ||
      untold_.has_value()) {
    lose_everything();
    (void)unassign();
    return;
  }
  state_ = State::kRevoking;
  untold_ = Rebalance{Rebalance::Kind::kRevoked, partitions(), true};
}

// Tells of it, unless the owner was never told that it had anything.
void KafkaConsumer::lose_everything() {
  const bool never_told = untold_.has_value() && untold_->kind == Rebalance::Kind::kAssigned;
  untold_.reset();
  given_up_.reset();
  if (!cursors_.empty() && !never_told) {
    untold_ = Rebalance{Rebalance::Kind::kLost, partitions()};
  }
  cursors_.clear();
  state_ = State::kNone;
}

Status KafkaConsumer::unassign() {
  return to_status(rd_kafka_assign(client_->get(), nullptr), "giving up partitions");
}

Status KafkaConsumer::finish_revocation() {
  if (state_ != State::kRevoking) {
    return {};  // lost meanwhile
  }
  given_up_ = Holding{generation_, partitions()};
  cursors_.clear();
  state_ = State::kNone;
  return unassign();
}

PartitionListHandle KafkaConsumer::list_of(bool (*wanted)(const Cursor&)) const {
  PartitionListHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(cursors_.size())));
  for (const auto& [partition, cursor] : cursors_) {
    if (wanted(cursor)) {
      rd_kafka_topic_partition_list_add(list.get(), cursor.topic.c_str(),
                                        partition.partition.value())
          ->offset = cursor.position.has_value() ? cursor.position->value() : RD_KAFKA_OFFSET_END;
    }
  }
  return list;
}

Status KafkaConsumer::begin_reading() {
  PENSTOCK_TRY(find_committed());
  const PartitionListHandle all = list_of([](const Cursor&) { return true; });
  PENSTOCK_TRY(to_status(rd_kafka_assign(client_->get(), all.get()), "taking partitions"));
  const PartitionListHandle paused = list_of([](const Cursor& cursor) { return cursor.paused; });
  if (paused->cnt > 0) {
    (void)rd_kafka_pause_partitions(client_->get(), paused.get());
  }
  for (auto& [partition, cursor] : cursors_) {
    if (cursor.paused) {
      held_.insert(partition);
    }
    cursor.seek_due = !cursor.paused && held_.contains(partition);  // and then resumed
    seeks_due_ = seeks_due_ || cursor.seek_due;
  }
  state_ = State::kReading;
  return {};
}

// Waits for transactions that are about to commit offsets of the group.
Status KafkaConsumer::find_committed() {
  const auto is_unknown = [](const Cursor& cursor) { return !cursor.position.has_value(); };
  const PartitionListHandle list = list_of(is_unknown);
  if (list->cnt == 0) {
    return {};
  }
  PENSTOCK_TRY(to_status(
      rd_kafka_committed(client_->get(), list.get(), milliseconds(options_.request_timeout)),
      "committed offsets of group \"" + *consumer_.group_id + "\""));
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& at = list->elems[i];
    PENSTOCK_TRY(to_status(at.err, "committed offset"));
    Cursor& cursor =
        cursors_.at({topics_.find(std::string_view(at.topic))->second, PartitionId(at.partition)});
    cursor.position = Offset(std::max<std::int64_t>(at.offset, 0));
  }
  return {};
}

// --- Positions --------------------------------------------------------------------------------

Status KafkaConsumer::seek(TopicPartition partition, Offset offset) {
  const auto found = cursors_.find(partition);
  if (found == cursors_.end()) {
    return Error(ErrorCode::kNotFound, "this consumer does not read partition " +
                                           to_string(partition.partition) + " of topic " +
                                           to_string(partition.topic));
  }
  found->second.position = offset;
  found->second.is_lost = false;
  if (state_ != State::kAssigned) {
    found->second.seek_due = true;
    seeks_due_ = true;
  }
  return {};
}

void KafkaConsumer::pause(TopicPartition partition) {
  set_paused(partition, true);
}

// librdkafka would go on from what it fetched or delivered last; ours is where we say. It is told
// to go on by seek_all().
void KafkaConsumer::resume(TopicPartition partition) {
  set_paused(partition, false);
}

void KafkaConsumer::set_paused(TopicPartition partition, bool paused) {
  const auto found = cursors_.find(partition);
  if (found == cursors_.end() || found->second.paused == paused) {
    return;
  }
  Cursor& cursor = found->second;
  cursor.paused = paused;
  if (state_ == State::kAssigned) {
    return;  // begin_reading() will say so
  }
  if (!paused) {
    cursor.seek_due = true;
    seeks_due_ = true;
    return;
  }
  const PartitionListHandle one(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(one.get(), cursor.topic.c_str(), partition.partition.value());
  (void)rd_kafka_pause_partitions(client_->get(), one.get());
  held_.insert(partition);
}

std::optional<Offset> KafkaConsumer::known_end(TopicPartition partition) const {
  const auto found = cursors_.find(partition);
  if (found == cursors_.end()) {
    return std::nullopt;
  }
  const std::string& topic = found->second.topic;
  const std::int32_t number = partition.partition.value();
  std::int64_t low = -1;
  std::int64_t high = -1;
  (void)rd_kafka_get_watermark_offsets(client_->get(), topic.c_str(), number, &low, &high);
  const Offset asked = ends_.end_of(topic, number).value_or(Offset(-1));
  const Offset end = std::max(Offset(high), asked);
  return end.value() < 0 ? std::nullopt : std::optional(end);
}

// Fetching tells where partitions end, but for those that are paused.
void KafkaConsumer::watch_ends() {
  if (!ends_.is_due()) {
    return;
  }
  std::vector<PlacedOffset> paused;
  for (const auto& [partition, cursor] : cursors_) {
    if (cursor.paused) {
      paused.push_back(
          {cursor.topic, partition.partition.value(), RD_KAFKA_OFFSET_SPEC_LATEST, {}});
    }
  }
  ends_.ask(paused);
}

// Records that are gone were deleted; offsets past the end were never there.
Status KafkaConsumer::find_bounds() {
  std::vector<PlacedOffset> starts;
  for (const auto& [partition, cursor] : cursors_) {
    if (cursor.is_lost) {
      starts.push_back(
          {cursor.topic, partition.partition.value(), RD_KAFKA_OFFSET_SPEC_EARLIEST, {}});
    }
  }
  std::vector<PlacedOffset> ends = starts;
  for (PlacedOffset& end : ends) {
    end.offset = RD_KAFKA_OFFSET_SPEC_LATEST;
  }
  PENSTOCK_TRY_ASSIGN(starts, admin_.list_offsets(starts));
  PENSTOCK_TRY_ASSIGN(ends, admin_.list_offsets(ends));
  for (auto& [partition, cursor] : cursors_) {
    const auto is_here = [&, &topic = cursor.topic,
                          number = partition.partition.value()](const PlacedOffset& at) {
      return at.topic == topic && at.partition == number;
    };
    if (!cursor.is_lost) {
      continue;
    }
    const auto start = std::ranges::find_if(starts, is_here);
    const auto end = std::ranges::find_if(ends, is_here);
    if (start != starts.end() && end != ends.end()) {
      cursor.position = std::clamp(*cursor.position, Offset(start->offset), Offset(end->offset));
      cursor.is_lost = false;
      cursor.seek_due = true;
    }
  }
  return {};
}

Status KafkaConsumer::seek_all() {
  if (!seeks_due_ || state_ != State::kReading) {
    return {};
  }
  if (std::ranges::any_of(cursors_, [](const auto& at) { return at.second.is_lost; })) {
    PENSTOCK_TRY(find_bounds());
  }
  const PartitionListHandle list = list_of([](const Cursor& cursor) { return cursor.seek_due; });
  if (list->cnt > 0) {
    PENSTOCK_TRY(to_status(ErrorHandle(rd_kafka_seek_partitions(
                               client_->get(), list.get(), milliseconds(options_.request_timeout))),
                           "moving to an offset"));
  }
  seeks_due_ = false;
  const PartitionListHandle resumed(rd_kafka_topic_partition_list_new(list->cnt));
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& at = list->elems[i];
    if (at.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      seeks_due_ = true;  // not reading there yet: with the next poll
      continue;
    }
    const TopicPartition partition{topics_.find(std::string_view(at.topic))->second,
                                   PartitionId(at.partition)};
    Cursor& cursor = cursors_.at(partition);
    cursor.seek_due = false;
    if (!cursor.paused && held_.erase(partition) > 0) {
      rd_kafka_topic_partition_list_add(resumed.get(), at.topic, at.partition);
    }
  }
  // Only now: a resume that librdkafka's own start of reading overtakes is lost, and the partition
  // stays paused for ever (its issue 5591). That a seek was taken shows that it has started.
  (void)rd_kafka_resume_partitions(client_->get(), resumed.get());
  return {};
}

// --- Polling ----------------------------------------------------------------------------------

// Not every way to fence a member ends in a call of the rebalance callback.
Status KafkaConsumer::check_membership() {
  const Status alive = client_->check_alive();
  if (!alive && !fenced_) {
    fenced_ = true;
    lose_everything();
  }
  if (fenced_ && !untold_.has_value()) {
    return Error(ErrorCode::kFenced,
                 alive ? "another member has this one's instance id" : alive.error().message());
  }
  return {};
}

Result<log::Consumer::Polled> KafkaConsumer::poll(std::size_t bytes_max) {
  Polled polled;
  PENSTOCK_TRY(check_membership());
  if (state_ == State::kAssigned && !untold_.has_value()) {
    PENSTOCK_TRY(begin_reading());
  }
  PENSTOCK_TRY(seek_all());
  watch_ends();
  Round round;
  Status status;
  std::array<rd_kafka_message_t*, kMessagesMax> messages{};
  bool drained = fenced_;
  while (!drained && round.bytes < bytes_max && !untold_.has_value()) {
    const ssize_t count =
        rd_kafka_consume_batch_queue(queue_.get(), 0, messages.data(), messages.size());
    drained = count < static_cast<ssize_t>(messages.size());
    for (ssize_t i = 0; i < count; ++i) {
      const MessageHandle message(messages[static_cast<std::size_t>(i)]);
      if (status) {
        status = take(*message, round);
      }
    }
  }
  has_more_ = !drained;
  PENSTOCK_TRY(status);
  for (auto& [partition, encoder] : round.encoders) {
    if (const auto cursor = cursors_.find(partition);
        cursor != cursors_.end() && state_ == State::kReading) {
      cursor->second.position = encoder.next();
      encoder.finish(polled.batches);
    }
  }
  polled.rebalance = std::exchange(untold_, std::nullopt);
  return polled;
}

BatchEncoder* KafkaConsumer::encoder_of(const rd_kafka_message_t& message, Round& round) {
  if (message.rkt == round.last_topic && message.partition == round.last_partition) {
    return round.last;
  }
  round.last_topic = message.rkt;
  round.last_partition = message.partition;
  round.last = nullptr;
  const auto topic = topics_.find(std::string_view(rd_kafka_topic_name(message.rkt)));
  if (topic == topics_.end()) {
    return nullptr;
  }
  const TopicPartition partition{topic->second, PartitionId(message.partition)};
  const auto cursor = cursors_.find(partition);
  if (cursor == cursors_.end() || cursor->second.paused || cursor->second.seek_due ||
      state_ != State::kReading) {
    return nullptr;
  }
  round.last =
      &round.encoders.try_emplace(partition, partition, *cursor->second.position).first->second;
  return round.last;
}

Status KafkaConsumer::take(const rd_kafka_message_t& message, Round& round) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return take_event(message, round);
  }
  BatchEncoder* const encoder = encoder_of(message, round);
  if (encoder != nullptr && message.offset >= encoder->next().value()) {
    encoder->append(message);
    round.bytes += message.len + message.key_len;
  }
  return {};
}

Status KafkaConsumer::take_event(const rd_kafka_message_t& message, Round& round) {
  const std::string what =
      message.rkt == nullptr ? std::string("reading")
                             : "reading topic \"" + std::string(rd_kafka_topic_name(message.rkt)) +
                                   "\", partition " + std::to_string(message.partition);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      if (BatchEncoder* const encoder = encoder_of(message, round); encoder != nullptr) {
        encoder->skip_to(Offset(message.offset));
      }
      return {};
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      if (message.rkt != nullptr) {
        const auto topic = topics_.find(std::string_view(rd_kafka_topic_name(message.rkt)));
        const auto cursor = topic == topics_.end()
                                ? cursors_.end()
                                : cursors_.find({topic->second, PartitionId(message.partition)});
        if (cursor != cursors_.end()) {
          cursor->second.is_lost = true;
          seeks_due_ = true;
        }
      }
      return {};
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      fenced_ = true;
      lose_everything();
      return {};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return to_error(message.err, what);
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return consumer_.group_id.has_value() ? to_error(message.err, what) : Status();
    default:
      return {};  // librdkafka tries again by itself
  }
}

void KafkaConsumer::wait(std::chrono::microseconds timeout) {
  if (has_more_ || untold_.has_value() || (state_ == State::kAssigned && !fenced_)) {
    return;
  }
  signal_->wait(seeks_due_ ? std::min<std::chrono::microseconds>(timeout, kSeekPause) : timeout);
}

// --- Groups -----------------------------------------------------------------------------------

log::GroupMetadata KafkaConsumer::group_metadata() const {
  log::GroupMetadata metadata;
  metadata.group_id = consumer_.group_id.value_or("");
  const GroupMetadataHandle known(rd_kafka_consumer_group_metadata(client_->get()));
  if (known != nullptr) {
    metadata.member_id = rd_kafka_consumer_group_metadata_member_id(known.get());
    metadata.generation = rd_kafka_consumer_group_metadata_generation_id(known.get());
  }
  return metadata;
}

Status KafkaConsumer::commit(std::vector<log::OffsetCommit> offsets) {
  const PartitionListHandle list(
      rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const log::OffsetCommit& commit : offsets) {
    const auto cursor = cursors_.find(commit.partition);
    if (cursor == cursors_.end()) {
      return Error(ErrorCode::kFenced, "this member does not own partition " +
                                           to_string(commit.partition.partition) + " of topic " +
                                           to_string(commit.partition.topic) + " any more");
    }
    set_offset(*rd_kafka_topic_partition_list_add(list.get(), cursor->second.topic.c_str(),
                                                  commit.partition.partition.value()),
               commit);
  }
  PENSTOCK_TRY(to_status(rd_kafka_commit(client_->get(), list.get(), 0), "commit of offsets"));
  for (int i = 0; i < list->cnt; ++i) {
    PENSTOCK_TRY(to_status(list->elems[i].err, "commit of offsets"));
  }
  return {};
}

}  // namespace penstock::kafka
