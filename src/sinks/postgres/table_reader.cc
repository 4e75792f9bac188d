#include "sinks/postgres/table_reader.h"

#include <algorithm>
#include <charconv>

#include "core/json_writer.h"
#include "log/partitions.h"

namespace penstock::sinks {
namespace {

std::int64_t number(const std::optional<std::string>& text) {
  std::int64_t value = 0;
  if (text.has_value()) {
    std::from_chars(text->data(), text->data() + text->size(), value);
  }
  return value;
}

}  // namespace

bool TableReader::has_column(std::string_view name) const {
  return std::any_of(options_.table.columns.begin(), options_.table.columns.end(),
                     [&](const config::Column& column) { return column.name == name; });
}

Result<std::string> TableReader::read(const Query& query) {
  const ReadFrom from = query.read_from.value_or(options_.read_from);
  PENSTOCK_TRY_ASSIGN(const Answer answer, ask(from, query));
  return json(from, answer);
}

// A connection that has been idle may be gone: a new one is tried once.
Result<TableReader::Answer> TableReader::ask(ReadFrom from, const Query& query) {
  auto& connection = connections_[static_cast<std::size_t>(from)];
  for (bool is_new = false;; is_new = true) {
    if (connection == nullptr) {
      is_new = true;
      PENSTOCK_TRY_ASSIGN(
          connection, PostgresConnection::connect(
                          from == ReadFrom::kReplica ? *options_.replica : options_.primary, clock_,
                          interrupted_));
    }
    auto answer = ask_over(*connection, query);
    if (!answer) {
      connection.reset();
    }
    if (answer || is_new || answer.error().code() == ErrorCode::kInvalid) {
      return answer;
    }
  }
}

Result<TableReader::Answer> TableReader::ask_over(PostgresConnection& connection,
                                                  const Query& query) const {
  Answer answer;
  PENSTOCK_TRY(connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  const std::vector<std::string> mine = {options_.sink, options_.topic};
  PENSTOCK_TRY_ASSIGN(
      answer.offsets,
      connection.execute(std::string("SELECT partition, next_offset FROM ") + kOffsetsTable +
                             " WHERE sink = $1 AND topic = $2 ORDER BY partition",
                         mine));
  std::vector<std::string> values;
  values.reserve(query.equal.size());
  for (const auto& [column, value] : query.equal) {
    values.push_back(value);
  }
  PENSTOCK_TRY_ASSIGN(answer.rows, connection.execute(select(query), values));
  PENSTOCK_TRY_ASSIGN(
      const auto lag,
      connection.execute("SELECT CASE WHEN pg_is_in_recovery() THEN round(extract(epoch FROM "
                         "clock_timestamp() - pg_last_xact_replay_timestamp()), 3) END"));
  answer.replay_lag = lag.rows.at(0).at(0);
  PENSTOCK_TRY(connection.execute("COMMIT"));
  return answer;
}

std::string TableReader::select(const Query& query) const {
  std::string where;
  for (std::size_t i = 0; i < query.equal.size(); ++i) {
    where += (i == 0 ? " WHERE " : " AND ") + quoted_name(query.equal[i].first) + " = $" +
             std::to_string(i + 1);
  }
  const bool has_key = options_.table.mode == WriteMode::kUpsert;
  return "SELECT row_to_json(found)::text FROM (SELECT " + column_list(options_.table) + " FROM " +
         quoted_name(options_.table.name) + where +
         (has_key ? " ORDER BY " + name_list(options_.table.key) : "") + " LIMIT " +
         std::to_string(query.limit) + ") AS found";
}

Result<std::string> TableReader::json(ReadFrom from, const Answer& answer) const {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("sink").value(options_.sink).key("table").value(options_.table.name);
  json.key("read_from").value(from == ReadFrom::kReplica ? "replica" : "primary");
  json.key("rows").begin_array();
  for (const auto& row : answer.rows.rows) {
    json.raw(row.at(0).value_or("null"));
  }
  json.end_array().key("complete_to").begin_object().key(options_.topic).begin_object();
  std::int64_t delivered = 0;
  for (const auto& row : answer.offsets.rows) {
    delivered += number(row.at(1));
    json.key(row.at(0).value_or("")).value(number(row.at(1)));
  }
  PENSTOCK_TRY_ASSIGN(const std::int64_t end, log_end());
  json.end_object().end_object();
  json.key("behind_records").value(std::max<std::int64_t>(0, end - delivered));
  json.key("replay_lag_seconds").raw(answer.replay_lag.value_or("null")).end_object();
  return body;
}

Result<std::int64_t> TableReader::log_end() const {
  PENSTOCK_TRY_ASSIGN(const log::TopicInfo topic, log_.topic(options_.topic));
  PENSTOCK_TRY_ASSIGN(const auto bounds,
                      log_.bounds(log::partitions_of(topic.id, topic.config.partition_count)));
  std::int64_t end = 0;
  for (const log::PartitionBounds& at : bounds) {
    end += at.end.value();
  }
  return end;
}

}  // namespace penstock::sinks
