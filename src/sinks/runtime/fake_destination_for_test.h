// A destination in memory, for tests: a database that outlives its connections, with faults on
// demand. It keeps the contract of Destination, unless told to break it for a negative control.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "sinks/runtime/destination.h"

namespace penstock::sinks {

class FakeDatabase {
 public:
  enum class Fault {
    kNone,
    kBefore,  // fails, and nothing happened
    kAfter,   // happens, and the answer is lost
    kLate,    // the answer is lost, and it happens when deliver_late() is called
  };

  // What is broken on purpose, so that a test can be seen to find it.
  enum class Broken { kNothing, kAtomicity, kFencing };

  // What is one transaction: as in PostgreSQL, or as in Redis.
  enum class Atomic { kWrite, kPartition };

  Fault next_open = Fault::kNone;
  Fault next_write = Fault::kNone;
  bool is_away = false;
  Broken broken = Broken::kNothing;
  Atomic atomic = Atomic::kWrite;
  // By value of the record.
  std::function<bool(const std::string&)> refuses = [](const std::string&) { return false; };
  std::function<bool(const std::string&)> does_not_fit = [](const std::string&) { return false; };

  std::map<std::string, int> rows;  // how often each value is there
  std::vector<Offset> positions;
  std::uint64_t writes = 0;
  std::uint64_t checks = 0;

  void deliver_late() {
    for (const auto& apply : std::exchange(late_, {})) {
      apply();
    }
  }

 private:
  friend class FakeDestination;

  std::uint64_t owner_ = 0;
  std::uint64_t epoch_ = 0;
  std::vector<std::function<void()>> late_;
};

class FakeDestination final : public Destination {
 public:
  // `owner` is of this object alone.
  FakeDestination(FakeDatabase& database, std::uint64_t owner)
      : database_(database), owner_(owner) {}

  Result<std::vector<Offset>> open(std::int32_t partition_count) override {
    const auto fault = std::exchange(database_.next_open, FakeDatabase::Fault::kNone);
    if (fault == FakeDatabase::Fault::kBefore || database_.is_away) {
      return Error(ErrorCode::kRetry, "no connection");
    }
    if (had_it_ && database_.owner_ != owner_) {
      return fenced();
    }
    database_.positions.resize(static_cast<std::size_t>(partition_count));
    database_.owner_ = owner_;
    epoch_ = ++database_.epoch_;
    if (fault != FakeDatabase::Fault::kNone) {
      return Error(ErrorCode::kRetry, "the connection broke");
    }
    had_it_ = true;
    at_ = database_.positions;
    return at_;
  }

  std::vector<Refusal> prepare(std::span<const SinkRecord> records) override {
    values_.clear();
    std::vector<Refusal> refusals;
    for (std::size_t i = 0; i < records.size(); ++i) {
      values_.emplace_back(as_text(*records[i].record.value));
      if (database_.does_not_fit(values_.back())) {
        refusals.push_back({i, "does not fit"});
      }
    }
    return refusals;
  }

  Status write(const SinkPiece& piece) override {
    const auto fault = std::exchange(database_.next_write, FakeDatabase::Fault::kNone);
    ++database_.writes;
    if (fault == FakeDatabase::Fault::kBefore || database_.is_away) {
      return Error(ErrorCode::kRetry, "the connection broke");
    }
    Write write{{}, {}, epoch_};
    for (std::size_t i = piece.begin; i < piece.end; ++i) {
      const SinkRecord& record = piece.records[i];
      if (piece.fates[i] == Fate::kWrite && record.record.offset >= at(record.partition)) {
        write.rows.push_back({record.partition, record.record.offset, values_[i]});
      }
    }
    for (const SinkMove& move : piece.moves) {
      if (at(move.partition) < move.to) {
        write.moves.push_back({move.partition, at(move.partition), move.to});
      }
    }
    if (fault == FakeDatabase::Fault::kLate) {
      database_.late_.push_back(
          [&database = database_, write] { static_cast<void>(applied(database, write)); });
      return Error(ErrorCode::kRetry, "the connection broke");
    }
    Status result = applied(database_, write);
    if (fault == FakeDatabase::Fault::kAfter) {
      return Error(ErrorCode::kRetry, "the connection broke");
    }
    at_ = database_.positions;
    return result;
  }

  Status check() override {
    ++database_.checks;
    if (database_.epoch_ != epoch_) {
      return fenced();
    }
    return database_.is_away || at_ != database_.positions
               ? Status(Error(ErrorCode::kRetry, "the positions have changed"))
               : Status();
  }

  void interrupt() override {}

 private:
  struct Row {
    PartitionId partition;
    Offset offset;
    std::string value;
  };

  struct Write {
    std::vector<Row> rows;
    std::vector<SinkMove> moves;
    std::uint64_t epoch;
  };

  static Error fenced() { return {ErrorCode::kFenced, "another owner"}; }

  static Error refused(const std::string& value) {
    return {ErrorCode::kInvalid, "constraint violated by " + value};
  }

  static Offset& position(std::vector<Offset>& positions, PartitionId partition) {
    return positions[static_cast<std::size_t>(partition.value())];
  }

  Offset at(PartitionId partition) { return position(at_, partition); }

  static Status applied(FakeDatabase& database, const Write& write) {
    if (database.broken != FakeDatabase::Broken::kFencing) {
      if (database.epoch_ != write.epoch) {
        return fenced();
      }
      for (const SinkMove& move : write.moves) {
        if (position(database.positions, move.partition) != move.from) {
          return Error(ErrorCode::kRetry, "the position has changed");
        }
      }
    }
    if (database.atomic == FakeDatabase::Atomic::kPartition) {
      return applied_by_partition(database, write);
    }
    for (const Row& row : write.rows) {
      if (database.refuses(row.value)) {
        return refused(row.value);
      }
    }
    for (const Row& row : write.rows) {
      ++database.rows[row.value];
    }
    if (database.broken == FakeDatabase::Broken::kAtomicity) {
      return Error(ErrorCode::kRetry, "the connection broke between rows and positions");
    }
    for (const SinkMove& move : write.moves) {
      position(database.positions, move.partition) = move.to;
    }
    return {};
  }

  // Each partition up to its first record that is refused.
  static Status applied_by_partition(FakeDatabase& database, const Write& write) {
    Status status;
    for (const SinkMove& move : write.moves) {
      Offset& position_now = position(database.positions, move.partition);
      position_now = move.to;
      for (const Row& row : write.rows) {
        if (row.partition != move.partition || row.offset >= position_now) {
          continue;
        }
        if (database.refuses(row.value)) {
          position_now = row.offset;
          status = refused(row.value);
        } else {
          ++database.rows[row.value];
        }
      }
    }
    return status;
  }

  FakeDatabase& database_;
  const std::uint64_t owner_;
  std::uint64_t epoch_ = 0;
  bool had_it_ = false;
  std::vector<Offset> at_;
  std::vector<std::string> values_;
};

}  // namespace penstock::sinks
