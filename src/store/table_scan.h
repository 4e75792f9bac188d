// TableScan answers one query on a TableStore, some rows at a time; see WindowScan.
//
// Lifetime  the store outlives it.
#pragma once

#include <cstddef>
#include <vector>

#include "store/page_heap.h"
#include "store/table_store.h"

namespace penstock::store {

class TableScan final : public StoreScan {
 public:
  TableScan(const TableStore& store, ScanRequest request);

  [[nodiscard]] bool advance(std::size_t row_count) override;
  [[nodiscard]] std::vector<ScanEntry> take() override;

 private:
  // False if neither this row nor any with a greater key comes into the page.
  bool offer(const std::uint64_t* row);

  const TableStore& store_;
  const ScanRequest request_;
  std::size_t at_ = 0;       // which block of rows
  std::int64_t budget_ = 0;  // rows that may be looked at; a block is walked in one go
  PageHeap<TableValue> page_;
};

}  // namespace penstock::store
