#include "sinks/table/sink_table.h"

namespace penstock::sinks {

std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    quoted += c == '.' ? "\".\"" : c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

std::string name_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ", ") + quoted_name(name);
  }
  return list;
}

std::string column_list(const SinkTable& table) {
  std::vector<std::string> names;
  names.reserve(table.columns.size());
  for (const config::Column& column : table.columns) {
    names.push_back(column.name);
  }
  return name_list(names);
}

std::string upsert_changes(const SinkTable& table) {
  std::string changes;
  for (const config::Column& column : table.columns) {
    if (!table.is_key(column.name)) {
      const std::string name = quoted_name(column.name);
      changes.append(changes.empty() ? "" : ", ").append(name);
      changes.append(" = excluded.").append(name);
    }
  }
  return changes;
}

Status check_columns(const SinkTable& table, FoundColumns found,
                     bool (*fits)(config::ColumnType declared, const std::string& found)) {
  const auto wrong = [&](const std::string& column, const std::string& what) {
    return Error(ErrorCode::kRetry, "table " + table.name + ", column " + column + ": " + what);
  };
  for (const config::Column& column : table.columns) {
    const auto at = found.find(column.name);
    if (at == found.end()) {
      return wrong(column.name, "is declared, but not there");
    }
    if (!fits(column.type, at->second.type)) {
      return wrong(column.name, "is declared as " + std::string(to_string(column.type)) +
                                    ", but is " + at->second.type);
    }
    if (at->second.not_null && !column.not_null && !table.is_key(column.name)) {
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

}  // namespace penstock::sinks
