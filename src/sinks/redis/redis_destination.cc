#include "sinks/redis/redis_destination.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/check.h"
#include "sinks/redis/key_slot.h"
#include "sinks/redis/scripts.h"
#include "sinks/runtime/random_name.h"

namespace penstock::sinks {
namespace {

std::size_t index_of(PartitionId partition) {
  return static_cast<std::size_t>(partition.value());
}

// A number that a script has answered; nothing if somebody has written something else there.
std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number ? std::optional(value) : std::nullopt;
}

Error displaced() {
  return {ErrorCode::kFenced, "Redis: another process has taken this sink over"};
}

Error may_pass(const std::string& message) {
  return {ErrorCode::kRetry, "Redis: " + message};
}

// Of two errors the one that decides what happens next.
void keep_graver(Status& kept, Status other) {
  const auto rank = [](const Status& status) {
    return status                                         ? 0
           : status.error().code() == ErrorCode::kInvalid ? 1
           : status.error().code() == ErrorCode::kRetry   ? 2
                                                          : 3;
  };
  if (rank(other) > rank(kept)) {
    kept = std::move(other);
  }
}

}  // namespace

Result<std::unique_ptr<RedisDestination>> RedisDestination::make(const os::Clock& clock,
                                                                 os::Random& random,
                                                                 Options options) {
  PENSTOCK_TRY_ASSIGN(auto updates, RedisUpdates::make(options.updates));
  return std::unique_ptr<RedisDestination>(
      new RedisDestination(clock, random_name(random), std::move(updates), std::move(options)));
}

RedisDestination::RedisDestination(const os::Clock& clock, std::string owner,
                                   std::unique_ptr<RedisUpdates> updates, Options options)
    : owner_(std::move(owner)),
      options_(std::move(options)),
      servers_(options_.servers, clock, interrupted_),
      updates_(std::move(updates)) {}

// "penstock:{tag}:sink:topic:3", in the slot of the partition's keys.
std::string RedisDestination::position_key(std::size_t partition) const {
  const auto tag = config::hash_tag(options_.updates.key, static_cast<std::int32_t>(partition));
  return "penstock:" + (tag.has_value() ? "{" + *tag + "}:" : "") + options_.sink + ":" +
         options_.topic + ":" + std::to_string(partition);
}

RedisDestination::Call RedisDestination::call_on(std::size_t partition) const {
  const std::string key = position_key(partition);
  Call call;
  call.slot = key_slot(key);
  call.add_key(key);
  return call;
}

// --- open ---------------------------------------------------------------------------------------

Result<std::vector<Offset>> RedisDestination::open(std::int32_t partition_count) {
  PENSTOCK_TRY(servers_.connect());
  epochs_.resize(static_cast<std::size_t>(partition_count));
  at_.assign(epochs_.size(), Offset(0));
  PENSTOCK_TRY(take_over());
  PENSTOCK_TRY(probe());
  return at_;
}

Status RedisDestination::take_over() {
  lease_ = owner_ + "-" + std::to_string(++lease_count_);
  std::vector<Call> calls;
  for (std::size_t i = 0; i < at_.size(); ++i) {
    Call& call = calls.emplace_back(call_on(i));
    call.add_argument(owner_);
    call.add_argument(std::to_string(epochs_[i]));
    call.add_argument(lease_);
  }
  PENSTOCK_TRY_ASSIGN(const std::vector<RedisReply> replies, servers_.run(kTakeScript, calls));
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const RedisReply& reply = replies[i];
    if (reply.is_error()) {
      return may_pass(reply.text);
    }
    if (reply.text_at(0) == "newer") {
      return displaced();
    }
    const auto next_offset = number(reply.text_at(1));
    const auto epoch = number(reply.text_at(2));
    if (!next_offset.has_value() || !epoch.has_value()) {
      return may_pass(position_key(i) + " does not hold a position: " + reply.text_at(1));
    }
    at_[i] = Offset(*next_offset);
    epochs_[i] = *epoch;
  }
  return {};
}

// Whether this user may do, and this server can do, what records will ask for. Later it could be
// found out only by half a record.
Status RedisDestination::probe() {
  std::vector<std::size_t> partitions;
  std::vector<Call> calls;
  for (std::size_t i = 0; i < at_.size(); ++i) {
    Call& call = calls.emplace_back(begin_write(i, at_[i]));
    add(call, updates_->probe(position_key(i) + ":probe", at_[i]));
    partitions.push_back(i);
  }
  Status tried = run(partitions, calls);
  if (!tried && tried.error().code() == ErrorCode::kInvalid) {
    return may_pass("cannot write as this sink needs to: " + tried.error().message());
  }
  return tried;
}

// --- write --------------------------------------------------------------------------------------

std::vector<Refusal> RedisDestination::prepare(std::span<const SinkRecord> records) {
  return updates_->prepare(records);
}

Status RedisDestination::write(const SinkPiece& piece) {
  constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> partitions;
  std::vector<Call> calls;
  std::vector<std::size_t> call_of(at_.size(), kNone);
  for (const SinkMove& move : piece.moves) {
    const std::size_t partition = index_of(move.partition);
    PENSTOCK_CHECK(at_[partition] >= move.from);
    if (at_[partition] < move.to) {
      call_of[partition] = calls.size();
      partitions.push_back(partition);
      calls.push_back(begin_write(partition, move.to));
    }
  }
  for (std::size_t i = piece.begin; i < piece.end; ++i) {
    const SinkRecord& record = piece.records[i];
    const std::size_t partition = index_of(record.partition);
    if (piece.fates[i] == Fate::kWrite && record.record.offset >= at_[partition]) {
      PENSTOCK_CHECK(call_of[partition] != kNone);
      add(calls[call_of[partition]], (*updates_)[i]);
    }
  }
  return run(partitions, calls);
}

// Asks the script to do nothing.
Status RedisDestination::check() {
  std::vector<std::size_t> partitions;
  std::vector<Call> calls;
  for (std::size_t i = 0; i < at_.size(); ++i) {
    partitions.push_back(i);
    calls.push_back(begin_write(i, at_[i]));
  }
  return run(partitions, calls);
}

RedisDestination::Call RedisDestination::begin_write(std::size_t partition, Offset to) const {
  Call call = call_on(partition);
  call.add_argument(lease_);
  call.add_argument(to_string(at_[partition]));
  call.add_argument(to_string(to));
  return call;
}

void RedisDestination::add(Call& call, const RedisUpdates::Encoded& record) {
  call.keys += record.key;
  ++call.key_count;
  call.arguments += record.words;
  call.argument_count += record.word_count;
}

Status RedisDestination::run(const std::vector<std::size_t>& partitions,
                             const std::vector<Call>& calls) {
  PENSTOCK_TRY_ASSIGN(const std::vector<RedisReply> replies, servers_.run(kWriteScript, calls));
  Status status;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    keep_graver(status, settle(partitions[i], replies[i]));
  }
  return status;
}

Status RedisDestination::settle(std::size_t partition, const RedisReply& reply) {
  if (reply.is_error()) {
    return may_pass(reply.text);
  }
  const std::string what = reply.text_at(0);
  if (what == "lost") {
    return lost(partition, reply);
  }
  const auto offset = number(reply.text_at(1));
  if (what == "elsewhere" || !offset.has_value()) {
    return may_pass("the stored offset is not where this sink left it");
  }
  at_[partition] = Offset(*offset);
  if (what == "done") {
    return {};
  }
  const std::string message = reply.text_at(2);
  return Error(code_of_redis_error(message), "Redis: " + message);
}

Error RedisDestination::lost(std::size_t partition, const RedisReply& reply) const {
  const std::int64_t epoch = number(reply.text_at(1)).value_or(0);
  const std::int64_t mine = epochs_[partition];
  if (epoch > mine || (epoch == mine && reply.text_at(2) != owner_)) {
    return displaced();
  }
  return may_pass("the server has lost writes: the sink's position is gone or older");
}

}  // namespace penstock::sinks
