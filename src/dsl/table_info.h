// TableInfo is what the steps behind a table need to know of it: how to read it, and whether its
// changes carry the old value.
//
// Old values cost a look-up, so they are only sent where a step behind needs them: a step asks for
// them with enable_sending_old_values(), which a table without a store passes on to its parent.
// Whether they are sent is visible (a filter that knows the old value stays silent when neither
// old nor new pass), so the rules are those of Kafka Streams' KTableImpl.
//
// Threads   while the topology is built: one. Then immutable.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsl/graph.h"
#include "dsl/table_store.h"
#include "dsl/windows.h"

namespace penstock::dsl {

// Reads a table, in a task.
template <typename K, typename V>
class ValueGetter {
 public:
  using Stored = std::optional<ValueAndTimestamp<V>>;

  virtual ~ValueGetter() = default;

  [[nodiscard]] virtual Stored get(const K& key) = 0;

  // What it was at that time; only versioned tables know.
  [[nodiscard]] virtual Stored get_as_of(const K& key, Timestamp /*at*/) { return get(key); }

  [[nodiscard]] virtual bool is_versioned() const { return false; }
};

template <typename K, typename V>
struct TableInfo final : SharedInfo {
  using MakeGetter = std::function<std::unique_ptr<ValueGetter<K, V>>(TaskRuntime&)>;

  MakeGetter make_getter;
  std::vector<std::string> stores;      // that the getter reads
  std::function<bool(bool force)> ask;  // the parent, to send old values; none: it can itself
  bool sends_old_values = false;
  bool caches = false;            // changes are held back until the next commit
  bool is_versioned = false;      // its changes may be out of order, and say so
  std::optional<Duration> grace;  // of windowed tables: how long after its end a window is open

  [[nodiscard]] TableOptions options(const std::string& store) const {
    return {store, sends_old_values, caches};
  }

  // With `force` a table that could do without a store gets one.
  bool enable_sending_old_values(bool force) {
    if (!sends_old_values && (!ask || ask(force))) {
      sends_old_values = true;
    }
    return sends_old_values;
  }
};

}  // namespace penstock::dsl
