// Joins of two streams by key and time.
//
// Semantics of Kafka Streams' KStreamKStreamJoin. Records without
// key or value meet nobody and are dropped; a left or outer join hands on one that has a value but
// no key (KIP-962). What a left or outer join found no partner for is put out once its window is
// closed, with null on the other side: until then it waits in a store of its own (KIP-633), looked
// at no more often than the emit interval by the wall clock.
//
// Threads   one.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "dsl/aggregate.h"
#include "dsl/call.h"
#include "dsl/typed_stores.h"

namespace penstock::dsl {

// Keeps the records of one side, for the other to find: KStreamJoinWindow. Hands each on first, so
// that a stream joined with itself does not find it.
template <typename K, typename V>
class JoinWindowNode final : public Node, public Receiver<K, V>, public Publisher<K, V> {
 public:
  JoinWindowNode(TaskRuntime& runtime, const std::string& store)
      : runtime_(runtime), store_(runtime.store<store::WindowBytes>(store)) {}

  void receive(const Record<K, V>& record) override {
    this->publish(record);
    if (record.key != nullptr) {
      // Also without value, which adds nothing: the store's time goes on.
      runtime_.count_kept(
          store_.put(*record.key, record.timestamp, record.value, record.timestamp));
      store_.expire(Timestamp(std::numeric_limits<std::int64_t>::max()));
    }
  }

 private:
  TaskRuntime& runtime_;
  WindowStore<K, V> store_;
};

// What a record of a left or outer join waits as: int64 timestamp | 1 if left, else 0 | key, so
// that they lie in the order of time. The value is a list, as records of the same key and time may
// come, of elements: 1 if left, else 0 | value.
template <typename K>
struct WaitingKey {
  Timestamp timestamp;
  bool is_left = false;
  K key;
};

template <Serializable K>
struct Serde<WaitingKey<K>> {
  static void encode(const WaitingKey<K>& waiting, Bytes& to) {
    internal::append_number(waiting.timestamp.value(), to);
    to.push_back(std::byte{waiting.is_left});
    Serde<K>::encode(waiting.key, to);
  }

  static std::optional<WaitingKey<K>> decode(ByteView bytes) {
    constexpr std::size_t kPrefix = sizeof(std::int64_t) + 1;
    if (bytes.size() < kPrefix) {
      return std::nullopt;
    }
    std::optional<K> key = Serde<K>::decode(bytes.subspan(kPrefix));
    return key.has_value() ? std::optional(WaitingKey<K>{
                                 Timestamp(load_be<std::int64_t>(bytes.data())),
                                 bytes[sizeof(std::int64_t)] != std::byte{0}, *std::move(key)})
                           : std::nullopt;
  }
};

template <typename Left, typename Right>
struct WaitingValue {
  std::optional<Left> left;
  std::optional<Right> right;
};

template <typename Left, typename Right>
using WaitingList = std::vector<WaitingValue<Left, Right>>;

// 1 if left, else 0 | value
template <Serializable Left, Serializable Right>
struct Serde<WaitingValue<Left, Right>> {
  static void encode(const WaitingValue<Left, Right>& value, Bytes& to) {
    to.push_back(std::byte{value.left.has_value()});
    if (value.left.has_value()) {
      Serde<Left>::encode(*value.left, to);
    } else {
      Serde<Right>::encode(*value.right, to);
    }
  }

  static std::optional<WaitingValue<Left, Right>> decode(ByteView bytes) {
    if (bytes.empty()) {
      return std::nullopt;
    }
    WaitingValue<Left, Right> value;
    if (bytes[0] != std::byte{0}) {
      value.left = Serde<Left>::decode(bytes.subspan(1));
    } else {
      value.right = Serde<Right>::decode(bytes.subspan(1));
    }
    return value.left.has_value() || value.right.has_value() ? std::optional(std::move(value))
                                                             : std::nullopt;
  }
};

// The time of a join, shared by its two sides.
class JoinTime final : public Node {
 public:
  Timestamp stream_time{-1};
  // Of what waits; or later than that, as the last look at it left it: what is put out when is
  // Kafka Streams' choice.
  std::int64_t min_time = kNone;
  std::int64_t next_emit_ms = 0;

  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

  void committed() override { committed_ = {stream_time, min_time}; }

  void aborted() override { std::tie(stream_time, min_time) = committed_; }

 private:
  std::tuple<Timestamp, std::int64_t> committed_{Timestamp(-1), kNone};
};

struct StreamJoinOptions {
  std::string name;              // of the join
  std::string other_store;       // of the side to look into
  std::string outer_store;       // of what waits; empty in inner joins
  bool keeps_unmatched = false;  // this side is put out also without a partner
  // This side is joined with records of the other at most so much before and after.
  Duration before{0};
  Duration after{0};
  JoinWindows windows = JoinWindows::of_time_difference_with_no_grace(Duration(0));
  Duration emit_interval{1000};
};

// One side of a join. `kIsLeft` says which; This is its value type, Other that of the other side.
template <bool kIsLeft, typename K, typename Left, typename Right, typename Joiner, typename Out>
class StreamJoinNode final : public Node,
                             public Receiver<K, std::conditional_t<kIsLeft, Left, Right>>,
                             public Publisher<K, Out> {
 public:
  using This = std::conditional_t<kIsLeft, Left, Right>;
  using Other = std::conditional_t<kIsLeft, Right, Left>;
  using Call = JoinCall<Joiner, K, Left, Right>;
  using Waiting = KeyValueStore<WaitingKey<K>, WaitingList<Left, Right>>;

  StreamJoinNode(TaskRuntime& runtime, const StreamJoinOptions& options, Joiner joiner)
      : runtime_(runtime),
        options_(options),
        joiner_(std::move(joiner)),
        other_(runtime.store<store::WindowBytes>(options.other_store)),
        time_(runtime.shared<JoinTime>(options.name)) {
    if (!options.outer_store.empty()) {
      waiting_.emplace(runtime.store<store::KeyValueBytes>(options.outer_store));
    }
  }

  // After a restart the time of the join is known from the store.
  void restored() override {
    if (!waiting_.has_value()) {
      return;
    }
    const store::StepTimes& kept = waiting_->times();
    time_.stream_time = kept.observed;
    time_.min_time = kept.emitted.value() < 0 ? JoinTime::kNone : kept.emitted.value();
    time_.committed();
  }

  void receive(const Record<K, This>& record) override {
    time_.stream_time = std::max(time_.stream_time, record.timestamp);
    if (waiting_.has_value()) {
      waiting_->times().observed = time_.stream_time;
    }
    if (options_.keeps_unmatched && Call::kTakesNullKey && record.key == nullptr &&
        record.value != nullptr) {
      publish_joined(record, record.value, nullptr, record.timestamp);
      return;
    }
    if (record.key == nullptr || record.value == nullptr) {
      runtime_.drop();
      return;
    }
    if (waiting_.has_value() && record.timestamp == time_.stream_time) {
      emit_unmatched(record);
    }
    join(record);
    if (waiting_.has_value()) {
      waiting_->times().emitted =
          Timestamp(time_.min_time == JoinTime::kNone ? -1 : time_.min_time);
    }
  }

 private:
  void join(const Record<K, This>& record) {
    const std::int64_t at = record.timestamp.value();
    const Timestamp from(std::max<std::int64_t>(0, at - options_.before.count()));
    const Timestamp to(std::max<std::int64_t>(0, at + options_.after.count()));
    const auto found = other_.fetch(*record.key, from, to);
    for (const auto& entry : found) {
      if (waiting_.has_value()) {
        waiting_->erase({entry.start, !kIsLeft, *record.key}, record.timestamp);
      }
      publish_joined(record, record.value, &entry.stored.value,
                     std::max(record.timestamp, entry.start));
    }
    if (!found.empty() || !options_.keeps_unmatched) {
      return;
    }
    if (to < time_.stream_time) {
      publish_joined(record, record.value, nullptr, record.timestamp);
      return;
    }
    time_.min_time = std::min(time_.min_time, at);
    WaitingValue<Left, Right> value;
    if constexpr (kIsLeft) {
      value.left = *record.value;
    } else {
      value.right = *record.value;
    }
    const WaitingKey<K> key{record.timestamp, kIsLeft, *record.key};
    auto waiting = waiting_->get(key);
    WaitingList<Left, Right> list =
        waiting.has_value() ? std::move(waiting->value) : WaitingList<Left, Right>();
    list.push_back(std::move(value));
    waiting_->put(key, list, record.timestamp);
  }

  // Puts out what waits and whose window is closed, in the order of time; of each side up to the
  // first whose window is open.
  void emit_unmatched(const Record<K, This>& record) {
    const std::int64_t grace = options_.windows.grace().count();
    // Kafka Streams looks too when nothing waits, and then not again for the interval.
    if (time_.min_time != JoinTime::kNone &&
        time_.min_time + options_.after.count() + grace >= time_.stream_time.value()) {
      return;
    }
    const std::int64_t now = runtime_.wall_now_ms();
    if (now < time_.next_emit_ms) {
      return;
    }
    time_.next_emit_ms = now + options_.emit_interval.count();
    time_.min_time = JoinTime::kNone;
    bool left_is_open = false;
    bool right_is_open = false;
    for (const auto& [key, stored] : waiting_->all()) {
      time_.min_time = key.timestamp.value();
      if (left_is_open && right_is_open) {
        break;
      }
      const Duration look_back = key.is_left ? options_.windows.after() : options_.windows.before();
      if (time_.min_time + look_back.count() + grace >= time_.stream_time.value()) {
        (key.is_left ? left_is_open : right_is_open) = true;
        continue;
      }
      const Record<K, This> unmatched{&key.key, nullptr, key.timestamp, record.headers};
      for (const WaitingValue<Left, Right>& value : stored.value) {
        publish_both(unmatched, to_pointer(value.left), to_pointer(value.right));
      }
      waiting_->erase(key, record.timestamp);
    }
  }

  void publish_joined(const Record<K, This>& record, const This* mine, const Other* other,
                      Timestamp timestamp) {
    if constexpr (kIsLeft) {
      publish_both(record.with_timestamp(timestamp), mine, other);
    } else {
      publish_both(record.with_timestamp(timestamp), other, mine);
    }
  }

  void publish_both(const Record<K, This>& record, const Left* left, const Right* right) {
    const std::optional<Out> joined = Call::call(joiner_, record.key, left, right);
    this->publish(record.with_value(to_pointer(joined)));
  }

  TaskRuntime& runtime_;
  const StreamJoinOptions options_;
  Joiner joiner_;
  WindowStore<K, Other> other_;
  std::optional<Waiting> waiting_;
  JoinTime& time_;
};

}  // namespace penstock::dsl
