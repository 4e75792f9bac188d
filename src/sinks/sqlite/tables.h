// The tables of a SQLite sink: made if they are not there, compared with what is declared if they
// are. Tables that are made are STRICT.
//
//   text, numeric, jsonb  TEXT      numeric keeps every digit, which REAL would not
//   timestamptz           TEXT      "2015-05-17T10:05:03.000Z", as SQLite's date functions read it
//   bigint, boolean       INTEGER   boolean: 0 or 1
//   double precision      REAL
//
// Errors    kRetry   as SqliteConnection, or a table does not fit; somebody may mend it
// Threads   one.
#pragma once

#include <string>

#include "config/column.h"
#include "core/result.h"
#include "sinks/sqlite/connection.h"
#include "sinks/table/sink_table.h"

namespace penstock::sinks {

// What SQLite makes of a column's declared type; sqlite.org/datatype3.html, 3.1.
enum class SqliteAffinity { kText, kInteger, kReal, kNumeric, kNone };

[[nodiscard]] SqliteAffinity affinity_of(const std::string& declared_type);

[[nodiscard]] Status ensure_offsets_table(SqliteConnection& connection);
[[nodiscard]] Status ensure_table(SqliteConnection& connection, const SinkTable& table);
// The table of event metadata.
[[nodiscard]] Status ensure_metadata_table(SqliteConnection& connection, const std::string& name);

// One event into the table; parameters are the columns in their order.
[[nodiscard]] std::string insert_statement(const SinkTable& table);

}  // namespace penstock::sinks
