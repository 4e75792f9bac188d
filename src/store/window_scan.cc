#include "store/window_scan.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace penstock::store {

WindowScan::WindowScan(const WindowStore& store, ScanRequest request)
    : store_(store), request_(std::move(request)) {
  PENSTOCK_CHECK(!store.has_uncommitted() && request_.limit > 0);  // I3 of StateStore
  for (const auto& [start, table] : store.tables_) {
    if ((!request_.from.has_value() || start >= *request_.from) &&
        (!request_.to.has_value() || start < *request_.to)) {
      windows_.push_back(start);
    }
  }
}

bool WindowScan::advance(std::size_t row_count) {
  PENSTOCK_CHECK(!store_.has_uncommitted());
  return request_.keys.has_value() ? advance_keys(row_count) : advance_all(row_count);
}

// Key by key, each through all windows: this is the order of the answer, so it can stop when full.
bool WindowScan::advance_keys(std::size_t row_count) {
  const std::vector<Key>& keys = *request_.keys;
  for (; at_row_ < keys.size() && found_.size() <= request_.limit; ++at_row_, at_window_ = 0) {
    for (; at_window_ < windows_.size() && found_.size() <= request_.limit; ++at_window_) {
      if (row_count-- == 0) {
        return false;
      }
      const auto table = store_.tables_.find(windows_[at_window_]);
      if (table == store_.tables_.end()) {
        continue;
      }
      const RowTable& rows = table->second->rows;
      const std::uint64_t* row = rows.find(rows.pack(keys[at_row_].view()));
      if (row != nullptr) {
        offer(row, windows_[at_window_]);
      }
    }
  }
  return true;
}

bool WindowScan::advance_all(std::size_t row_count) {
  for (; at_window_ < windows_.size(); ++at_window_, at_row_ = 0) {
    const auto table = store_.tables_.find(windows_[at_window_]);
    if (table == store_.tables_.end()) {
      continue;
    }
    const RowTable& rows = table->second->rows;
    for (; at_row_ < rows.size(); ++at_row_) {
      if (row_count-- == 0) {
        return false;
      }
      offer(rows.row(static_cast<RowId>(at_row_)), windows_[at_window_]);
    }
  }
  return true;
}

bool WindowScan::is_wanted(KeyView key, Timestamp start) const {
  const auto after = [&](const ScanPosition& position) {
    const std::strong_ordering order = compare_keys(position.key.view(), key);
    return order == std::strong_ordering::less ||
           (order == std::strong_ordering::equal && position.window_start < start);
  };
  if (request_.after.has_value() && !after(*request_.after)) {
    return false;
  }
  return found_.size() <= request_.limit || !after(found_.front().position);
}

void WindowScan::offer(const std::uint64_t* row, Timestamp start) {
  const std::uint64_t* cells = WindowStore::cells_of(row);
  if (cells[AggregateLayout::kRecordsCell] == 0) {
    return;
  }
  const RowKey key(row);
  if (!is_wanted(key.view(), start)) {
    return;
  }
  Found found{{{Bytes(key.view().bytes.begin(), key.view().bytes.end()), key.view().tag}, start},
              {}};
  for (std::size_t column = 0; column < store_.layout().columns().size(); ++column) {
    found.aggregates.push_back(store_.layout().result(cells, column));
  }
  found_.push_back(std::move(found));
  std::ranges::push_heap(found_, before);
  if (found_.size() > request_.limit + 1) {
    std::ranges::pop_heap(found_, before);
    found_.pop_back();
  }
}

bool WindowScan::before(const Found& left, const Found& right) {
  const std::strong_ordering order =
      compare_keys(left.position.key.view(), right.position.key.view());
  return order == std::strong_ordering::less ||
         (order == std::strong_ordering::equal &&
          left.position.window_start < right.position.window_start);
}

std::vector<ScanEntry> WindowScan::take() {
  std::ranges::sort_heap(found_, before);
  std::vector<ScanEntry> entries;
  entries.reserve(found_.size());
  for (Found& found : found_) {
    ScanEntry entry;
    Result<std::vector<KeyPart>> parts = key_parts(found.position.key.view());
    PENSTOCK_CHECK(parts.has_value());  // only well-formed keys come into a store
    entry.entry.key = *std::move(parts);
    const Timestamp start = found.position.window_start;
    entry.entry.window = Window{start, store_.windows().end_of(start)};
    entry.entry.aggregates = std::move(found.aggregates);
    entry.position = std::move(found.position);
    entries.push_back(std::move(entry));
  }
  found_.clear();
  return entries;
}

}  // namespace penstock::store
