#include "sinks/sqlite/sqlite_destination.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/rfc3339.h"
#include "sinks/runtime/never_refused.h"
#include "sinks/runtime/random_name.h"
#include "sinks/sqlite/tables.h"

namespace penstock::sinks {
namespace {

Error taken_over() {
  return {ErrorCode::kFenced, "SQLite: another process has taken this sink over"};
}

SqliteDestination::Options with_keys_not_null(SqliteDestination::Options options) {
  for (config::Column& column : options.table.columns) {
    // SQLite takes any number of NULLs for different, and makes up a number for an INTEGER key.
    column.not_null = column.not_null || options.table.is_key(column.name);
  }
  return options;
}

// `scratch` keeps what is bound until the statement has run.
void bind_column(SqliteStatement& statement, int parameter, config::ColumnType type,
                 const ColumnValue& value, std::string& scratch) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (type != config::ColumnType::kTimestamptz) {
      statement.bind(parameter, *number);
      return;
    }
    scratch.clear();
    append_rfc3339(scratch, *number);
    statement.bind(parameter, std::string_view(scratch));
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    statement.bind(parameter, std::int64_t{*flag ? 1 : 0});
  } else if (const auto* fraction = std::get_if<double>(&value)) {
    statement.bind(parameter, *fraction);
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    statement.bind(parameter, *text);
  } else {
    statement.bind_null(parameter);
  }
}

}  // namespace

struct SqliteDestination::Session {
  std::unique_ptr<SqliteConnection> connection;
  SqliteStatement move;
  SqliteStatement insert;
  std::optional<SqliteStatement> insert_metadata;
};

Result<std::unique_ptr<SqliteDestination>> SqliteDestination::make(const Surroundings& surroundings,
                                                                   Options options) {
  PENSTOCK_TRY_ASSIGN(auto events, EventColumns::make(options.table.columns));
  return std::unique_ptr<SqliteDestination>(
      new SqliteDestination(surroundings, std::move(events), std::move(options)));
}

SqliteDestination::SqliteDestination(const Surroundings& surroundings,
                                     std::unique_ptr<EventColumns> events, Options options)
    : clock_(surroundings.clock),
      files_(surroundings.files),
      owner_(random_name(surroundings.random)),
      options_(with_keys_not_null(std::move(options))),
      events_(std::move(events)),
      scratch_(options_.table.columns.size()) {}

SqliteDestination::~SqliteDestination() = default;

// --- open ---------------------------------------------------------------------------------------

Result<std::vector<Offset>> SqliteDestination::open(std::int32_t partition_count) {
  session_.reset();
  PENSTOCK_TRY(never_refused(begin_session()));
  auto taken = take_over(partition_count);
  if (!taken) {
    session_.reset();
    return never_refused(taken.error()).error();
  }
  had_it_ = true;
  positions_ = *taken;
  return taken;
}

Status SqliteDestination::begin_session() {
  const std::string folder = os::parent_path(options_.connection.file);
  PENSTOCK_TRY(files_.create_directories(folder));
  PENSTOCK_TRY_ASSIGN(auto connection,
                      SqliteConnection::open(options_.connection, clock_, interrupted_));
  PENSTOCK_TRY(files_.sync_directory(folder));
  PENSTOCK_TRY(ensure_offsets_table(*connection));
  PENSTOCK_TRY(ensure_table(*connection, options_.table));
  PENSTOCK_TRY_ASSIGN(
      SqliteStatement move,
      connection->prepare(std::string("UPDATE ") + kOffsetsTable +
                          " SET next_offset = ?1 WHERE sink = ?2 AND topic = ?3 AND partition = ?4 "
                          "AND next_offset = ?5 AND epoch = ?6"));
  PENSTOCK_TRY_ASSIGN(SqliteStatement insert,
                      connection->prepare(insert_statement(options_.table)));
  std::optional<SqliteStatement> insert_metadata;
  if (options_.metadata_table.has_value()) {
    PENSTOCK_TRY(ensure_metadata_table(*connection, *options_.metadata_table));
    // Rows that are there already are of an earlier delivery: somebody has set the offsets back.
    PENSTOCK_TRY_ASSIGN(insert_metadata, connection->prepare("INSERT OR IGNORE INTO " +
                                                             quoted_name(*options_.metadata_table) +
                                                             " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  }
  session_ = std::make_unique<Session>(Session{std::move(connection), std::move(move),
                                               std::move(insert), std::move(insert_metadata)});
  return {};
}

Result<std::vector<Offset>> SqliteDestination::take_over(std::int32_t partition_count) {
  SqliteConnection& connection = *session_->connection;
  PENSTOCK_TRY(connection.execute("BEGIN IMMEDIATE"));
  PENSTOCK_TRY_ASSIGN(SqliteStatement make,
                      connection.prepare(std::string("INSERT OR IGNORE INTO ") + kOffsetsTable +
                                         " VALUES (?1, ?2, ?3, 0, 0, '')"));
  make.bind(1, std::string_view(options_.sink));
  make.bind(2, std::string_view(options_.topic));
  for (std::int32_t partition = 0; partition < partition_count; ++partition) {
    make.bind(3, std::int64_t{partition});
    PENSTOCK_TRY(make.run());
  }
  PENSTOCK_TRY_ASSIGN(std::vector<Offset> offsets, read_positions(partition_count));
  PENSTOCK_TRY_ASSIGN(SqliteStatement take,
                      connection.prepare(std::string("UPDATE ") + kOffsetsTable +
                                         " SET epoch = ?3, owner = ?4 WHERE sink = ?1 AND "
                                         "topic = ?2"));
  take.bind(1, std::string_view(options_.sink));
  take.bind(2, std::string_view(options_.topic));
  take.bind(3, epoch_);
  take.bind(4, std::string_view(owner_));
  PENSTOCK_TRY(take.run());
  PENSTOCK_TRY(connection.execute("COMMIT"));
  return offsets;
}

// And the next epoch.
Result<std::vector<Offset>> SqliteDestination::read_positions(std::int32_t partition_count) {
  PENSTOCK_TRY_ASSIGN(SqliteStatement query,
                      session_->connection->prepare(
                          std::string("SELECT partition, next_offset, epoch, owner FROM ") +
                          kOffsetsTable + " WHERE sink = ?1 AND topic = ?2"));
  query.bind(1, std::string_view(options_.sink));
  query.bind(2, std::string_view(options_.topic));
  std::vector<Offset> offsets(static_cast<std::size_t>(partition_count));
  std::int64_t epoch = 0;
  while (true) {
    PENSTOCK_TRY_ASSIGN(const bool is_row, query.step());
    if (!is_row) {
      break;
    }
    const auto partition = static_cast<std::size_t>(query.number(0));
    if (partition < offsets.size()) {
      offsets[partition] = Offset(query.number(1));
    }
    epoch = std::max(epoch, query.number(2));
    // Whoever comes after us has a larger epoch. A smaller one is of an older copy of the file; a
    // row without an owner is new.
    const std::string owner = query.text(3);
    if (had_it_ && !owner.empty() && owner != owner_ && query.number(2) >= epoch_) {
      return taken_over();
    }
  }
  epoch_ = epoch + 1;
  return offsets;
}

// --- prepare ------------------------------------------------------------------------------------

std::vector<Refusal> SqliteDestination::prepare(std::span<const SinkRecord> records) {
  events_->read(records);
  std::vector<Refusal> refusals;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (std::string why = refusal(records[i], i); !why.empty()) {
      refusals.push_back({i, std::move(why)});
    }
  }
  return refusals;
}

// Empty, or why the record is no row.
std::string SqliteDestination::refusal(const SinkRecord& record, std::size_t index) {
  std::string why = events_->refusal(record, index);
  const std::span<const JsonValue> values = events_->values(index);
  for (std::size_t i = 0; why.empty() && i < options_.table.columns.size(); ++i) {
    ColumnValue value;
    why = read_column(options_.table.columns[i], values[i], scratch_[i], value);
  }
  return why;
}

// --- write --------------------------------------------------------------------------------------

Status SqliteDestination::write(const SinkPiece& piece) {
  PENSTOCK_CHECK(session_ != nullptr);
  Status written = write_all(piece);
  if (written) {
    return written;
  }
  if (written.error().code() == ErrorCode::kInvalid && session_->connection->is_in_transaction()) {
    PENSTOCK_TRY(never_refused(session_->connection->execute("ROLLBACK")));
  } else if (written.error().code() != ErrorCode::kInvalid) {
    session_.reset();
  }
  return written;
}

Status SqliteDestination::write_all(const SinkPiece& piece) {
  PENSTOCK_TRY(is_in_place());
  PENSTOCK_TRY(never_refused(session_->connection->execute("BEGIN IMMEDIATE")));
  PENSTOCK_TRY(never_refused(move_positions(piece.moves)));
  for (std::size_t i = piece.begin; i < piece.end; ++i) {
    if (piece.fates[i] != Fate::kWrite) {
      continue;
    }
    PENSTOCK_TRY(insert_row(i));
    if (session_->insert_metadata.has_value()) {
      PENSTOCK_TRY(insert_metadata(piece.records[i]));
    }
  }
  PENSTOCK_TRY(session_->connection->execute("COMMIT"));
  for (const SinkMove& move : piece.moves) {
    positions_[static_cast<std::size_t>(move.partition.value())] = move.to;
  }
  return {};
}

Status SqliteDestination::move_positions(std::span<const SinkMove> moves) {
  SqliteStatement& statement = session_->move;
  statement.bind(2, std::string_view(options_.sink));
  statement.bind(3, std::string_view(options_.topic));
  statement.bind(6, epoch_);
  for (const SinkMove& move : moves) {
    statement.bind(1, move.to.value());
    statement.bind(4, std::int64_t{move.partition.value()});
    statement.bind(5, move.from.value());
    PENSTOCK_TRY(statement.run());
    if (session_->connection->changed() != 1) {
      return why_not_moved();
    }
  }
  return {};
}

Status SqliteDestination::why_not_moved() {
  PENSTOCK_TRY_ASSIGN(
      SqliteStatement others,
      session_->connection->prepare(std::string("SELECT 1 FROM ") + kOffsetsTable +
                                    " WHERE sink = ?1 AND topic = ?2 AND epoch > ?3"));
  others.bind(1, std::string_view(options_.sink));
  others.bind(2, std::string_view(options_.topic));
  others.bind(3, epoch_);
  PENSTOCK_TRY_ASSIGN(const bool displaced, others.step());
  return displaced ? taken_over()
                   : Error(ErrorCode::kRetry,
                           "SQLite: the stored offsets are not where this sink left "
                           "them");
}

Status SqliteDestination::insert_row(std::size_t index) {
  const std::vector<config::Column>& columns = options_.table.columns;
  const std::span<const JsonValue> values = events_->values(index);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    ColumnValue value;
    const std::string why = read_column(columns[i], values[i], scratch_[i], value);
    PENSTOCK_CHECK(why.empty());  // prepare() has looked
    bind_column(session_->insert, static_cast<int>(i + 1), columns[i].type, value, scratch_[i]);
  }
  return session_->insert.run();
}

Status SqliteDestination::insert_metadata(const SinkRecord& record) {
  SqliteStatement& statement = *session_->insert_metadata;
  const std::string time = format_rfc3339(record.record.timestamp.value());
  statement.bind(1, std::string_view(options_.topic));
  statement.bind(2, std::int64_t{record.partition.value()});
  statement.bind(3, record.record.offset.value());
  record.record.key.has_value() ? statement.bind(4, *record.record.key) : statement.bind_null(4);
  statement.bind(5, std::string_view(time));
  const auto source = find_header(record.record, kSourceHeader);
  source.has_value() ? statement.bind(6, as_text(*source)) : statement.bind_null(6);
  return statement.run();
}

// What is written into a file that has no name any more is lost with the last who has it open.
Status SqliteDestination::is_in_place() const {
  if (session_->connection->has_moved()) {
    return Error(ErrorCode::kRetry,
                 "SQLite: " + options_.connection.file + " was moved or deleted");
  }
  return {};
}

Status SqliteDestination::check() {
  PENSTOCK_CHECK(session_ != nullptr);
  PENSTOCK_TRY(is_in_place());
  PENSTOCK_TRY_ASSIGN(SqliteStatement query,
                      session_->connection->prepare(
                          std::string("SELECT partition, next_offset FROM ") + kOffsetsTable +
                          " WHERE sink = ?1 AND topic = ?2 AND epoch = ?3"));
  query.bind(1, std::string_view(options_.sink));
  query.bind(2, std::string_view(options_.topic));
  query.bind(3, epoch_);
  std::size_t same = 0;
  while (true) {
    PENSTOCK_TRY_ASSIGN(const bool is_row, query.step());
    if (!is_row) {
      break;
    }
    const auto partition = static_cast<std::size_t>(query.number(0));
    same +=
        partition < positions_.size() && positions_[partition] == Offset(query.number(1)) ? 1 : 0;
  }
  return same == positions_.size() ? Status() : never_refused(why_not_moved());
}

}  // namespace penstock::sinks
