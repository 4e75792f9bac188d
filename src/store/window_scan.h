// WindowScan answers one query on a WindowStore, some rows at a time.
//
// Asked for certain keys it looks them up window by window. Asked for all it walks the rows of
// each window in the order of keys (store/key_order.h), from where the page before ended until the
// page is full, and keeps the first ones of all windows in a heap. Between two slices the store may
// change: rows may be added (a later page would show them) and whole windows dropped; a row's
// position in its table never changes.
//
// Lifetime  the store outlives it.
#pragma once

#include <cstddef>
#include <vector>

#include "store/page_heap.h"
#include "store/state_store.h"
#include "store/window_store.h"

namespace penstock::store {

class WindowScan final : public StoreScan {
 public:
  WindowScan(const WindowStore& store, ScanRequest request);

  [[nodiscard]] bool advance(std::size_t row_count) override;
  [[nodiscard]] std::vector<ScanEntry> take() override;

 private:
  [[nodiscard]] bool advance_keys(std::size_t row_count);
  [[nodiscard]] bool advance_all(std::size_t row_count);
  // False if neither this row nor any with a greater key comes into the page.
  bool offer(const std::uint64_t* row, Timestamp start);

  const WindowStore& store_;
  const ScanRequest request_;
  std::vector<Timestamp> windows_;  // ascending
  std::size_t at_window_ = 0;
  std::size_t at_ = 0;       // which block of the window's rows, or which of the keys
  std::int64_t budget_ = 0;  // rows that may be looked at; a block is walked in one go
  PageHeap<std::vector<Number>> page_;
};

}  // namespace penstock::store
