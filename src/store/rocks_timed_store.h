// RocksTimedStore is what the window and session stores in RocksDB have in common: rows that are
// also found by a time, and expire by it.
//
// Beside each row there is an index entry: time, and what else puts rows of one time in order. Its
// value is the key of the row.
//
// Invariants
//   I1  A row is there if and only if its index entry is.
//
// Threads   one.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "store/rocks_store.h"

namespace penstock::store {

class RocksTimedStore : public RocksStore {
 protected:
  RocksTimedStore(std::string name, std::string_view definition, RocksPlace place,
                  std::chrono::milliseconds retention)
      : RocksStore(std::move(name), definition, std::move(place)), retention_(retention) {}

  // Where a row is, and what it is found by.
  struct Keys {
    std::string row;
    std::string entry;
    std::int64_t time = 0;
  };

  using RowVisitor = FunctionRef<bool(std::string_view row, const StoredValue& value)>;

  [[nodiscard]] static std::string begin_row(ByteView key);
  [[nodiscard]] static std::string begin_entry(std::int64_t time);

  [[nodiscard]] std::int64_t first_live() const { return state_.latest - retention_.count() + 1; }

  // False: it has expired.
  bool note_time(std::int64_t time);
  void change(const Keys& keys, std::optional<ByteView> value, Timestamp timestamp);
  [[nodiscard]] std::optional<StoredValue> find(const std::string& row) const;
  // Rows in [from, to], by time and then as their index entries are ordered.
  void visit_times(std::int64_t from, std::int64_t to, RowVisitor visitor) const;
  void erase_before(std::int64_t time);

 private:
  void erase_between(std::int64_t from, std::int64_t to);

  const std::chrono::milliseconds retention_;
};

}  // namespace penstock::store
