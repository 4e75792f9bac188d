// What can be said about a step beside what it does. All may be left out, but for the names of
// stores: a step that keeps state has a name that the program gives, once and for all.
//
//   stream.filter(is_large, {.name = "large-ones"})
//   stream.group_by_key().count(Materialized("counts"))
//   left.join(right, joiner, windows, StreamJoined("orders-payments"))
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/check.h"
#include "dsl/windows.h"
#include "store/store_type.h"

namespace penstock::dsl {

// The name of a step in the topology's description; made from its kind and a number otherwise.
struct Named {
  std::string name;
};

// What a source does with a record whose key or value cannot be read.
enum class Malformed : std::uint8_t {
  kHandle,  // what the topology's handler says (errors.h); by default it stops
  kDrop,    // count and go on
};

// Where a record's timestamp comes from.
enum class TimestampFrom : std::uint8_t {
  kRecord,     // as it was produced
  kWallClock,  // when it is processed
};

struct Consumed {
  std::string name;
  Malformed malformed = Malformed::kHandle;
  TimestampFrom timestamp = TimestampFrom::kRecord;
};

struct Produced {
  std::string name;
};

// `name` also names the repartition topic, if the keys were changed: without it, the store's does.
struct Grouped {
  std::string name;
};

// The topic is called `<name>-repartition`.
class Repartitioned {
 public:
  explicit Repartitioned(std::string name) : name_(std::move(name)) {
    PENSTOCK_CHECK(!name_.empty());
  }

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
};

using store::StoreType;

// Whether changes of a table are held back until the next commit, so that of many changes of a key
// only the last goes on to the steps behind it. What a table holds is not delayed.
enum class Caching : std::uint8_t { kOff, kOn };

// A store, by its name.
class Materialized {
 public:
  explicit Materialized(std::string store) : store_(std::move(store)) {
    PENSTOCK_CHECK(!store_.empty());
  }

  // Of window and session stores: how long windows are kept, at least until they are closed.
  [[nodiscard]] Materialized with_retention(Duration retention) && {
    retention_ = retention;
    return std::move(*this);
  }

  // Of tables: remembers what keys held before, so far back, counted from the table's largest
  // timestamp (KIP-889, KIP-914). A stream that joins the table meets what was valid at the time of
  // its record; updates that come out of order are put where they belong, and steps behind the
  // table that only want the latest values do not see them.
  [[nodiscard]] Materialized versioned(Duration history) && {
    PENSTOCK_CHECK(history.count() >= 0);
    history_ = history;
    return std::move(*this);
  }

  // Otherwise as the StreamBuilder was told. Versioned tables, and windows that are handed on when
  // they close, are never cached.
  [[nodiscard]] Materialized with_caching() && {
    caching_ = Caching::kOn;
    return std::move(*this);
  }

  [[nodiscard]] Materialized without_caching() && {
    caching_ = Caching::kOff;
    return std::move(*this);
  }

  // Otherwise as the StreamBuilder was told.
  [[nodiscard]] Materialized with_store(StoreType type) && {
    type_ = type;
    return std::move(*this);
  }

  [[nodiscard]] const std::string& store() const { return store_; }

  [[nodiscard]] const std::optional<Caching>& caching() const { return caching_; }

  [[nodiscard]] const std::optional<StoreType>& type() const { return type_; }

  [[nodiscard]] const std::optional<Duration>& retention() const { return retention_; }

  // Absent: the latest values only.
  [[nodiscard]] const std::optional<Duration>& history() const { return history_; }

 private:
  std::string store_;
  std::optional<Duration> retention_;
  std::optional<Duration> history_;
  std::optional<Caching> caching_;
  std::optional<StoreType> type_;
};

// A join of two streams: its stores are called `<name>-this-join-store` and so on.
class StreamJoined {
 public:
  explicit StreamJoined(std::string name) : name_(std::move(name)) {
    PENSTOCK_CHECK(!name_.empty());
  }

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
};

// A join of a stream with a table. The name also names the repartition topic.
class Joined {
 public:
  explicit Joined(std::string name) : name_(std::move(name)) { PENSTOCK_CHECK(!name_.empty()); }

  // Records of the stream wait so long, by stream time, for late updates of the table, and are then
  // joined in the order of their timestamps (KIP-923). The table must be versioned. What waits is
  // in a store `<name>-buffer`.
  [[nodiscard]] Joined with_grace(Duration grace) && {
    PENSTOCK_CHECK(grace.count() >= 0);
    grace_ = grace;
    return std::move(*this);
  }

  [[nodiscard]] const std::string& name() const { return name_; }

  [[nodiscard]] const std::optional<Duration>& grace() const { return grace_; }

 private:
  std::string name_;
  std::optional<Duration> grace_;
};

// A join of two tables by foreign key. Its topics are called
// `<name>-subscription-registration-topic` and `<name>-subscription-response-topic`, its store
// `<name>-subscription-store`.
class TableJoined {
 public:
  explicit TableJoined(std::string name) : name_(std::move(name)) {
    PENSTOCK_CHECK(!name_.empty());
  }

  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
};

// When a windowed aggregation hands on results (KIP-825).
enum class EmitStrategy : std::uint8_t {
  kOnWindowUpdate,  // with every record
  kOnWindowClose,   // once, when the window takes no more
};

}  // namespace penstock::dsl
