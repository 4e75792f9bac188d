#include "store/rocks_store.h"

#include <utility>

#include <rocksdb/db.h>

#include "core/check.h"
#include "core/crc32c.h"
#include "core/keyed_hash.h"

namespace penstock::store {

namespace {

constexpr std::size_t kChangelogRecordSize = 64;  // about
constexpr std::uint64_t kReadBytesMax = 4 * kMiB;

// What is beside the rows in the database: what only it knows, then metadata as in the log.
struct Note {
  std::uint64_t count = 0;
  std::int64_t latest = -1;
  std::int64_t written_at = 0;  // by the wall clock
  StoreMetadata metadata;       // changes_from: where the changelog goes on
};

constexpr std::size_t kNoteHeadSize = 3 * sizeof(std::int64_t);
// The note of a store that does not change is written so often.
constexpr std::int64_t kNoteIntervalMs = std::chrono::milliseconds(std::chrono::hours(1)).count();

std::string format_note(const Note& note) {
  std::byte head[kNoteHeadSize];
  store_be<std::uint64_t>(head, note.count);
  store_be<std::int64_t>(head + sizeof(std::uint64_t), note.latest);
  store_be<std::int64_t>(head + 2 * sizeof(std::uint64_t), note.written_at);
  return std::string(as_text(head)) + format_store_metadata(note.metadata);
}

Result<Note> parse_note(std::string_view text, std::string_view store, std::uint32_t definition) {
  if (text.size() < kNoteHeadSize) {
    return Error(ErrorCode::kInvalid, "its note is cut short");
  }
  const std::byte* head = as_bytes(text).data();
  Note note{load_be<std::uint64_t>(head),
            load_be<std::int64_t>(head + sizeof(std::uint64_t)),
            load_be<std::int64_t>(head + 2 * sizeof(std::uint64_t)),
            {}};
  PENSTOCK_TRY_ASSIGN(note.metadata,
                      parse_store_metadata(text.substr(kNoteHeadSize), store, definition));
  return note;
}

}  // namespace

RocksStore::RocksStore(std::string name, std::string_view definition, RocksPlace place)
    : name_(std::move(name)), definition_(crc32c(as_bytes(definition))), place_(std::move(place)) {}

RocksStore::~RocksStore() {
  if (table_ != nullptr && !table_->status() &&
      table_->status().error().code() == ErrorCode::kCorrupt) {
    // If it cannot be removed now, it will be found damaged again.
    static_cast<void>(discard(std::string(table_->status().error().message())));
  }
}

RocksTable& RocksStore::table() {
  PENSTOCK_CHECK(table_ != nullptr);
  return *table_;
}

const RocksTable& RocksStore::table() const {
  PENSTOCK_CHECK(table_ != nullptr);
  return *table_;
}

void RocksStore::flush(ChangelogSink& changelog) {
  Bytes key;
  RecordBatchBuilder* batch = nullptr;
  std::size_t count = 0;
  table().visit_changes(std::string_view(&kRow, 1), kRowsEnd,
                        [&](std::string_view row_key, const RocksTable::Row& row) {
                          if (count++ % ChangelogSink::kRecordsPerCall == 0) {
                            batch = &changelog.batch();
                          }
                          key.clear();
                          encode_key(row_key, key);
                          batch->append(
                              row.timestamp, ByteView(key),
                              row.is_present ? std::optional(as_bytes(row.value)) : std::nullopt);
                        });
}

std::string RocksStore::metadata(Offset /*changelog_begin*/) const {
  StoreMetadata metadata;
  metadata.definition = definition_;
  metadata.stream_time = state_.times.observed;
  metadata.dropped_before = state_.times.emitted;
  metadata.last_number = state_.last_number;
  metadata.state_id = state_id_;
  metadata.commit_count = commit_count_ + 1;
  return format_store_metadata(metadata);
}

void RocksStore::commit(TimePoint /*now*/, Offset changelog_begin) {
  ++commit_count_;
  if (table().change_count() > 0 || place_.environment->wall_now() - noted_at_ >= kNoteIntervalMs) {
    commit_to(changelog_begin);
  } else {
    table().abort();  // rows that were read
  }
  committed_ = state_;
}

void RocksStore::commit_to(Offset position) {
  position_ = position;
  noted_at_ = place_.environment->wall_now();
  Note note{state_.count, state_.latest, noted_at_.value(), {}};
  note.metadata.definition = definition_;
  note.metadata.stream_time = state_.times.observed;
  note.metadata.dropped_before = state_.times.emitted;
  note.metadata.changes_from = position;
  note.metadata.last_number = state_.last_number;
  note.metadata.state_id = state_id_;
  note.metadata.commit_count = commit_count_;
  table().commit(format_note(note));
}

void RocksStore::abort() {
  table().abort();
  state_ = committed_;
}

bool RocksStore::has_uncommitted() const {
  return table_ != nullptr && table_->change_count() > 0;
}

std::size_t RocksStore::pending_bytes() const {
  return table_ == nullptr ? 0 : table_->change_count() * kChangelogRecordSize;
}

bool RocksStore::wants_flush() const {
  return size_bytes() > kReadBytesMax;
}

Status RocksStore::open() {
  PENSTOCK_CHECK(table_ == nullptr);
  if (place_.environment == nullptr) {
    return Error(ErrorCode::kInvalid, "store \"" + name_ +
                                          "\" is kept in RocksDB, but the engine was given no "
                                          "state_directory");
  }
  auto database = place_.environment->open(place_.folder);
  if (!database && database.error().code() == ErrorCode::kCorrupt) {
    PENSTOCK_TRY(place_.environment->discard(place_.folder, database.error().message()));
    database = place_.environment->open(place_.folder);
  }
  if (!database) {
    return Error(ErrorCode::kRetry, database.error().message()).with("store \"" + name_ + "\"");
  }
  table_ = std::make_unique<RocksTable>(*std::move(database));
  return {};
}

Status RocksStore::discard(std::string_view why) {
  table_.reset();
  position_.reset();
  state_.count = 0;
  state_.latest = -1;
  state_.oldest = std::numeric_limits<std::int64_t>::min();
  return place_.environment->discard(place_.folder, why);
}

Status RocksStore::forget(std::string_view why) {
  PENSTOCK_TRY(discard(why));
  return open();
}

std::uint32_t RocksStore::new_state_id() const {
  return static_cast<std::uint32_t>(keyed_hash(as_bytes(place_.folder), place_.seed)) | 1U;
}

Status RocksStore::begin_empty() {
  PENSTOCK_TRY(open());
  if (table_->note().has_value() || !table_->status()) {
    PENSTOCK_TRY(forget("nothing was committed of the store that it belongs to"));
  }
  state_id_ = new_state_id();
  return {};
}

Status RocksStore::begin_restore(std::string_view text) {
  PENSTOCK_TRY_ASSIGN(const StoreMetadata committed,
                      parse_store_metadata(text, name_, definition_));
  PENSTOCK_TRY(open());
  if (const auto why = why_useless(committed); why.has_value()) {
    PENSTOCK_TRY(forget(*why));
  }
  state_id_ = committed.state_id != 0 ? committed.state_id : new_state_id();
  commit_count_ = committed.commit_count;
  state_.times = {committed.stream_time, committed.dropped_before};
  state_.last_number = committed.last_number;
  return {};
}

std::optional<std::string> RocksStore::why_useless(const StoreMetadata& committed) {
  const std::optional<std::string> text = table_->note();
  if (!table_->status()) {
    return table_->status().error().message();
  }
  if (!text.has_value()) {
    return std::nullopt;  // a new one
  }
  const Result<Note> note = parse_note(*text, name_, definition_);
  if (!note) {
    return note.error().message();
  }
  if (note->metadata.state_id != committed.state_id) {
    return "it belongs to a state that was begun another time";
  }
  if (note->metadata.commit_count > committed.commit_count) {
    return "it is ahead of what was committed";
  }
  if (place_.environment->wall_now() - Timestamp(note->written_at) >
      place_.environment->age_max().count()) {
    return "its changelog may have forgotten removals since it was written";
  }
  position_ = note->metadata.changes_from;
  state_.count = note->count;
  state_.latest = note->latest;
  return std::nullopt;
}

Status RocksStore::restore(const RecordBatchView& batch) {
  RecordReader reader(batch);
  for (RecordView record; reader.next(record);) {
    const ByteView key = record.key.value_or(ByteView());
    if (!restore_row(key, record.value, record.timestamp)) {
      return Error(ErrorCode::kInvalid, "changelog of store \"" + name_ + "\", offset " +
                                            to_string(record.offset) + ": the key is malformed");
    }
  }
  PENSTOCK_TRY(reader.status());
  commit_to(batch.last_offset() + 1);
  return status();
}

void RocksStore::finish_restore(TimePoint /*now*/) {
  committed_ = state_;
}

Status RocksStore::status() const {
  const Status& status = table().status();
  if (status) {
    return {};
  }
  return Error(ErrorCode::kRetry, status.error().message()).with("store \"" + name_ + "\"");
}

std::uint64_t RocksStore::size_bytes() const {
  return table_ == nullptr ? 0 : table_->size_bytes();
}

StoreDescription RocksStore::describe() const {
  StoreDescription description;
  description.name = name_;
  description.kind = StoreKind::kTable;
  description.group_by = {""};  // a key is one part: its bytes
  return description;
}

std::unique_ptr<StoreScan> RocksStore::scan(ScanRequest request) const {
  return std::make_unique<ByteScan>(
      [this](ByteView from, const ByteScan::Visitor& visitor) { visit_entries(from, visitor); },
      std::move(request));
}

}  // namespace penstock::store
