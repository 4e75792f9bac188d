#include "sinks/postgres/tables.h"

#include <algorithm>
#include <map>

namespace penstock::sinks {
namespace {

using config::Column;
using config::ColumnType;

struct FoundColumn {
  std::string type;
  bool not_null = false;
  bool has_default = false;
};

using FoundColumns = std::map<std::string, FoundColumn>;

std::string name_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ", ") + quoted_name(name);
  }
  return list;
}

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

Status check(const PostgresTable& table, FoundColumns found) {
  const auto wrong = [&](const std::string& column, const std::string& what) {
    return Error(ErrorCode::kRetry, "table " + table.name + ", column " + column + ": " + what);
  };
  for (const Column& column : table.columns) {
    const auto at = found.find(column.name);
    if (at == found.end()) {
      return wrong(column.name, "is declared, but not there");
    }
    if (!fits(column.type, at->second.type)) {
      return wrong(column.name, "is declared as " + std::string(to_string(column.type)) +
                                    ", but is " + at->second.type);
    }
    const bool is_key =
        table.mode == WriteMode::kUpsert &&
        std::find(table.key.begin(), table.key.end(), column.name) != table.key.end();
    if (at->second.not_null && !column.not_null && !is_key) {
      return wrong(column.name, "must not be null; it has to be declared \"not null\"");
    }
    found.erase(at);
  }
  for (const auto& [name, column] : found) {
    if (column.not_null && !column.has_default) {
      return wrong(name, "must not be null and has no default, but is not declared");
    }
  }
  return {};
}

}  // namespace

std::string column_list(const PostgresTable& table) {
  std::vector<std::string> names;
  names.reserve(table.columns.size());
  for (const Column& column : table.columns) {
    names.push_back(column.name);
  }
  return name_list(names);
}

std::string upsert_statement(const PostgresTable& table) {
  std::string changes;
  for (const Column& column : table.columns) {
    if (std::find(table.key.begin(), table.key.end(), column.name) == table.key.end()) {
      const std::string name = quoted_name(column.name);
      changes.append(changes.empty() ? "" : ", ").append(name);
      changes.append(" = excluded.").append(name);
    }
  }
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

Status ensure_table(PostgresConnection& connection, const PostgresTable& table) {
  PENSTOCK_TRY_ASSIGN(const bool is_there, exists(connection, table.name));
  if (!is_there) {
    const std::string key =
        table.mode == WriteMode::kUpsert ? ", PRIMARY KEY (" + name_list(table.key) + ")" : "";
    PENSTOCK_TRY(connection.execute("CREATE TABLE " + quoted_name(table.name) + " (" +
                                    definitions(table.columns) + key + ")"));
  }
  PENSTOCK_TRY_ASSIGN(FoundColumns found, columns_of(connection, table.name));
  PENSTOCK_TRY(check(table, std::move(found)));
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
