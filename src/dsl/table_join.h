// Joins of two tables by key: each side's changes meet what the other side holds.
//
// Semantics of Kafka Streams' KTableKTable{Inner,Left,Right,Outer}Join: a result has the larger of
// the two timestamps; a change that cannot have had a result and has none now is not handed on.
//
// Threads   one.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "dsl/call.h"
#include "dsl/table_info.h"
#include "dsl/table_store.h"

namespace penstock::dsl {

// Which sides a result needs.
enum class TableJoinKind : std::uint8_t { kInner, kLeft, kOuter };

template <TableJoinKind kKind, typename K, typename Left, typename Right, typename Joiner,
          typename Out>
struct TableJoiner {
  Joiner joiner;

  // Nothing if a side is missing that the join needs.
  [[nodiscard]] std::optional<Out> operator()(const K& key, const Left* left, const Right* right) {
    if (left == nullptr && right == nullptr) {
      return std::nullopt;
    }
    if constexpr (kKind != TableJoinKind::kOuter) {
      if (left == nullptr) {
        return std::nullopt;
      }
    }
    if constexpr (kKind == TableJoinKind::kInner) {
      if (right == nullptr) {
        return std::nullopt;
      }
    }
    return JoinCall<Joiner, K, Left, Right>::call(joiner, &key, left, right);
  }
};

// The side whose changes it takes is the left or the right one of the join.
template <TableJoinKind kKind, bool kIsLeft, typename K, typename Left, typename Right,
          typename Joiner, typename Out>
class TableJoinNode final : public Node,
                            public Receiver<K, Change<std::conditional_t<kIsLeft, Left, Right>>>,
                            public Publisher<K, Change<Out>> {
 public:
  using This = std::conditional_t<kIsLeft, Left, Right>;
  using Other = std::conditional_t<kIsLeft, Right, Left>;
  using Join = TableJoiner<kKind, K, Left, Right, Joiner, Out>;

  struct Options {
    bool is_versioned = false;  // this side: the join is of its latest values
    bool sends_old_values = false;
  };

  TableJoinNode(TaskRuntime& runtime, std::unique_ptr<ValueGetter<K, Other>> other, Join join,
                const Options& options)
      : runtime_(runtime), other_(std::move(other)), join_(std::move(join)), options_(options) {}

  void receive(const Record<K, Change<This>>& record) override {
    const Change<This>& input = *record.value;
    if (record.key == nullptr || (options_.is_versioned && !input.is_latest)) {
      runtime_.drop();
      return;
    }
    const auto found = other_->get(*record.key);
    const bool nothing_here = input.new_value == nullptr && input.old_value == nullptr;
    if (!found.has_value() && (kNeedsOther || nothing_here)) {
      return;
    }
    const Timestamp timestamp =
        found.has_value() ? std::max(record.timestamp, found->timestamp) : record.timestamp;
    const std::optional<Out> now = join(*record.key, input.new_value, value_of(found));
    std::optional<Out> old;
    if (options_.sends_old_values) {
      old = join(*record.key, input.old_value, value_of(found));
    }
    const Change<Out> change{to_pointer(now), to_pointer(old), input.is_latest};
    this->publish({record.key, &change, timestamp, record.headers});
  }

 private:
  // Without the other side there is no result, whatever changes on this one.
  static constexpr bool kNeedsOther =
      kKind == TableJoinKind::kInner || (kKind == TableJoinKind::kLeft && !kIsLeft);

  [[nodiscard]] std::optional<Out> join(const K& key, const This* mine, const Other* other) {
    if constexpr (kIsLeft) {
      return join_(key, mine, other);
    } else {
      return join_(key, other, mine);
    }
  }

  TaskRuntime& runtime_;
  std::unique_ptr<ValueGetter<K, Other>> other_;
  Join join_;
  const Options options_;
};

// Where the changes of both sides come together.
template <typename K, typename V>
class TableMergeNode final : public Node,
                             public Receiver<K, Change<V>>,
                             public Publisher<K, Change<V>> {
 public:
  explicit TableMergeNode(bool sends_old_values) : sends_old_values_(sends_old_values) {}

  void receive(const Record<K, Change<V>>& record) override {
    const Change<V> change{record.value->new_value,
                           sends_old_values_ ? record.value->old_value : nullptr,
                           record.value->is_latest};
    this->publish(record.with_value(&change));
  }

 private:
  const bool sends_old_values_;
};

// The same with a store.
template <typename K, typename V>
class StoredTableMergeNode final : public StoredTableNode<K, V>, public Receiver<K, Change<V>> {
 public:
  StoredTableMergeNode(TaskRuntime& runtime, const TableOptions& table)
      : StoredTableNode<K, V>(runtime, table) {}

  void receive(const Record<K, Change<V>>& record) override {
    this->update(record, record.value->new_value, record.value->old_value, record.timestamp);
  }
};

// Reads the result of a join that has no store.
template <typename K, typename Left, typename Right, typename Out, typename Join>
class TableJoinGetter final : public ValueGetter<K, Out> {
 public:
  TableJoinGetter(std::unique_ptr<ValueGetter<K, Left>> left,
                  std::unique_ptr<ValueGetter<K, Right>> right, Join join)
      : left_(std::move(left)), right_(std::move(right)), join_(std::move(join)) {}

  [[nodiscard]] std::optional<ValueAndTimestamp<Out>> get(const K& key) override {
    const auto left = left_->get(key);
    const auto right = right_->get(key);
    std::optional<Out> value = join_(key, value_of(left), value_of(right));
    if (!value.has_value()) {
      return std::nullopt;
    }
    const Timestamp none(-1);
    return ValueAndTimestamp<Out>{*std::move(value),
                                  std::max(left.has_value() ? left->timestamp : none,
                                           right.has_value() ? right->timestamp : none)};
  }

 private:
  std::unique_ptr<ValueGetter<K, Left>> left_;
  std::unique_ptr<ValueGetter<K, Right>> right_;
  Join join_;
};

}  // namespace penstock::dsl
