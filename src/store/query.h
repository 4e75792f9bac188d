// QueryPort is how readers ask for the contents of state stores: by key, by window range, or page
// by page through everything.
//
// The engine implements it; the console turns it into HTTP. Asking costs the caller nothing and
// never waits: the query goes to the stream threads that own the store's partitions, each answers
// right after one of its commits, and the merged answer comes back through a callback. A scan over
// a big store is done in slices between commits, so that reading never stalls processing.
//
// Invariants
//   I1  Only committed state is answered: what a crash could still undo is never seen.
//   I2  `complete_to` bounds it from below: every source record before these offsets is counted in
//       the answer. A scan that took several slices may hold newer updates of some keys too.
//   I3  Entries are sorted by key, then by window start. Following `next_cursor` until there is
//       none lists every entry that existed during the whole listing exactly once.
//
// Threads   any thread may call; `done` runs on a stream thread (or on the caller's, if the answer
//           is an error known at once) and must only hand over.
// Errors    kNotFound  no store of that name
//           kInvalid   the cursor was not given by this store, or the key has more parts than keys
//                      of this store
//           kBusy      too many queries wait, or a partition of the store is still being restored
//           kFatal     the engine has stopped
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"
#include "core/unique_function.h"
#include "record/types.h"

namespace penstock::store {

// One part of a group key: a JSON scalar that keeps its type, so that 200 and "200" stay apart.
struct KeyPart {
  enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString };

  Kind kind = Kind::kNull;
  std::string text;  // of a string: its content without quotes and escapes; of a number: its digits

  friend bool operator==(const KeyPart&, const KeyPart&) = default;
};

// A result as number: exact where all inputs were integers and the result fits 64 bits.
// monostate: there is none (the sum, minimum, maximum or average of no numbers); null in JSON.
using Number = std::variant<std::monostate, std::int64_t, double>;

struct AggregateColumn {
  enum class Kind : std::uint8_t { kCount, kSum, kMin, kMax, kAvg };

  Kind kind = Kind::kCount;
  std::string pointer;  // JSON Pointer of the aggregated field; empty for kCount

  friend bool operator==(const AggregateColumn&, const AggregateColumn&) = default;
};

// "count", "sum", "min", "max" or "avg": as in the configuration and in answers.
[[nodiscard]] std::string_view to_string(AggregateColumn::Kind kind);

// A half-open span of event time: start <= timestamp < end.
struct Window {
  Timestamp start;
  Timestamp end;

  friend bool operator==(const Window&, const Window&) = default;
};

enum class StoreKind : std::uint8_t {
  kWindow,  // aggregates per key and window
  kTable,   // the latest value per key
};

// What a store is, and how it is doing.
struct StoreDescription {
  std::string name;
  StoreKind kind = StoreKind::kWindow;
  std::string topic;                  // what it is made from
  std::vector<std::string> group_by;  // JSON Pointers of the key's parts
  // Of windowed stores only:
  std::chrono::milliseconds window{0};
  std::chrono::milliseconds grace{0};
  std::optional<std::chrono::milliseconds> retention;  // absent: as long as memory allows
  std::vector<AggregateColumn> columns;

  std::uint64_t entry_count = 0;
  std::uint64_t size_bytes = 0;
  std::int32_t partition_count = 0;
  std::int32_t partitions_owned = 0;  // by this process
  std::int32_t partitions_ready = 0;  // of those; the others are being restored
};

struct StoreQuery {
  std::string store;
  // The parts of one key as plain text, as they stand in a URL's path. Absent: all keys. A text
  // matches a string of that content, and also the number, true, false or null that is written
  // so; in double quotes ("200") it matches the string only.
  std::optional<std::vector<std::string>> key;
  // Windows with from <= start < to. Ignored for tables.
  std::optional<Timestamp> from;
  std::optional<Timestamp> to;
  std::uint32_t limit = 100;  // entries per page; 1 to kLimitMax, larger is cut
  std::string cursor;         // `next_cursor` of the page before; empty: from the beginning

  static constexpr std::uint32_t kLimitMax = 10'000;
};

// The latest value of a key, and the record it came from.
struct TableValue {
  Bytes json;
  Timestamp timestamp;
  PartitionId partition;
  Offset offset;
};

struct StoreEntry {
  std::vector<KeyPart> key;
  std::optional<Window> window;     // of windowed stores
  std::vector<Number> aggregates;   // of windowed stores: one per StoreAnswer::columns
  std::optional<TableValue> value;  // of tables
};

// Everything before `offset` of this partition is in the answer.
struct CompleteTo {
  std::string topic;
  PartitionId partition;
  Offset offset;

  friend bool operator==(const CompleteTo&, const CompleteTo&) = default;
};

struct StoreAnswer {
  StoreKind kind = StoreKind::kWindow;
  std::vector<AggregateColumn> columns;
  std::vector<StoreEntry> entries;
  std::optional<std::string> next_cursor;  // opaque, safe in a URL; absent: this was the last page
  std::vector<CompleteTo> complete_to;     // sorted by topic and partition

  // Of the store's partitions so many are in this process, and others in others.
  struct Part {
    std::int32_t partitions = 0;
    std::int32_t of = 0;
  };

  std::optional<Part> part{};  // absent: all are here
};

class QueryPort {
 public:
  using Done = UniqueFunction<void(Result<StoreAnswer>)>;

  virtual ~QueryPort() = default;

  // Sorted by name; figures as of each owner's last commit.
  [[nodiscard]] virtual std::vector<StoreDescription> stores() const = 0;
  // `done` runs exactly once.
  virtual void query(StoreQuery query, Done done) = 0;
};

}  // namespace penstock::store
