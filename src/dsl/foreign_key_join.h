// The foreign-key join of two tables (KIP-213): each entry of the left table names a key of the
// right.
//
//   left change -> SubscriptionSend => topic => SubscriptionReceive, joined with the right table
//                                               => topic => Resolve -> result table
//   right change -> all subscriptions of its key ------^
//
// A left entry subscribes to its foreign key, at the task that has the right table's entry. Answers
// come back to the left entry's partition with the hash of the value they were asked for: one that
// is no longer the current value is dropped, as a newer question is on its way. Formats and
// instructions are those of Kafka Streams.
//
// Threads   one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dsl/call.h"
#include "dsl/endpoints.h"
#include "dsl/murmur3.h"
#include "dsl/table_info.h"
#include "dsl/typed_stores.h"

namespace penstock::dsl {

// What is to be done at the right table; the numbers stand in topics and never change.
enum class SubscriptionInstruction : std::uint8_t {
  kDeleteSilently = 0,     // forget the subscription
  kDelete = 1,             // and answer with null
  kAnswerAlways = 2,       // null if the right table has nothing
  kAnswerIfAvailable = 3,  // nothing if the right table has nothing
};

template <typename K>
struct Subscription {
  std::optional<Hash128> hash;  // of the left value; absent: it was removed
  SubscriptionInstruction instruction = SubscriptionInstruction::kAnswerAlways;
  K primary_key;
  std::int32_t primary_partition = 0;
};

namespace internal {

inline constexpr std::byte kNoHash{0x80};

// The first byte: version, and whether there is a hash.
inline void append_hash_flag(std::byte version, bool has_hash, Bytes& to) {
  to.push_back(has_hash ? version : version | kNoHash);
}

inline void append_hash(const std::optional<Hash128>& hash, Bytes& to) {
  if (hash.has_value()) {
    to.insert(to.end(), hash->begin(), hash->end());
  }
}

// Takes it off `bytes`; false if it is cut short.
[[nodiscard]] inline bool take_hash(bool has_hash, ByteView& bytes, std::optional<Hash128>& hash) {
  if (!has_hash) {
    return true;
  }
  if (bytes.size() < sizeof(Hash128)) {
    return false;
  }
  std::copy_n(bytes.begin(), sizeof(Hash128), hash.emplace().begin());
  bytes = bytes.subspan(sizeof(Hash128));
  return true;
}

}  // namespace internal

// version 1 and no-hash bit | instruction | [hash] | primary key | int32 primary partition
template <Serializable K>
struct Serde<Subscription<K>> {
  static void encode(const Subscription<K>& subscription, Bytes& to) {
    internal::append_hash_flag(std::byte{1}, subscription.hash.has_value(), to);
    to.push_back(std::byte{static_cast<std::uint8_t>(subscription.instruction)});
    internal::append_hash(subscription.hash, to);
    Serde<K>::encode(subscription.primary_key, to);
    internal::append_number(subscription.primary_partition, to);
  }

  static std::optional<Subscription<K>> decode(ByteView bytes) {
    constexpr std::size_t kPartitionSize = sizeof(std::int32_t);
    if (bytes.size() < 2 || (bytes[0] & ~internal::kNoHash) != std::byte{1} ||
        bytes[1] > std::byte{3}) {
      return std::nullopt;
    }
    Subscription<K> subscription;
    const bool has_hash = (bytes[0] & internal::kNoHash) == std::byte{0};
    subscription.instruction = static_cast<SubscriptionInstruction>(bytes[1]);
    bytes = bytes.subspan(2);
    if (!internal::take_hash(has_hash, bytes, subscription.hash) || bytes.size() < kPartitionSize) {
      return std::nullopt;
    }
    const ByteView partition = bytes.last(kPartitionSize);
    std::optional<K> key = Serde<K>::decode(bytes.first(bytes.size() - kPartitionSize));
    if (!key.has_value()) {
      return std::nullopt;
    }
    subscription.primary_key = *std::move(key);
    subscription.primary_partition = load_be<std::int32_t>(partition.data());
    return subscription;
  }
};

template <typename VO>
struct SubscriptionResponse {
  std::optional<Hash128> hash;
  std::optional<VO> foreign_value;
  std::int32_t primary_partition = 0;  // where it goes; not written
};

// version 0 and no-hash bit | [hash] | foreign value, nothing for null
template <Serializable VO>
struct Serde<SubscriptionResponse<VO>> {
  static void encode(const SubscriptionResponse<VO>& response, Bytes& to) {
    internal::append_hash_flag(std::byte{0}, response.hash.has_value(), to);
    internal::append_hash(response.hash, to);
    if (response.foreign_value.has_value()) {
      Serde<VO>::encode(*response.foreign_value, to);
    }
  }

  static std::optional<SubscriptionResponse<VO>> decode(ByteView bytes) {
    if (bytes.empty() || (bytes[0] & ~internal::kNoHash) != std::byte{0}) {
      return std::nullopt;
    }
    SubscriptionResponse<VO> response;
    const bool has_hash = (bytes[0] & internal::kNoHash) == std::byte{0};
    bytes = bytes.subspan(1);
    if (!internal::take_hash(has_hash, bytes, response.hash)) {
      return std::nullopt;
    }
    if (!bytes.empty()) {
      response.foreign_value = Serde<VO>::decode(bytes);
      if (!response.foreign_value.has_value()) {
        return std::nullopt;
      }
    }
    return response;
  }
};

// Subscriptions lie together by foreign key: int32 size of foreign key | foreign key | primary key.
template <typename KO>
[[nodiscard]] Bytes subscription_prefix(const KO& foreign_key) {
  Bytes key;
  Serde<KO>::encode(foreign_key, key);
  Bytes prefix;
  internal::append_number(static_cast<std::int32_t>(key.size()), prefix);
  prefix.insert(prefix.end(), key.begin(), key.end());
  return prefix;
}

// Makes subscriptions of the left table's changes.
template <typename K, typename V, typename KO, typename Extractor, bool kIsLeftJoin>
class SubscriptionSendNode final : public Node,
                                   public Receiver<K, Change<V>>,
                                   public Publisher<KO, Subscription<K>> {
 public:
  SubscriptionSendNode(TaskRuntime& runtime, bool is_versioned, Extractor extractor)
      : runtime_(runtime), is_versioned_(is_versioned), extractor_(std::move(extractor)) {}

  void receive(const Record<K, Change<V>>& record) override {
    if (is_versioned_ && !record.value->is_latest) {
      runtime_.drop();
      return;
    }
    const std::optional<KO> old_key = extract(record, record.value->old_value);
    const std::optional<KO> new_key = extract(record, record.value->new_value);
    if constexpr (kIsLeftJoin) {
      left_join(record, old_key, new_key);
    } else {
      inner_join(record, old_key, new_key);
    }
  }

 private:
  using Instruction = SubscriptionInstruction;

  [[nodiscard]] std::optional<KO> extract(const Record<K, Change<V>>& record, const V* value) {
    if (value == nullptr) {
      return std::nullopt;
    }
    return KeyValueCall<Extractor, K, V>::call(extractor_, record.key, value);
  }

  void left_join(const Record<K, Change<V>>& record, const std::optional<KO>& old_key,
                 const std::optional<KO>& new_key) {
    if (record.value->old_value == nullptr && record.value->new_value == nullptr) {
      return;
    }
    if (old_key.has_value() && old_key != new_key) {
      forward(record, old_key, Instruction::kDeleteSilently);
    }
    // Also when the entry is removed: nobody is subscribed to no key, but an answer comes.
    forward(record, new_key, Instruction::kAnswerAlways);
  }

  void inner_join(const Record<K, Change<V>>& record, const std::optional<KO>& old_key,
                  const std::optional<KO>& new_key) {
    if (!new_key.has_value()) {
      if (record.value->new_value != nullptr) {
        runtime_.drop();
      }
      if (old_key.has_value()) {
        forward(record, old_key, Instruction::kDelete);
      }
      return;
    }
    const bool is_moved = old_key.has_value() && old_key != new_key;
    if (is_moved) {
      forward(record, old_key, Instruction::kDeleteSilently);
    }
    // There can only be a result to take back if the entry was subscribed elsewhere.
    forward(record, new_key,
            is_moved ? Instruction::kAnswerAlways : Instruction::kAnswerIfAvailable);
  }

  void forward(const Record<K, Change<V>>& record, const std::optional<KO>& foreign_key,
               Instruction instruction) {
    Subscription<K> subscription{std::nullopt, instruction, *record.key,
                                 runtime_.metadata().partition.value()};
    if (record.value->new_value != nullptr) {
      Bytes bytes;
      Serde<V>::encode(*record.value->new_value, bytes);
      subscription.hash = murmur3_128(bytes);
    }
    this->publish({to_pointer(foreign_key), &subscription, record.timestamp, record.headers});
  }

  TaskRuntime& runtime_;
  const bool is_versioned_;
  Extractor extractor_;
};

// Keeps subscriptions and answers them with what the right table holds.
template <typename K, typename KO, typename VO>
class SubscriptionReceiveNode final : public Node,
                                      public Receiver<KO, Subscription<K>>,
                                      public Publisher<K, SubscriptionResponse<VO>> {
 public:
  SubscriptionReceiveNode(TaskRuntime& runtime, const std::string& store,
                          std::unique_ptr<ValueGetter<KO, VO>> foreign)
      : runtime_(runtime),
        store_(runtime.store<store::KeyValueBytes>(store)),
        foreign_(std::move(foreign)) {}

  void receive(const Record<KO, Subscription<K>>& record) override {
    const Subscription<K>& subscription = *record.value;
    std::optional<ValueAndTimestamp<VO>> foreign;
    if (record.key != nullptr) {
      remember(*record.key, subscription, record.timestamp);
      foreign = foreign_->get(*record.key);
    } else if (subscription.instruction != Instruction::kAnswerAlways) {
      runtime_.drop();
      return;
    }
    const bool answers =
        subscription.instruction == Instruction::kDelete ||
        subscription.instruction == Instruction::kAnswerAlways ||
        (subscription.instruction == Instruction::kAnswerIfAvailable && foreign.has_value());
    if (!answers) {
      return;
    }
    SubscriptionResponse<VO> response{subscription.hash, std::nullopt,
                                      subscription.primary_partition};
    if (foreign.has_value() && subscription.instruction != Instruction::kDelete) {
      response.foreign_value = foreign->value;
    }
    const Timestamp timestamp =
        foreign.has_value() ? std::max(record.timestamp, foreign->timestamp) : record.timestamp;
    this->publish({&subscription.primary_key, &response, timestamp, record.headers});
  }

 private:
  using Instruction = SubscriptionInstruction;

  void remember(const KO& foreign_key, const Subscription<K>& subscription, Timestamp timestamp) {
    Bytes key = subscription_prefix(foreign_key);
    Serde<K>::encode(subscription.primary_key, key);
    if (subscription.instruction == Instruction::kDelete ||
        subscription.instruction == Instruction::kDeleteSilently) {
      store_.erase(key, timestamp);
    } else {
      store_.put(key, subscription, timestamp);
    }
  }

  TaskRuntime& runtime_;
  KeyValueStore<Bytes, Subscription<K>> store_;
  std::unique_ptr<ValueGetter<KO, VO>> foreign_;
};

// Tells all subscribers of a key of the right table what it holds now.
template <typename K, typename KO, typename VO>
class ForeignTableNode final : public Node,
                               public Receiver<KO, Change<VO>>,
                               public Publisher<K, SubscriptionResponse<VO>> {
 public:
  ForeignTableNode(TaskRuntime& runtime, bool is_versioned, const std::string& store)
      : runtime_(runtime),
        is_versioned_(is_versioned),
        store_(runtime.store<store::KeyValueBytes>(store)) {}

  void receive(const Record<KO, Change<VO>>& record) override {
    if (record.key == nullptr || (is_versioned_ && !record.value->is_latest)) {
      runtime_.drop();
      return;
    }
    std::vector<Subscription<K>> subscriptions;
    const Bytes prefix = subscription_prefix(*record.key);
    store_.visit({ByteView(prefix), std::nullopt},
                 [&](ByteView key, const store::StoredValue& stored) {
                   if (!as_text(key).starts_with(as_text(prefix))) {
                     return false;
                   }
                   subscriptions.push_back(internal::decode_own<Subscription<K>>(stored.value));
                   return true;
                 });
    for (const Subscription<K>& subscription : subscriptions) {
      SubscriptionResponse<VO> response{subscription.hash, std::nullopt,
                                        subscription.primary_partition};
      if (record.value->new_value != nullptr) {
        response.foreign_value = *record.value->new_value;
      }
      this->publish({&subscription.primary_key, &response, record.timestamp, record.headers});
    }
  }

 private:
  TaskRuntime& runtime_;
  const bool is_versioned_;
  store::KeyValueBytes& store_;
};

// Answers go to the partition that asked.
template <Serializable K, Serializable VO>
class ResponseSinkNode final : public Node,
                               public Receiver<K, SubscriptionResponse<VO>>,
                               private SinkBase {
 public:
  ResponseSinkNode(TaskRuntime& runtime, const std::string& step,
                   const std::vector<std::string>& topics)
      : SinkBase(runtime, step, topics) {}

  void receive(const Record<K, SubscriptionResponse<VO>>& record) override {
    key_.clear();
    value_.clear();
    Serde<K>::encode(*record.key, key_);
    Serde<SubscriptionResponse<VO>>::encode(*record.value, value_);
    KeyBytes key;
    key.whole = ByteView(key_);
    key.partition = PartitionId(record.value->primary_partition);
    append(0, key, ByteView(value_), record.timestamp, record.headers);
  }
};

// Joins an answer with the left entry it was asked for, if that is still the same.
template <typename K, typename V, typename VO, typename Joiner, typename Out, bool kIsLeftJoin>
class ResponseResolveNode final : public Node,
                                  public Receiver<K, SubscriptionResponse<VO>>,
                                  public Publisher<K, Out> {
 public:
  ResponseResolveNode(TaskRuntime& runtime, std::unique_ptr<ValueGetter<K, V>> table, Joiner joiner)
      : runtime_(runtime), table_(std::move(table)), joiner_(std::move(joiner)) {}

  void receive(const Record<K, SubscriptionResponse<VO>>& record) override {
    const auto current = table_->get(*record.key);
    std::optional<Hash128> hash;
    if (current.has_value()) {
      Bytes bytes;
      Serde<V>::encode(current->value, bytes);
      hash = murmur3_128(bytes);
    }
    if (hash != record.value->hash) {
      runtime_.drop();
      return;
    }
    const VO* foreign = to_pointer(record.value->foreign_value);
    std::optional<Out> result;
    if (current.has_value() && (foreign != nullptr || kIsLeftJoin)) {
      result = JoinCall<Joiner, K, V, VO>::call(joiner_, record.key, &current->value, foreign);
    }
    this->publish(record.with_value(to_pointer(result)));
  }

 private:
  TaskRuntime& runtime_;
  std::unique_ptr<ValueGetter<K, V>> table_;
  Joiner joiner_;
};

}  // namespace penstock::dsl
