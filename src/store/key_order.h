// KeyOrder remembers in which order of keys the rows of a table come, so that a page of a listing
// need not look at all of them.
//
// Rows keep their numbers and are never removed one by one, so blocks of so many rows are sorted
// once, when a listing first comes to them; only the last block changes, by new rows. A page then
// looks for its beginning in each block by halving, and goes on from there: a whole listing looks
// at each row about once, and at a few rows per block and page.
//
// It costs two bytes per row and can be dropped at any time. The order is that of answers.
//
// Threads   one.
// Lifetime  of the table's rows: clear() when they go.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "store/row_table.h"

namespace penstock::store {

// A store that nobody has listed for that long forgets the order of its rows.
inline constexpr std::chrono::minutes kOrderKept{1};

class KeyOrder {
 public:
  static constexpr std::size_t kBlockRows = std::size_t{1} << 15;

  [[nodiscard]] static std::size_t block_count(const RowTable& rows) {
    return (rows.size() + kBlockRows - 1) / kBlockRows;
  }

  // Calls `offer` with the rows of a block in order, from the first one on that `follows` is true
  // for (and for all behind it), until it answers false. Returns how many rows were looked at.
  template <typename Follows, typename Offer>
  std::size_t walk(const RowTable& rows, std::size_t block, Follows follows, Offer offer) {
    std::size_t seen = refresh(rows, block);
    const std::size_t first = block * kBlockRows;
    const auto row_at = [&](std::uint16_t index) {
      ++seen;
      return rows.row(static_cast<RowId>(first + index));
    };
    const std::vector<std::uint16_t>& order = blocks_[block];
    auto at = std::partition_point(order.begin(), order.end(),
                                   [&](std::uint16_t index) { return !follows(row_at(index)); });
    while (at != order.end() && offer(row_at(*at))) {
      ++at;
    }
    return seen;
  }

  void clear() { std::exchange(blocks_, {}); }

  [[nodiscard]] bool empty() const { return blocks_.empty(); }

  [[nodiscard]] std::size_t size_bytes() const;

 private:
  // Sorts what is new in the block. Returns how many rows were looked at.
  std::size_t refresh(const RowTable& rows, std::size_t block);

  std::vector<std::vector<std::uint16_t>> blocks_;  // row numbers from the block's first, by key
};

}  // namespace penstock::store
