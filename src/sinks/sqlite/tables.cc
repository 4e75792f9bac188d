#include "sinks/sqlite/tables.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace penstock::sinks {
namespace {

using config::Column;
using config::ColumnType;

std::string_view type_name(ColumnType type) {
  switch (type) {
    case ColumnType::kBigint:
    case ColumnType::kBoolean:
      return "INTEGER";
    case ColumnType::kDouble:
      return "REAL";
    case ColumnType::kText:
    case ColumnType::kNumeric:
    case ColumnType::kTimestamptz:
    case ColumnType::kJsonb:
      break;
  }
  return "TEXT";
}

std::string definitions(const SinkTable& table) {
  std::string list;
  for (const Column& column : table.columns) {
    list += (list.empty() ? "" : ", ") + quoted_name(column.name) + " " +
            std::string(type_name(column.type)) + (column.not_null ? " NOT NULL" : "");
  }
  return table.mode == WriteMode::kUpsert ? list + ", PRIMARY KEY (" + name_list(table.key) + ")"
                                          : list;
}

// A column of another affinity would change values on their way in.
bool fits(ColumnType declared, const std::string& found) {
  const SqliteAffinity affinity = affinity_of(found);
  if (affinity == SqliteAffinity::kNone) {
    return found.empty();
  }
  const std::string_view wanted = type_name(declared);
  if (wanted == "INTEGER") {
    return affinity == SqliteAffinity::kInteger || affinity == SqliteAffinity::kNumeric;
  }
  return affinity == (wanted == "REAL" ? SqliteAffinity::kReal : SqliteAffinity::kText);
}

// Without those that are generated. An INTEGER PRIMARY KEY gives itself a value.
Result<FoundColumns> columns_of(SqliteConnection& connection, const std::string& table) {
  PENSTOCK_TRY_ASSIGN(
      SqliteStatement query,
      connection.prepare("SELECT name, type, \"notnull\", dflt_value IS NOT NULL OR (pk > 0 AND "
                         "upper(type) = 'INTEGER') FROM pragma_table_xinfo(?1) WHERE hidden = 0"));
  query.bind(1, std::string_view(table));
  FoundColumns columns;
  while (true) {
    PENSTOCK_TRY_ASSIGN(const bool is_row, query.step());
    if (!is_row) {
      return columns;
    }
    columns[query.text(0)] = {query.text(1), query.number(2) != 0, query.number(3) != 0};
  }
}

}  // namespace

SqliteAffinity affinity_of(const std::string& declared_type) {
  std::string type = declared_type;
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto has = [&](std::string_view part) { return type.find(part) != std::string::npos; };
  if (has("INT")) {
    return SqliteAffinity::kInteger;
  }
  if (has("CHAR") || has("CLOB") || has("TEXT")) {
    return SqliteAffinity::kText;
  }
  if (type.empty() || has("BLOB")) {
    return SqliteAffinity::kNone;
  }
  return has("REAL") || has("FLOA") || has("DOUB") ? SqliteAffinity::kReal
                                                   : SqliteAffinity::kNumeric;
}

Status ensure_offsets_table(SqliteConnection& connection) {
  return connection.execute(
      std::string("CREATE TABLE IF NOT EXISTS ") + kOffsetsTable +
      " (sink TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, "
      "next_offset INTEGER NOT NULL, epoch INTEGER NOT NULL, owner TEXT NOT "
      "NULL, PRIMARY KEY (sink, topic, partition)) STRICT");
}

Status ensure_table(SqliteConnection& connection, const SinkTable& table) {
  PENSTOCK_TRY(connection.execute("CREATE TABLE IF NOT EXISTS " + quoted_name(table.name) + " (" +
                                  definitions(table) + ") STRICT"));
  PENSTOCK_TRY_ASSIGN(FoundColumns found, columns_of(connection, table.name));
  return check_columns(table, std::move(found), fits);
}

Status ensure_metadata_table(SqliteConnection& connection, const std::string& name) {
  return connection.execute("CREATE TABLE IF NOT EXISTS " + quoted_name(name) +
                            " (topic TEXT NOT NULL, partition INTEGER NOT NULL, \"offset\" INTEGER "
                            "NOT NULL, key BLOB, time TEXT, source TEXT, PRIMARY KEY (topic, "
                            "partition, \"offset\")) STRICT, WITHOUT ROWID");
}

// ABORT, whatever the table's own constraints say: a refused event is to be seen, not passed over.
std::string insert_statement(const SinkTable& table) {
  std::string parameters;
  for (std::size_t i = 1; i <= table.columns.size(); ++i) {
    parameters += (i == 1 ? "?" : ", ?") + std::to_string(i);
  }
  std::string insert = "INSERT OR ABORT INTO " + quoted_name(table.name) + " (" +
                       column_list(table) + ") VALUES (" + parameters + ")";
  if (table.mode == WriteMode::kAppend) {
    return insert;
  }
  const std::string changes = upsert_changes(table);
  return insert + " ON CONFLICT (" + name_list(table.key) + ") DO " +
         (changes.empty() ? "NOTHING" : "UPDATE SET " + changes);
}

}  // namespace penstock::sinks
