#include "sinks/postgres/postgres_destination.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/bytes.h"
#include "core/check.h"
#include "sinks/runtime/never_refused.h"
#include "sinks/runtime/random_name.h"

namespace penstock::sinks {
namespace {

// A number that the server has sent.
std::int64_t number(const std::optional<std::string>& text) {
  std::int64_t value = 0;
  if (text.has_value()) {
    std::from_chars(text->data(), text->data() + text->size(), value);
  }
  return value;
}

}  // namespace

Result<std::unique_ptr<PostgresDestination>> PostgresDestination::make(const os::Clock& clock,
                                                                       os::Random& random,
                                                                       Options options) {
  PENSTOCK_TRY_ASSIGN(auto events, EventColumns::make(options.table.columns));
  return std::unique_ptr<PostgresDestination>(
      new PostgresDestination(clock, random_name(random), std::move(events), std::move(options)));
}

PostgresDestination::PostgresDestination(const os::Clock& clock, std::string owner,
                                         std::unique_ptr<EventColumns> events, Options options)
    : clock_(clock),
      owner_(std::move(owner)),
      options_(std::move(options)),
      events_(std::move(events)) {}

// --- open ---------------------------------------------------------------------------------------

Result<std::vector<Offset>> PostgresDestination::open(std::int32_t partition_count) {
  connection_.reset();
  PENSTOCK_TRY_ASSIGN(connection_,
                      PostgresConnection::connect(options_.connection, clock_, interrupted_));
  Status ready = set_limits();
  if (ready) {
    ready = ensure_offsets_table(*connection_);
  }
  if (ready) {
    ready = ensure_table(*connection_, options_.table);
  }
  if (ready && options_.metadata_table.has_value()) {
    ready = ensure_metadata_table(*connection_, *options_.metadata_table);
  }
  PENSTOCK_TRY(never_refused(ready));
  auto taken = take_over(partition_count);
  if (!taken) {
    return never_refused(taken.error()).error();
  }
  had_it_ = true;
  positions_ = *taken;
  return taken;
}

// A process that is stopped in the middle of its transaction must not keep its locks for long.
Status PostgresDestination::set_limits() {
  const std::string limit = std::to_string(options_.connection.request_timeout.count());
  return status_of(connection_->execute("SET statement_timeout = " + limit +
                                        "; SET lock_timeout = " + limit +
                                        "; SET idle_in_transaction_session_timeout = " + limit));
}

Result<std::vector<Offset>> PostgresDestination::take_over(std::int32_t partition_count) {
  PENSTOCK_TRY(connection_->execute("BEGIN"));
  PENSTOCK_TRY_ASSIGN(std::vector<Offset> offsets, lock_positions(partition_count));
  const std::vector<std::string> taking = {options_.sink, options_.topic, std::to_string(epoch_),
                                           owner_};
  PENSTOCK_TRY(connection_->execute(std::string("UPDATE ") + kOffsetsTable +
                                        " SET epoch = $3::bigint, owner = $4 "
                                        "WHERE sink = $1 AND topic = $2",
                                    taking));
  PENSTOCK_TRY(commit());
  return offsets;
}

Result<std::vector<Offset>> PostgresDestination::lock_positions(std::int32_t partition_count) {
  const std::vector<std::string> making = {options_.sink, options_.topic,
                                           std::to_string(partition_count - 1)};
  PENSTOCK_TRY(connection_->execute(
      std::string("INSERT INTO ") + kOffsetsTable +
          " (sink, topic, partition, next_offset, epoch, owner) SELECT $1, $2, number, 0, 0, '' "
          "FROM generate_series(0, $3::integer) AS number ON CONFLICT DO NOTHING",
      making));
  const std::vector<std::string> mine = {options_.sink, options_.topic};
  PENSTOCK_TRY_ASSIGN(
      const auto found,
      connection_->execute(std::string("SELECT partition, next_offset, epoch, owner FROM ") +
                               kOffsetsTable +
                               " WHERE sink = $1 AND topic = $2 ORDER BY partition FOR UPDATE",
                           mine));
  std::vector<Offset> offsets(static_cast<std::size_t>(partition_count));
  std::int64_t epoch = 0;
  for (const auto& row : found.rows) {
    const auto partition = static_cast<std::size_t>(number(row[0]));
    if (partition < offsets.size()) {
      offsets[partition] = Offset(number(row[1]));
    }
    epoch = std::max(epoch, number(row[2]));
    // Whoever comes after us has a larger epoch. A smaller one is of a server that has lost its
    // newest commits, our taking over among them; a row without an owner is new.
    if (had_it_ && row[3] != "" && row[3] != owner_ && number(row[2]) >= epoch_) {
      return Error(ErrorCode::kFenced, "PostgreSQL: another process has taken this sink over");
    }
  }
  epoch_ = epoch + 1;
  return offsets;
}

// --- prepare ------------------------------------------------------------------------------------

std::vector<Refusal> PostgresDestination::prepare(std::span<const SinkRecord> records) {
  rows_.clear();
  metadata_.clear();
  events_->read(records);
  std::vector<Refusal> refusals;
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::string why = encode(records[i], i);
    if (!why.empty()) {
      rows_.drop_row();
      refusals.push_back({i, std::move(why)});
    }
    encode_metadata(records[i]);
  }
  return refusals;
}

// Empty, or why the record is no row.
std::string PostgresDestination::encode(const SinkRecord& record, std::size_t index) {
  if (std::string why = events_->refusal(record, index); !why.empty()) {
    return why;
  }
  const std::span<const JsonValue> values = events_->values(index);
  const std::vector<config::Column>& columns = options_.table.columns;
  const bool staged = options_.table.mode == WriteMode::kUpsert;
  rows_.begin_row(static_cast<std::int16_t>(columns.size() + (staged ? 1 : 0)));
  if (staged) {
    rows_.add_int64(static_cast<std::int64_t>(index));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (std::string why = rows_.add_value(columns[i], values[i]); !why.empty()) {
      return why;
    }
  }
  rows_.end_row();
  return {};
}

void PostgresDestination::encode_metadata(const SinkRecord& record) {
  if (!options_.metadata_table.has_value()) {
    return;
  }
  metadata_.begin_row(6);
  metadata_.add_bytes(options_.topic);
  metadata_.add_int32(record.partition.value());
  metadata_.add_int64(record.record.offset.value());
  const auto add = [this](const std::optional<ByteView>& bytes) {
    bytes.has_value() ? metadata_.add_bytes(as_text(*bytes)) : metadata_.add_null();
  };
  add(record.record.key);
  metadata_.add_time(record.record.timestamp.value());
  add(find_header(record.record, kSourceHeader));
  metadata_.end_row();
}

// --- write --------------------------------------------------------------------------------------

Status PostgresDestination::write(const SinkPiece& piece) {
  Status written = write_all(piece);
  if (!written && written.error().code() == ErrorCode::kInvalid) {
    PENSTOCK_TRY(never_refused(status_of(connection_->execute("ROLLBACK"))));
  }
  return written;
}

Status PostgresDestination::write_all(const SinkPiece& piece) {
  PENSTOCK_CHECK(connection_ != nullptr);
  PENSTOCK_TRY(never_refused(status_of(connection_->execute("BEGIN"))));
  PENSTOCK_TRY(move_positions(piece.moves));
  PENSTOCK_TRY(copy_rows(piece));
  if (options_.metadata_table.has_value()) {
    PENSTOCK_TRY(copy_metadata(piece));
  }
  PENSTOCK_TRY(commit());
  for (const SinkMove& move : piece.moves) {
    positions_[static_cast<std::size_t>(move.partition.value())] = move.to;
  }
  return {};
}

Status PostgresDestination::check() {
  const std::vector<std::string> mine = {options_.sink, options_.topic, std::to_string(epoch_)};
  auto found =
      connection_->execute(std::string("SELECT partition, next_offset FROM ") + kOffsetsTable +
                               " WHERE sink = $1 AND topic = $2 AND epoch = $3::bigint",
                           mine);
  if (!found) {
    return never_refused(found.error());
  }
  std::size_t same = 0;
  for (const auto& row : found->rows) {
    const auto partition = static_cast<std::size_t>(number(row[0]));
    same +=
        partition < positions_.size() && positions_[partition] == Offset(number(row[1])) ? 1 : 0;
  }
  return same == positions_.size() ? Status() : never_refused(why_not_moved());
}

Status PostgresDestination::move_positions(std::span<const SinkMove> moves) {
  std::vector<std::int64_t> partitions;
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> to;
  for (const SinkMove& move : moves) {
    partitions.push_back(move.partition.value());
    from.push_back(move.from.value());
    to.push_back(move.to.value());
  }
  const std::vector<std::string> parameters = {options_.sink,          options_.topic,
                                               std::to_string(epoch_), array_text(partitions),
                                               array_text(from),       array_text(to)};
  auto moved = connection_->execute(
      std::string("UPDATE ") + kOffsetsTable +
          " AS stored SET next_offset = wanted.after FROM unnest($4::integer[], $5::bigint[], "
          "$6::bigint[]) AS wanted (partition, before, after) WHERE stored.sink = $1 AND "
          "stored.topic = $2 AND stored.partition = wanted.partition AND "
          "stored.next_offset = wanted.before AND stored.epoch = $3::bigint",
      parameters);
  if (!moved) {
    return never_refused(moved.error());
  }
  return moved->changed == moves.size() ? Status() : why_not_moved();
}

Status PostgresDestination::why_not_moved() {
  const std::vector<std::string> mine = {options_.sink, options_.topic, std::to_string(epoch_)};
  PENSTOCK_TRY_ASSIGN(const auto others,
                      connection_->execute(std::string("SELECT 1 FROM ") + kOffsetsTable +
                                               " WHERE sink = $1 AND topic = $2 AND epoch > $3",
                                           mine));
  if (!others.rows.empty()) {
    return Error(ErrorCode::kFenced, "PostgreSQL: another process has taken this sink over");
  }
  return Error(ErrorCode::kRetry,
               "PostgreSQL: the stored offsets are not where this sink left them");
}

std::string PostgresDestination::chosen(const CopyRows& rows, const SinkPiece& piece) {
  std::string bytes;
  for (std::size_t begin = piece.begin; begin < piece.end;) {
    std::size_t end = begin;
    while (end < piece.end && piece.fates[end] == Fate::kWrite) {
      ++end;
    }
    bytes += rows.rows(begin, end);
    begin = end + 1;
  }
  return bytes;
}

Status PostgresDestination::copy_rows(const SinkPiece& piece) {
  const std::string bytes = chosen(rows_, piece);
  if (bytes.empty()) {
    return {};
  }
  const SinkTable& table = options_.table;
  if (table.mode == WriteMode::kAppend) {
    return connection_->copy("COPY " + quoted_name(table.name) + " (" + column_list(table) +
                                 ") FROM STDIN (FORMAT binary)",
                             bytes);
  }
  PENSTOCK_TRY(connection_->copy(std::string("COPY pg_temp.") + kStagingTable + " (penstock_row, " +
                                     column_list(table) + ") FROM STDIN (FORMAT binary)",
                                 bytes));
  return status_of(connection_->execute(upsert_statement(table)));
}

// Rows that are there already are of an earlier delivery: somebody has set the offsets back.
Status PostgresDestination::copy_metadata(const SinkPiece& piece) {
  const std::string bytes = chosen(metadata_, piece);
  if (bytes.empty()) {
    return {};
  }
  PENSTOCK_TRY(connection_->copy(
      std::string("COPY pg_temp.") + kMetadataStagingTable + " FROM STDIN (FORMAT binary)", bytes));
  return status_of(connection_->execute("INSERT INTO " + quoted_name(*options_.metadata_table) +
                                        " SELECT * FROM pg_temp." + kMetadataStagingTable +
                                        " ON CONFLICT (topic, partition, \"offset\") DO NOTHING"));
}

// A COMMIT of a transaction that has failed is answered, too: with ROLLBACK.
Status PostgresDestination::commit() {
  PENSTOCK_TRY_ASSIGN(const auto committed, connection_->execute("COMMIT"));
  if (committed.tag != "COMMIT") {
    return Error(ErrorCode::kRetry, "PostgreSQL: the transaction was rolled back");
  }
  return {};
}

}  // namespace penstock::sinks
