// The tables of a PostgreSQL sink: made if they are not there, compared with what is declared if
// they are. What cannot work is found here and said, not at the first record.
//
// Errors    kRetry   as PostgresConnection, or a table does not fit; somebody may mend it
// Threads   one.
#pragma once

#include <string>
#include <vector>

#include "config/column.h"
#include "core/result.h"
#include "sinks/postgres/connection.h"

namespace penstock::sinks {

enum class WriteMode { kAppend, kUpsert };

struct PostgresTable {
  std::string name;  // may have a schema: "app.events"
  WriteMode mode = WriteMode::kAppend;
  std::vector<std::string> key;  // columns that tell rows apart, for kUpsert
  std::vector<config::Column> columns;
};

// As SQL writes them.
inline constexpr const char* kOffsetsTable = "\"penstock_offsets\"";
inline constexpr const char* kStagingTable = "\"penstock_staging\"";
inline constexpr const char* kMetadataStagingTable = "\"penstock_metadata_staging\"";

// The table that holds the positions of all sinks of the database.
[[nodiscard]] Status ensure_offsets_table(PostgresConnection& connection);

// The table itself, and for kUpsert the temporary one that rows come through.
[[nodiscard]] Status ensure_table(PostgresConnection& connection, const PostgresTable& table);

// The table of event metadata and its temporary one.
[[nodiscard]] Status ensure_metadata_table(PostgresConnection& connection, const std::string& name);

// "a", "b", "c"
[[nodiscard]] std::string column_list(const PostgresTable& table);
// From the temporary table into the real one: the last of those with one key wins.
[[nodiscard]] std::string upsert_statement(const PostgresTable& table);

}  // namespace penstock::sinks
