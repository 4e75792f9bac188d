// JournalMap is an ordered map that can go back to where it was at the last commit.
//
// The first change of a row since the last commit notes its old content; commit() forgets the
// notes, abort() puts them back. A removed row stays, marked, until then: so each row that changed
// is known for the changelog, with one look-up per change.
//
// Threads   one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "record/types.h"

namespace penstock::store {

struct JournalRow {
  std::string value;
  Timestamp timestamp;
  bool is_present = false;
  std::uint64_t epoch = 0;  // of its last change
};

template <typename Key>
class JournalMap {
 public:
  using Map = std::map<Key, JournalRow, std::less<>>;
  using Iterator = typename Map::iterator;

  struct Change {
    Iterator row;
    JournalRow old;
  };

  // All rows, also removed ones: look at is_present.
  [[nodiscard]] const Map& rows() const { return rows_; }

  template <typename View>
  [[nodiscard]] const JournalRow* find(const View& key) const {
    const auto found = rows_.find(key);
    return found != rows_.end() && found->second.is_present ? &found->second : nullptr;
  }

  // The key if the row was not there; it stays where it is as long as the row.
  template <typename View>
  const Key* put(const View& key, ByteView value, Timestamp timestamp) {
    auto at = rows_.lower_bound(key);
    if (at == rows_.end() || key < at->first) {
      at = rows_.emplace_hint(at, Key(key), JournalRow());
      size_bytes_ += kRowOverhead + key_size(at->first);
    }
    note(at);
    JournalRow& row = at->second;
    size_bytes_ += value.size();
    size_bytes_ -= row.value.size();
    row.value.assign(as_text(value));
    row.timestamp = timestamp;
    count_ += static_cast<std::uint64_t>(!row.is_present);
    return std::exchange(row.is_present, true) ? nullptr : &at->first;
  }

  // True if the row was there. The removal has the timestamp of its cause.
  template <typename View>
  bool erase(const View& key, Timestamp timestamp) {
    const auto at = rows_.find(key);
    if (at == rows_.end() || !at->second.is_present) {
      return false;
    }
    note(at);
    size_bytes_ -= at->second.value.size();
    at->second.value.clear();
    at->second.timestamp = timestamp;
    at->second.is_present = false;
    --count_;
    return true;
  }

  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }

  void commit() {
    for (const Change& change : changes_) {
      if (!change.row->second.is_present) {
        drop(change.row);
      }
    }
    changes_.clear();
    ++epoch_;
  }

  // Tells which rows come back or go without put() and erase().
  template <typename Appear, typename Vanish>
  void abort(Appear appear, Vanish vanish) {
    for (Change& change : changes_) {
      JournalRow& row = change.row->second;
      if (row.is_present && !change.old.is_present) {
        vanish(change.row->first);
      } else if (!row.is_present && change.old.is_present) {
        appear(change.row->first);
      }
      count_ += static_cast<std::uint64_t>(change.old.is_present);
      count_ -= static_cast<std::uint64_t>(row.is_present);
      size_bytes_ += change.old.value.size();
      size_bytes_ -= row.value.size();
      row = std::move(change.old);
      if (!row.is_present) {
        drop(change.row);
      }
    }
    changes_.clear();
    ++epoch_;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  // A node of the map, its row and key objects, about.
  static constexpr std::uint64_t kRowOverhead = 144;

  [[nodiscard]] static std::size_t key_size(const std::string& key) { return key.size(); }

  template <typename Other>
  [[nodiscard]] static std::size_t key_size(const Other& key) {
    return key.key.size();
  }

  void note(Iterator at) {
    if (at->second.epoch != epoch_) {
      changes_.push_back({at, at->second});
      at->second.epoch = epoch_;
    }
  }

  void drop(Iterator at) {
    size_bytes_ -= kRowOverhead + key_size(at->first);
    rows_.erase(at);
  }

  Map rows_;
  std::vector<Change> changes_;
  std::uint64_t epoch_ = 1;
  std::uint64_t count_ = 0;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace penstock::store
