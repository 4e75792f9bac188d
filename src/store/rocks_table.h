// RocksTable is an ordered map of bytes in a RocksDB database, which can go back to the last
// commit.
//
// What changed since then stays in an ordered map above the database, together with rows that were
// read: so a row that is read, changed and changed again costs one look into the database, and what
// is to be written to the changelog is known, with whether it was there before. Reading merges the
// two. commit() writes all changes and a note in one batch, which is in the database whole or not
// at all; abort() forgets them.
//
// A read that fails answers "nothing" and is remembered: status() must be asked before anything
// that was read becomes durable.
//
// Threads   one.
// Lifetime  the value of a row that was found is valid until that row changes, or all end with
//           commit() and abort(); what a visitor gets, until it returns.
// Errors    status(): see rocks_error()
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/function_ref.h"
#include "core/result.h"
#include "store/byte_stores.h"

namespace rocksdb {
class DB;
class Slice;
class Status;
}  // namespace rocksdb

namespace penstock::store {

class RocksTable {
 public:
  struct Row {
    std::string value;
    Timestamp timestamp;
    bool is_present = false;
    bool was_present = false;  // at the last commit
    bool is_changed = false;
  };

  enum class Order : std::uint8_t { kForward, kBackward };

  // Keys from `from` on that are less than `end`.
  struct Range {
    std::string from;
    std::string end;
    Order order = Order::kForward;
  };

  // False stops the visit. The table must not be changed meanwhile.
  using Visitor = FunctionRef<bool(std::string_view key, const StoredValue& value)>;
  using ChangeVisitor = FunctionRef<void(std::string_view key, const Row& row)>;

  explicit RocksTable(std::unique_ptr<rocksdb::DB> database);
  ~RocksTable();

  // Null if there is none.
  [[nodiscard]] const Row* find(std::string_view key) const;
  // Without remembering it, into `memory`.
  [[nodiscard]] std::optional<StoredValue> read(std::string_view key, std::string& memory) const;
  // True if the row was not there.
  bool put(std::string_view key, ByteView value, Timestamp timestamp);
  // True if the row was there. The removal has the timestamp of its cause.
  bool erase(std::string_view key, Timestamp timestamp);
  // The same for who knows whether it was there: without looking.
  void put_unseen(std::string_view key, ByteView value);
  void erase_unseen(std::string_view key);

  void visit(const Range& range, Visitor visitor) const;
  // What is different from the last commit, of the keys from `from` on that are less than `end`.
  void visit_changes(std::string_view from, std::string_view end, ChangeVisitor visitor) const;

  [[nodiscard]] std::size_t change_count() const { return change_count_; }

  // Of what is above the database, about.
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

  // The note of the last commit that is in the database. Absent: there was none.
  [[nodiscard]] std::optional<std::string> note() const;
  void commit(std::string_view note);
  void abort();

  [[nodiscard]] const Status& status() const { return status_; }

 private:
  using Rows = std::map<std::string, Row, std::less<>>;
  class Cursor;

  // The row, if only to say that there is none.
  Row& load(std::string_view key) const;
  Row& change(Row& row);
  void set_value(Row& row, ByteView value);
  void fail(const rocksdb::Status& status) const;
  void clear();

  std::unique_ptr<rocksdb::DB> database_;
  // Reading remembers.
  mutable Rows rows_;
  mutable std::uint64_t size_bytes_ = 0;
  mutable Status status_;
  std::size_t change_count_ = 0;
};

}  // namespace penstock::store
