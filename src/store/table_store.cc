#include "store/table_store.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/check.h"
#include "core/crc32c.h"
#include "store/table_scan.h"

namespace penstock::store {

namespace {

constexpr std::size_t kEpochAt = RowTable::kKeyWords;
constexpr std::size_t kRecordOverhead = 32;  // of a changelog record, beside key and event

}  // namespace

TableStore::Entry TableStore::Entry::load(const std::uint64_t* row) {
  const std::uint64_t* cells = row + RowTable::kCellsAt;
  Entry entry;
  entry.block = std::bit_cast<std::byte*>(cells[0]);
  entry.size = cells[1];
  entry.block_size = cells[2];
  entry.origin.timestamp = Timestamp(static_cast<std::int64_t>(cells[3]));
  entry.origin.partition = PartitionId(static_cast<std::int32_t>(cells[4]));
  entry.origin.offset = Offset(static_cast<std::int64_t>(cells[5]));
  return entry;
}

void TableStore::Entry::store(std::uint64_t* row) const {
  std::uint64_t* cells = row + RowTable::kCellsAt;
  cells[0] = std::bit_cast<std::uint64_t>(block);
  cells[1] = size;
  cells[2] = block_size;
  cells[3] = static_cast<std::uint64_t>(origin.timestamp.value());
  cells[4] = static_cast<std::uint64_t>(origin.partition.value());
  cells[5] = static_cast<std::uint64_t>(origin.offset.value());
}

TableStore::TableStore(Options options)
    : options_(std::move(options)), rows_(kCellCount, options_.hash_seed) {}

TableStore::~TableStore() {
  for (const Entry& old : undo_) {
    release(old);
  }
  for (RowId id = 0; id < rows_.size(); ++id) {
    release(Entry::load(rows_.row(id)));
  }
}

void TableStore::put(std::span<const Update> updates) {
  look_up_group(
      updates.size(), [this](std::size_t) -> RowTable& { return rows_; },
      [&](std::size_t index) { return updates[index].key; },
      [&](std::size_t index, RowId id) { apply(id, updates[index]); });
}

void TableStore::apply(RowId id, const Update& update) {
  std::uint64_t* row = rows_.row(id);
  Entry entry = Entry::load(row);
  const bool existed = entry.block != nullptr;
  if (existed && update.value.has_value() && update.origin < entry.origin) {
    return;
  }
  if (touch(id, row)) {
    entry.block = nullptr;  // the old block waits in undo_
  }
  if (update.value.has_value()) {
    set_value(entry, *update.value);
  } else {
    release(std::exchange(entry, {}));
  }
  entry.origin = update.origin;
  entry.store(row);
  pending_bytes_ += kRecordOverhead + update.key.bytes.size() + entry.size;
  live_count_ +=
      static_cast<std::uint64_t>(entry.block != nullptr) - static_cast<std::uint64_t>(existed);
}

bool TableStore::touch(RowId id, std::uint64_t* row) {
  if (row[kEpochAt] == epoch_) {
    return false;
  }
  row[kEpochAt] = epoch_;
  touched_.push_back(id);
  undo_.push_back(Entry::load(row));
  return true;
}

void TableStore::set_value(Entry& entry, ByteView value) {
  const std::size_t needed = std::max<std::size_t>(value.size(), 1);  // a block, also if empty
  if (entry.block == nullptr || BlockPool::capacity(entry.block_size) < needed) {
    release(entry);
    entry.block = values_.take(needed);
    entry.block_size = needed;
  }
  std::ranges::copy(value, entry.block);
  entry.size = value.size();
}

void TableStore::release(const Entry& entry) {
  if (entry.block != nullptr) {
    values_.give_back(entry.block, entry.block_size);
  }
}

void TableStore::declare_source(PartitionId partition) {
  complete_.try_emplace(partition);
  committed_complete_.try_emplace(partition);
}

void TableStore::flush(ChangelogSink& changelog) {
  Bytes key;
  Bytes value;
  RecordBatchBuilder* batch = nullptr;
  for (std::size_t index = 0; index < touched_.size(); ++index) {
    if (index % ChangelogSink::kRecordsPerCall == 0) {
      batch = &changelog.batch();
    }
    const std::uint64_t* row = rows_.row(touched_[index]);
    const Entry entry = Entry::load(row);
    key.clear();
    append_tagged_key(key, RowKey(row).view());
    if (entry.block == nullptr) {
      batch->append(entry.origin.timestamp, ByteView(key), std::nullopt);
    } else {
      encode_event_copy({entry.origin, entry.value()}, value);
      batch->append(entry.origin.timestamp, ByteView(key), ByteView(value));
    }
  }
}

void TableStore::commit(TimePoint now, Offset /*changelog_begin*/) {
  for (const Entry& old : undo_) {
    release(old);
  }
  undo_.clear();
  touched_.clear();
  pending_bytes_ = 0;
  ++epoch_;
  committed_complete_ = complete_;
  if (std::exchange(is_listed_, false)) {
    listed_at_ = now;
  } else if (listed_at_.has_value() && now - *listed_at_ >= kOrderKept) {
    listed_at_.reset();
    order_.clear();
  }
}

void TableStore::abort() {
  for (std::size_t index = 0; index < touched_.size(); ++index) {
    std::uint64_t* row = rows_.row(touched_[index]);
    const Entry aborted = Entry::load(row);
    release(aborted);
    undo_[index].store(row);
    live_count_ += static_cast<std::uint64_t>(undo_[index].block != nullptr) -
                   static_cast<std::uint64_t>(aborted.block != nullptr);
  }
  undo_.clear();
  touched_.clear();
  pending_bytes_ = 0;
  ++epoch_;
  complete_ = committed_complete_;
}

std::uint32_t TableStore::definition_hash() const {
  std::string text = "table";
  for (const std::string& pointer : options_.group_by) {
    text += '\n' + pointer;
  }
  return crc32c(as_bytes(text));
}

std::string TableStore::metadata(Offset /*changelog_begin*/) const {
  StoreMetadata metadata;
  metadata.definition = definition_hash();
  metadata.complete = complete_;
  return format_store_metadata(metadata);
}

Status TableStore::begin_restore(std::string_view text) {
  PENSTOCK_CHECK(rows_.size() == 0);
  PENSTOCK_TRY_ASSIGN(const StoreMetadata metadata,
                      parse_store_metadata(text, options_.name, definition_hash()));
  for (const auto& [partition, offset] : metadata.complete) {
    complete_[partition] = offset;
  }
  return {};
}

Status TableStore::restore(const RecordBatchView& batch) {
  RecordReader reader(batch);
  for (RecordView record; reader.next(record);) {
    const Status restored = restore_record(record);
    if (!restored) {
      return restored.error().with("changelog of store \"" + options_.name + "\", offset " +
                                   to_string(record.offset));
    }
  }
  return reader.status();
}

Status TableStore::restore_record(const RecordView& record) {
  PENSTOCK_TRY_ASSIGN(const KeyView key, parse_tagged_key(record.key.value_or(ByteView())));
  rows_.reserve(1);
  std::uint64_t* row = rows_.row(rows_.find_or_insert(rows_.pack(key)));
  Entry entry = Entry::load(row);
  live_count_ -= static_cast<std::uint64_t>(entry.block != nullptr);
  if (record.value.has_value()) {
    PENSTOCK_TRY_ASSIGN(const EventCopy event, decode_event_copy(*record.value));
    set_value(entry, event.value);
    entry.origin = event.origin;
  } else {
    release(std::exchange(entry, {}));
  }
  live_count_ += static_cast<std::uint64_t>(entry.block != nullptr);
  entry.store(row);
  return {};
}

void TableStore::finish_restore(TimePoint /*now*/) {
  committed_complete_ = complete_;
}

std::uint64_t TableStore::size_bytes() const {
  return rows_.size_bytes() + order_.size_bytes() + values_.size_bytes() +
         touched_.capacity() * sizeof(RowId) + undo_.capacity() * sizeof(Entry);
}

std::vector<CompleteTo> TableStore::complete_to() const {
  std::vector<CompleteTo> complete;
  for (const auto& [partition, offset] : committed_complete_) {
    complete.push_back({options_.topic, partition, offset});
  }
  return complete;
}

StoreDescription TableStore::describe() const {
  StoreDescription description;
  description.name = options_.name;
  description.kind = StoreKind::kTable;
  description.topic = options_.topic;
  description.group_by = options_.group_by;
  return description;
}

std::unique_ptr<StoreScan> TableStore::scan(ScanRequest request) const {
  return std::make_unique<TableScan>(*this, std::move(request));
}

}  // namespace penstock::store
