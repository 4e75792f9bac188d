// SqliteDestination writes the events of a topic into a table of a SQLite file: rows, positions
// and, if wanted, the events' metadata in one transaction. It is PostgresDestination's small
// sibling, for one machine and no server.
//
//   BEGIN IMMEDIATE; positions compared and moved; INSERT, INSERT, ...; COMMIT
//
// Positions are rows of `penstock_offsets`, with the epoch of who may move them and its random
// name. IMMEDIATE takes the file's one write lock, so whatever an earlier process has begun is
// decided before; a process that is stopped while it has the lock makes its successor wait until it
// is gone.
//
// After an error the file is closed: no lock is held while the sink waits.
//
// Errors    as Destination. A table that does not fit is kRetry: the operator mends it.
// Threads   one; interrupt() from any.
// Lifetime  clock and files outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/counter.h"
#include "os/clock.h"
#include "os/file_system.h"
#include "os/random.h"
#include "sinks/runtime/destination.h"
#include "sinks/sqlite/connection.h"
#include "sinks/table/column_value.h"
#include "sinks/table/event_columns.h"
#include "sinks/table/sink_table.h"

namespace penstock::sinks {

class SqliteDestination final : public Destination {
 public:
  struct Options {
    std::string sink;
    std::string topic;
    SqliteConnection::Options connection;
    SinkTable table;
    std::optional<std::string> metadata_table;
  };

  struct Surroundings {
    const os::Clock& clock;
    os::FileSystem& files;
    os::Random& random;
  };

  // kInvalid: a column's JSON Pointer cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<SqliteDestination>> make(
      const Surroundings& surroundings, Options options);
  ~SqliteDestination() override;

  [[nodiscard]] Result<std::vector<Offset>> open(std::int32_t partition_count) override;
  [[nodiscard]] std::vector<Refusal> prepare(std::span<const SinkRecord> records) override;
  [[nodiscard]] Status write(const SinkPiece& piece) override;
  [[nodiscard]] Status check() override;

  void interrupt() override { interrupted_.raise(); }

 private:
  struct Session;

  SqliteDestination(const Surroundings& surroundings, std::unique_ptr<EventColumns> events,
                    Options options);

  [[nodiscard]] Status begin_session();
  [[nodiscard]] Result<std::vector<Offset>> take_over(std::int32_t partition_count);
  [[nodiscard]] Result<std::vector<Offset>> read_positions(std::int32_t partition_count);
  [[nodiscard]] std::string refusal(const SinkRecord& record, std::size_t index);
  [[nodiscard]] Status is_in_place() const;
  [[nodiscard]] Status write_all(const SinkPiece& piece);
  [[nodiscard]] Status move_positions(std::span<const SinkMove> moves);
  [[nodiscard]] Status why_not_moved();
  [[nodiscard]] Status insert_row(std::size_t index);
  [[nodiscard]] Status insert_metadata(const SinkRecord& record);

  const os::Clock& clock_;
  os::FileSystem& files_;
  const std::string owner_;
  const Options options_;
  const std::unique_ptr<EventColumns> events_;
  Flag interrupted_;
  std::unique_ptr<Session> session_;  // null: closed
  std::int64_t epoch_ = 0;
  bool had_it_ = false;
  std::vector<Offset> positions_;     // as the last write left them
  std::vector<std::string> scratch_;  // one for each column
};

}  // namespace penstock::sinks
