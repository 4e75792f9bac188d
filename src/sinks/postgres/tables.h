// The tables of a PostgreSQL sink: made if they are not there, compared with what is declared if
// they are. What cannot work is found here and said, not at the first record.
//
// Errors    kRetry   as PostgresConnection, or a table does not fit; somebody may mend it
// Threads   one.
#pragma once

#include <string>

#include "core/result.h"
#include "sinks/postgres/connection.h"
#include "sinks/table/sink_table.h"

namespace penstock::sinks {

// As SQL writes them.
inline constexpr const char* kStagingTable = "\"penstock_staging\"";
inline constexpr const char* kMetadataStagingTable = "\"penstock_metadata_staging\"";

// The table that holds the positions of all sinks of the database.
[[nodiscard]] Status ensure_offsets_table(PostgresConnection& connection);

// The table itself, and for kUpsert the temporary one that rows come through.
[[nodiscard]] Status ensure_table(PostgresConnection& connection, const SinkTable& table);

// The table of event metadata and its temporary one.
[[nodiscard]] Status ensure_metadata_table(PostgresConnection& connection, const std::string& name);

// From the temporary table into the real one: the last of those with one key wins.
[[nodiscard]] std::string upsert_statement(const SinkTable& table);

}  // namespace penstock::sinks
