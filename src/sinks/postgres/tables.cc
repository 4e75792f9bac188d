#include "sinks/postgres/tables.h"

#include <utility>

namespace penstock::sinks {
namespace {

using config::Column;
using config::ColumnType;

std::string definitions(const std::vector<Column>& columns) {
  std::string list;
  for (const Column& column : columns) {
    list += (list.empty() ? "" : ", ") + quoted_name(column.name) + " " +
            std::string(to_string(column.type)) + (column.not_null ? " NOT NULL" : "");
  }
  return list;
}

Result<bool> exists(PostgresConnection& connection, const std::string& table) {
  const std::vector<std::string> parameters = {quoted_name(table)};
  PENSTOCK_TRY_ASSIGN(const auto found,
                      connection.execute("SELECT to_regclass($1) IS NOT NULL", parameters));
  return found.rows.at(0).at(0) == "t";
}

Result<FoundColumns> columns_of(PostgresConnection& connection, const std::string& table) {
  const std::vector<std::string> parameters = {quoted_name(table)};
  PENSTOCK_TRY_ASSIGN(
      const auto found,
      connection.execute("SELECT attname, format_type(atttypid, atttypmod), attnotnull, "
                         "atthasdef OR attidentity <> '' FROM pg_attribute "
                         "WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
                         parameters));
  FoundColumns columns;
  for (const auto& row : found.rows) {
    columns[*row[0]] = {*row[1], *row[2] == "t", *row[3] == "t"};
  }
  return columns;
}

// Types whose binary form is the same are taken for each other; what they limit is checked by the
// server, record by record.
bool fits(ColumnType declared, const std::string& found) {
  switch (declared) {
    case ColumnType::kText:
      return found == "text" || found.starts_with("character varying");
    case ColumnType::kTimestamptz:
      return found.starts_with("timestamp") && found.ends_with(" with time zone");
    case ColumnType::kNumeric:
      return found.starts_with("numeric");
    default:
      return found == to_string(declared);
  }
}

}  // namespace

std::string upsert_statement(const SinkTable& table) {
  const std::string changes = upsert_changes(table);
  const std::string key = name_list(table.key);
  return "INSERT INTO " + quoted_name(table.name) + " (" + column_list(table) +
         ") SELECT DISTINCT ON (" + key + ") " + column_list(table) + " FROM pg_temp." +
         kStagingTable + " ORDER BY " + key + ", penstock_row DESC ON CONFLICT (" + key + ") DO " +
         (changes.empty() ? "NOTHING" : "UPDATE SET " + changes);
}

Status ensure_offsets_table(PostgresConnection& connection) {
  PENSTOCK_TRY(connection.execute(std::string("CREATE TABLE IF NOT EXISTS ") + kOffsetsTable +
                                  " (sink text, topic text, partition integer, "
                                  "next_offset bigint NOT NULL, epoch bigint NOT NULL, "
                                  "owner text NOT NULL, PRIMARY KEY (sink, topic, partition))"));
  return {};
}

Status ensure_table(PostgresConnection& connection, const SinkTable& table) {
  PENSTOCK_TRY_ASSIGN(const bool is_there, exists(connection, table.name));
  if (!is_there) {
    const std::string key =
        table.mode == WriteMode::kUpsert ? ", PRIMARY KEY (" + name_list(table.key) + ")" : "";
    PENSTOCK_TRY(connection.execute("CREATE TABLE " + quoted_name(table.name) + " (" +
                                    definitions(table.columns) + key + ")"));
  }
  PENSTOCK_TRY_ASSIGN(FoundColumns found, columns_of(connection, table.name));
  PENSTOCK_TRY(check_columns(table, std::move(found), fits));
  if (table.mode == WriteMode::kUpsert) {
    std::vector<Column> columns = table.columns;
    for (Column& column : columns) {
      column.not_null = false;  // the real table says that, of the rows that get there
    }
    PENSTOCK_TRY(connection.execute(std::string("CREATE TEMPORARY TABLE ") + kStagingTable +
                                    " (penstock_row bigint, " + definitions(columns) +
                                    ") ON COMMIT DELETE ROWS"));
    // Fails if no unique index is of these columns.
    PENSTOCK_TRY(connection.execute("EXPLAIN " + upsert_statement(table)));
  }
  return {};
}

Status ensure_metadata_table(PostgresConnection& connection, const std::string& name) {
  const std::string columns =
      "topic text, partition integer, \"offset\" bigint, key bytea, time timestamptz, source text";
  PENSTOCK_TRY_ASSIGN(const bool is_there, exists(connection, name));
  if (!is_there) {
    PENSTOCK_TRY(connection.execute("CREATE TABLE " + quoted_name(name) + " (" + columns +
                                    ", PRIMARY KEY (topic, partition, \"offset\"))"));
  }
  PENSTOCK_TRY(connection.execute(std::string("CREATE TEMPORARY TABLE ") + kMetadataStagingTable +
                                  " (" + columns + ") ON COMMIT DELETE ROWS"));
  return {};
}

}  // namespace penstock::sinks
