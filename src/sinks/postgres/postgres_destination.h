// PostgresDestination writes the events of a topic into a table: rows, positions and, if wanted,
// the events' metadata in one transaction.
//
//   BEGIN; positions compared and moved; COPY rows; COPY metadata; COMMIT
//
// Positions are rows of `penstock_offsets`, of one (sink, topic, partition) each, with the epoch of
// who may move them. Opening takes the next epoch, once nobody holds these rows any more: whatever
// an earlier connection or process has sent is decided by then, and its COMMIT either counts or can
// never. `owner` is this process's own random name, by which a connection that was lost is told
// from another process's taking over.
//
// Append copies straight into the table. Upsert copies into a temporary table first, and from there
// the last record of each key goes over the row that has it.
//
// Errors    as Destination. A table that does not fit is kRetry: the operator mends it.
// Threads   one; interrupt() from any.
// Lifetime  the clock outlives it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/counter.h"
#include "os/clock.h"
#include "os/random.h"
#include "sinks/postgres/connection.h"
#include "sinks/postgres/copy_rows.h"
#include "sinks/postgres/tables.h"
#include "sinks/runtime/destination.h"
#include "sinks/table/event_columns.h"
#include "sinks/table/sink_table.h"

namespace penstock::sinks {

class PostgresDestination final : public Destination {
 public:
  struct Options {
    std::string sink;
    std::string topic;
    PostgresConnection::Options connection;
    SinkTable table;
    std::optional<std::string> metadata_table;
  };

  // kInvalid: a column's JSON Pointer cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<PostgresDestination>> make(const os::Clock& clock,
                                                                         os::Random& random,
                                                                         Options options);

  [[nodiscard]] Result<std::vector<Offset>> open(std::int32_t partition_count) override;
  [[nodiscard]] std::vector<Refusal> prepare(std::span<const SinkRecord> records) override;
  [[nodiscard]] Status write(const SinkPiece& piece) override;
  // A failover may have lost what was written last.
  [[nodiscard]] Status check() override;

  void interrupt() override { interrupted_.raise(); }

 private:
  PostgresDestination(const os::Clock& clock, std::string owner,
                      std::unique_ptr<EventColumns> events, Options options);

  [[nodiscard]] Status set_limits();
  [[nodiscard]] Result<std::vector<Offset>> take_over(std::int32_t partition_count);
  [[nodiscard]] Result<std::vector<Offset>> lock_positions(std::int32_t partition_count);
  [[nodiscard]] std::string encode(const SinkRecord& record, std::size_t index);
  void encode_metadata(const SinkRecord& record);
  [[nodiscard]] Status write_all(const SinkPiece& piece);
  [[nodiscard]] Status move_positions(std::span<const SinkMove> moves);
  [[nodiscard]] Status why_not_moved();
  [[nodiscard]] Status copy_rows(const SinkPiece& piece);
  [[nodiscard]] Status copy_metadata(const SinkPiece& piece);
  [[nodiscard]] Status commit();
  // The rows that are to be written, as few runs as they make.
  [[nodiscard]] static std::string chosen(const CopyRows& rows, const SinkPiece& piece);

  const os::Clock& clock_;
  const std::string owner_;
  const Options options_;
  const std::unique_ptr<EventColumns> events_;
  Flag interrupted_;
  std::unique_ptr<PostgresConnection> connection_;
  std::int64_t epoch_ = 0;
  bool had_it_ = false;
  std::vector<Offset> positions_;  // as the last write left them
  CopyRows rows_;
  CopyRows metadata_;
};

}  // namespace penstock::sinks
