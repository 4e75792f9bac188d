#include "store/table_scan.h"

#include <utility>

#include "core/check.h"

namespace penstock::store {

namespace {

constexpr Timestamp kNoWindow{0};

}  // namespace

TableScan::TableScan(const TableStore& store, ScanRequest request)
    : store_(store), request_(std::move(request)), page_(request_.after, request_.limit) {
  PENSTOCK_CHECK(!store.has_uncommitted() && request_.limit > 0);  // I3 of StateStore
  store.is_listed_ = store.is_listed_ || !request_.keys.has_value();
}

bool TableScan::advance(std::size_t row_count) {
  PENSTOCK_CHECK(!store_.has_uncommitted());
  if (request_.keys.has_value()) {
    for (const Key& key : *request_.keys) {
      if (const std::uint64_t* row = store_.rows_.find(store_.rows_.pack(key.view()))) {
        offer(row);
      }
    }
    return true;
  }
  budget_ += static_cast<std::int64_t>(row_count);
  for (; at_ < KeyOrder::block_count(store_.rows_); ++at_) {
    if (budget_ <= 0) {
      return false;
    }
    budget_ -= static_cast<std::int64_t>(store_.order_.walk(
        store_.rows_, at_,
        [&](const std::uint64_t* row) {
          return page_.follows_last_page(RowKey(row).view(), kNoWindow);
        },
        [&](const std::uint64_t* row) { return offer(row); }));
  }
  return true;
}

bool TableScan::offer(const std::uint64_t* row) {
  const TableStore::Entry entry = TableStore::Entry::load(row);
  if (entry.block == nullptr) {
    return true;  // removed
  }
  const RowKey key(row);
  if (!page_.wants(key.view(), kNoWindow)) {
    return false;
  }
  const ByteView value = entry.value();
  page_.add(key.view(), kNoWindow,
            TableValue{Bytes(value.begin(), value.end()), entry.origin.timestamp,
                       entry.origin.partition, entry.origin.offset});
  return true;
}

std::vector<ScanEntry> TableScan::take() {
  std::vector<ScanEntry> entries;
  for (auto& found : page_.take()) {
    ScanEntry entry;
    Result<std::vector<KeyPart>> parts = key_parts(found.position.key.view());
    PENSTOCK_CHECK(parts.has_value());  // only well-formed keys come into a store
    entry.entry.key = *std::move(parts);
    entry.entry.value = std::move(found.payload);
    entry.position = std::move(found.position);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace penstock::store
