// TableReader answers questions about the table of a PostgreSQL sink, from the primary or from a
// read replica, and says how old the answer is.
//
//   {"sink":"db","table":"events","read_from":"replica","rows":[{"n":1,...}],
//    "complete_to":{"app":{"0":17,"1":5}},"behind_records":3,"replay_lag_seconds":0.8}
//
// Rows and the sink's offsets are of one snapshot: the rows are those of exactly the events before
// `complete_to`, and `behind_records` is what the log has beyond them. `replay_lag_seconds` is the
// age of the newest transaction that the replica has replayed; null on a primary.
//
// Threads   one; the flag may be raised from any.
// Lifetime  log, clock and flag outlive it.
// Errors    kInvalid  the server cannot read a value as its column's type
//           kRetry    the server cannot be reached, or there is no table yet
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/counter.h"
#include "core/result.h"
#include "log/log.h"
#include "os/clock.h"
#include "sinks/postgres/connection.h"
#include "sinks/table/sink_table.h"

namespace penstock::sinks {

enum class ReadFrom { kPrimary, kReplica };

class TableReader {
 public:
  struct Options {
    std::string sink;
    std::string topic;
    SinkTable table;
    PostgresConnection::Options primary;
    std::optional<PostgresConnection::Options> replica;
    ReadFrom read_from = ReadFrom::kPrimary;  // where a query does not say it
  };

  struct Query {
    std::vector<std::pair<std::string, std::string>> equal;  // column and value
    std::uint32_t limit = 100;
    std::optional<ReadFrom> read_from;
  };

  TableReader(const log::Log& log, const os::Clock& clock, const Flag& interrupted, Options options)
      : log_(log), clock_(clock), interrupted_(interrupted), options_(std::move(options)) {}

  [[nodiscard]] const std::string& sink() const { return options_.sink; }

  [[nodiscard]] bool has_column(std::string_view name) const;

  [[nodiscard]] bool has_replica() const { return options_.replica.has_value(); }

  // As JSON.
  [[nodiscard]] Result<std::string> read(const Query& query);

 private:
  struct Answer {
    PostgresConnection::Rows offsets;
    PostgresConnection::Rows rows;
    std::optional<std::string> replay_lag;
  };

  [[nodiscard]] Result<Answer> ask(ReadFrom from, const Query& query);
  [[nodiscard]] Result<Answer> ask_over(PostgresConnection& connection, const Query& query) const;
  [[nodiscard]] std::string select(const Query& query) const;
  [[nodiscard]] Result<std::string> json(ReadFrom from, const Answer& answer) const;
  [[nodiscard]] Result<std::int64_t> log_end() const;

  const log::Log& log_;
  const os::Clock& clock_;
  const Flag& interrupted_;
  const Options options_;
  std::array<std::unique_ptr<PostgresConnection>, 2> connections_;  // by ReadFrom
};

}  // namespace penstock::sinks
