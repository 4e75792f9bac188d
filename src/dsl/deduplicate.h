// DeduplicateNode hands on the first record of each id, and drops those that follow within a time.
//
// A record is a duplicate if one of the same id was handed on that is at most `within` older or
// newer: so it does not matter in which order they come. Ids are compared within a task: records of
// one id must have the same key, or have been brought together by repartition().
//
// Threads   one.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "dsl/call.h"
#include "dsl/runtime.h"
#include "dsl/typed_stores.h"

namespace penstock::dsl {

template <typename K, typename V, typename Id, typename IdOf>
class DeduplicateNode final : public Node, public Receiver<K, V>, public Publisher<K, V> {
 public:
  DeduplicateNode(TaskRuntime& runtime, const std::string& store, Duration within, IdOf id_of)
      : runtime_(runtime),
        seen_(runtime.store<store::WindowBytes>(store)),
        within_(within),
        id_of_(std::move(id_of)) {}

  void receive(const Record<K, V>& record) override {
    using Call = KeyValueCall<IdOf, K, V>;
    std::optional<Id> id;
    if (Call::takes(record.key, record.value)) {
      id = Call::call(id_of_, record.key, record.value);
    }
    if (!id.has_value()) {
      runtime_.drop();
      return;
    }
    const std::int64_t within = within_.count();
    if (!seen_.fetch(*id, record.timestamp + -within, record.timestamp + within).empty()) {
      return;
    }
    const bool is_seen = true;
    seen_.put(*id, record.timestamp, &is_seen, record.timestamp);
    seen_.expire(Timestamp(std::numeric_limits<std::int64_t>::max()));
    this->publish(record);
  }

 private:
  TaskRuntime& runtime_;
  WindowStore<Id, bool> seen_;
  const Duration within_;
  IdOf id_of_;
};

}  // namespace penstock::dsl
