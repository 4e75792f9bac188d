#include "store/window_scan.h"

#include <utility>

#include "core/check.h"

namespace penstock::store {

WindowScan::WindowScan(const WindowStore& store, ScanRequest request)
    : store_(store), request_(std::move(request)), page_(request_.after, request_.limit) {
  PENSTOCK_CHECK(!store.has_uncommitted() && request_.limit > 0);  // I3 of StateStore
  for (const auto& [start, table] : store.tables_) {
    if ((!request_.from.has_value() || start >= *request_.from) &&
        (!request_.to.has_value() || start < *request_.to)) {
      windows_.push_back(start);
    }
  }
  store_.is_listed_ = store_.is_listed_ || !request_.keys.has_value();
}

bool WindowScan::advance(std::size_t row_count) {
  PENSTOCK_CHECK(!store_.has_uncommitted());
  return request_.keys.has_value() ? advance_keys(row_count) : advance_all(row_count);
}

// Key by key, each through all windows: this is the order of the answer, so it can stop when full.
bool WindowScan::advance_keys(std::size_t row_count) {
  const std::vector<Key>& keys = *request_.keys;
  for (; at_ < keys.size() && !page_.is_full(); ++at_, at_window_ = 0) {
    for (; at_window_ < windows_.size() && !page_.is_full(); ++at_window_) {
      if (row_count-- == 0) {
        return false;
      }
      const auto table = store_.tables_.find(windows_[at_window_]);
      if (table == store_.tables_.end()) {
        continue;
      }
      const RowTable& rows = table->second->rows;
      const std::uint64_t* row = rows.find(rows.pack(keys[at_].view()));
      if (row != nullptr) {
        offer(row, windows_[at_window_]);
      }
    }
  }
  return true;
}

bool WindowScan::advance_all(std::size_t row_count) {
  budget_ += static_cast<std::int64_t>(row_count);
  for (; at_window_ < windows_.size(); ++at_window_, at_ = 0) {
    const Timestamp start = windows_[at_window_];
    const auto table = store_.tables_.find(start);
    if (table == store_.tables_.end()) {
      continue;
    }
    const RowTable& rows = table->second->rows;
    for (; at_ < KeyOrder::block_count(rows); ++at_) {
      if (budget_ <= 0) {
        return false;
      }
      budget_ -= static_cast<std::int64_t>(table->second->order.walk(
          rows, at_,
          [&](const std::uint64_t* row) {
            return page_.follows_last_page(RowKey(row).view(), start);
          },
          [&](const std::uint64_t* row) { return offer(row, start); }));
    }
  }
  return true;
}

bool WindowScan::offer(const std::uint64_t* row, Timestamp start) {
  const std::uint64_t* cells = WindowStore::cells_of(row);
  if (cells[AggregateLayout::kRecordsCell] == 0) {
    return true;  // there is no such entry: it was aborted
  }
  const RowKey key(row);
  if (!page_.wants(key.view(), start)) {
    return false;
  }
  const std::size_t column_count = store_.layout().columns().size();
  std::vector<Number> aggregates;
  aggregates.reserve(column_count);
  for (std::size_t column = 0; column < column_count; ++column) {
    aggregates.push_back(store_.layout().result(cells, column));
  }
  page_.add(key.view(), start, std::move(aggregates));
  return true;
}

std::vector<ScanEntry> WindowScan::take() {
  std::vector<ScanEntry> entries;
  for (auto& found : page_.take()) {
    ScanEntry entry;
    Result<std::vector<KeyPart>> parts = key_parts(found.position.key.view());
    PENSTOCK_CHECK(parts.has_value());  // only well-formed keys come into a store
    entry.entry.key = *std::move(parts);
    const Timestamp start = found.position.window_start;
    entry.entry.window = Window{start, store_.windows().end_of(start)};
    entry.entry.aggregates = std::move(found.payload);
    entry.position = std::move(found.position);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace penstock::store
