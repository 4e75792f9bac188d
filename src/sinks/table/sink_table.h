// SinkTable is a table that events go into, as it was declared: its columns, and whether an event
// is a row of its own or the newest state of a key.
//
// Threads   plain values; any.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/column.h"
#include "core/result.h"

namespace penstock::sinks {

enum class WriteMode { kAppend, kUpsert };

struct SinkTable {
  std::string name;  // may have a schema: "app.events"
  WriteMode mode = WriteMode::kAppend;
  std::vector<std::string> key;  // columns that tell rows apart, for kUpsert
  std::vector<config::Column> columns;

  [[nodiscard]] bool is_key(std::string_view column) const {
    return mode == WriteMode::kUpsert && std::find(key.begin(), key.end(), column) != key.end();
  }
};

// The header that tells an event's source, as CloudEvents' Kafka binding writes it; for the table
// of event metadata.
inline constexpr std::string_view kSourceHeader = "ce_source";

// The table with the positions of all sinks of a database, as SQL writes it.
inline constexpr const char* kOffsetsTable = "\"penstock_offsets\"";

// "a", "b", "c": names as SQL writes them, with commas between.
[[nodiscard]] std::string name_list(const std::vector<std::string>& names);
[[nodiscard]] std::string column_list(const SinkTable& table);

// The changes of an upsert: "a" = excluded."a", ...; empty if all columns are of the key.
[[nodiscard]] std::string upsert_changes(const SinkTable& table);

// A column as it is in the database.
struct FoundColumn {
  std::string type;
  bool not_null = false;
  bool has_default = false;
};

using FoundColumns = std::map<std::string, FoundColumn>;

// kRetry, and what is wrong, if a table that was there before cannot take the events: a declared
// column must be there with a type that `fits`, and nothing else may be needed for a row.
[[nodiscard]] Status check_columns(const SinkTable& table, FoundColumns found,
                                   bool (*fits)(config::ColumnType declared,
                                                const std::string& found));

// "name" in double quotes, for use in a statement; a dot separates a schema.
[[nodiscard]] std::string quoted_name(std::string_view name);

}  // namespace penstock::sinks
