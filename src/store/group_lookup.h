// look_up_group() finds or makes the rows of many keys, with the memory fetched ahead of time.
//
// A pipeline of three steps, each some look-ups behind the one before, so that what a step needs
// has arrived meanwhile: pack the key and prefetch its slot; read the slot and prefetch the row;
// take the row. Prefetching everything first does not help: the processor has only some twenty
// buffers for lines on their way, and drops what does not fit (docs/performance.md).
#pragma once

#include <array>
#include <cstddef>

#include "store/row_table.h"

namespace penstock::store {

inline constexpr std::size_t kGroupSizeMax = 128;

// `table_of(i)` gives a RowTable&, `key_of(i)` a KeyView, for i < count <= kGroupSizeMax;
// `take(i, RowId)` is called for each in order, and must not insert anything itself.
template <typename TableOf, typename KeyOf, typename Take>
void look_up_group(std::size_t count, TableOf table_of, KeyOf key_of, Take take) {
  constexpr std::size_t kDistance = 10;
  std::array<PackedKey, kGroupSizeMax> keys;
  std::array<RowTable*, kGroupSizeMax> tables;
  std::array<std::size_t, kGroupSizeMax> places;
  PENSTOCK_DCHECK(count <= kGroupSizeMax);
  for (std::size_t index = 0; index < count; ++index) {
    tables[index] = &table_of(index);
    tables[index]->reserve(kGroupSizeMax);  // before the first insertion: no slot moves later
  }
  for (std::size_t step = 0; step < count + 2 * kDistance; ++step) {
    if (step < count) {
      tables[step]->pack(key_of(step), keys[step]);
      tables[step]->prefetch_slot(keys[step]);
    }
    if (const std::size_t at = step - kDistance; at < count) {  // below 0 it wraps around
      places[at] = tables[at]->locate(keys[at]);
    }
    if (const std::size_t at = step - 2 * kDistance; at < count) {
      take(at, tables[at]->find_or_insert(keys[at], places[at]));
    }
  }
}

}  // namespace penstock::store
