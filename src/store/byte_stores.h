// The byte stores: what a step of a topology keeps, by key, by key and window, by key and session.
//
// Keys and values are bytes, each value with the timestamp of the record it comes from (what Kafka
// Streams calls a timestamped store). The steps know these interfaces only; behind them is a store
// in memory (memory_*_store.h). Each is also a StateStore: what changed since the last commit is
// written to the changelog and becomes the committed state, or is taken back.
//
// A store that knows windows also knows what has expired: a window that starts `retention` or more
// before the latest window start it was ever given is not found any more (Kafka Streams' stores
// count alike). expire() takes such windows out of memory, and out of the changelog.
//
// Threads   one: that of the task which owns the store.
// Lifetime  a StoredValue is valid until the store changes; visitors must not change the store.
#pragma once

#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "core/function_ref.h"
#include "record/types.h"

namespace penstock::store {

struct StoredValue {
  ByteView value;
  Timestamp timestamp;
};

// Both ends included; absent: open.
struct KeyRange {
  std::optional<ByteView> from;
  std::optional<ByteView> to;
};

// What the step that uses a store has seen and done; committed and taken back with it.
struct StepTimes {
  Timestamp observed{-1};  // the largest timestamp seen
  Timestamp emitted{-1};   // windows closed at this time have been put out
};

class KeyValueBytes {
 public:
  // False stops the visit.
  using Visitor = FunctionRef<bool(ByteView key, const StoredValue& value)>;

  virtual ~KeyValueBytes() = default;

  [[nodiscard]] virtual std::optional<StoredValue> get(ByteView key) const = 0;
  // Absent: removes the key.
  virtual void put(ByteView key, std::optional<ByteView> value, Timestamp timestamp) = 0;
  // In the order of the keys' bytes, or against it.
  virtual void visit(const KeyRange& range, Visitor visitor) const = 0;
  virtual void visit_backward(const KeyRange& range, Visitor visitor) const = 0;

  [[nodiscard]] virtual StepTimes& times() = 0;
};

class WindowBytes {
 public:
  using KeyVisitor = FunctionRef<bool(Timestamp start, const StoredValue& value)>;
  using Visitor = FunctionRef<bool(ByteView key, Timestamp start, const StoredValue& value)>;

  virtual ~WindowBytes() = default;

  [[nodiscard]] virtual std::optional<StoredValue> fetch(ByteView key, Timestamp start) const = 0;
  // Absent: removes the window. A store that keeps duplicates adds one, and ignores absent ones.
  // False: the window has expired, nothing was changed.
  virtual bool put(ByteView key, Timestamp start, std::optional<ByteView> value,
                   Timestamp timestamp) = 0;
  // The windows of a key that start in [from, to], ascending, or descending.
  virtual void visit_key(ByteView key, Timestamp from, Timestamp to, KeyVisitor visitor) const = 0;
  virtual void visit_key_backward(ByteView key, Timestamp from, Timestamp to,
                                  KeyVisitor visitor) const = 0;
  // All that start in [from, to], by start, then key: also expired ones that are still there.
  virtual void visit_time(Timestamp from, Timestamp to, Visitor visitor) const = 0;
  // All that are not expired, by key, then start.
  virtual void visit_all(Visitor visitor) const = 0;
  // Removes the expired ones that begin (sessions: end) before `before`.
  virtual void expire(Timestamp before) = 0;

  [[nodiscard]] virtual StepTimes& times() = 0;
};

struct SessionSpan {
  Timestamp start;
  Timestamp end;

  friend auto operator<=>(const SessionSpan&, const SessionSpan&) = default;
};

class SessionBytes {
 public:
  using KeyVisitor = FunctionRef<bool(SessionSpan session, const StoredValue& value)>;
  using Visitor = FunctionRef<bool(ByteView key, SessionSpan session, const StoredValue& value)>;

  virtual ~SessionBytes() = default;

  [[nodiscard]] virtual std::optional<StoredValue> fetch(ByteView key,
                                                         SessionSpan session) const = 0;
  // Absent: removes the session. False: it has expired, nothing was changed.
  virtual bool put(ByteView key, SessionSpan session, std::optional<ByteView> value,
                   Timestamp timestamp) = 0;
  // The sessions of a key that end at or after `end_min` and start at or before `start_max`, by
  // end, then start.
  virtual void visit_key(ByteView key, Timestamp end_min, Timestamp start_max,
                         KeyVisitor visitor) const = 0;
  // All that end in [from, to], by end, start, key: also expired ones that are still there.
  virtual void visit_ended(Timestamp from, Timestamp to, Visitor visitor) const = 0;
  // All that are not expired, by key, end, start.
  virtual void visit_all(Visitor visitor) const = 0;
  // Removes the expired ones that begin (sessions: end) before `before`.
  virtual void expire(Timestamp before) = 0;

  [[nodiscard]] virtual StepTimes& times() = 0;
};

}  // namespace penstock::store
