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

  Fault next_open = Fault::kNone;
  Fault next_write = Fault::kNone;
  bool is_away = false;
  Broken broken = Broken::kNothing;
  // By value of the record.
  std::function<bool(const std::string&)> refuses = [](const std::string&) { return false; };
  std::function<bool(const std::string&)> does_not_fit = [](const std::string&) { return false; };

  std::map<std::string, int> rows;  // how often each value is there
  std::vector<Offset> positions;
  std::uint64_t writes = 0;

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
    return database_.positions;
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
    std::vector<std::string> values;
    for (std::size_t i = piece.begin; i < piece.end; ++i) {
      if (piece.fates[i] == Fate::kWrite) {
        values.push_back(values_[i]);
      }
    }
    const std::vector<SinkMove> moves(piece.moves.begin(), piece.moves.end());
    const auto apply = [&database = database_, values, moves, epoch = epoch_] {
      return applied(database, values, moves, epoch);
    };
    if (fault == FakeDatabase::Fault::kLate) {
      database_.late_.push_back([apply] { static_cast<void>(apply()); });
      return Error(ErrorCode::kRetry, "the connection broke");
    }
    Status result = apply();
    if (fault == FakeDatabase::Fault::kAfter) {
      return Error(ErrorCode::kRetry, "the connection broke");
    }
    return result;
  }

  void interrupt() override {}

 private:
  static Error fenced() { return {ErrorCode::kFenced, "another owner"}; }

  static Status applied(FakeDatabase& database, const std::vector<std::string>& values,
                        const std::vector<SinkMove>& moves, std::uint64_t epoch) {
    if (database.broken != FakeDatabase::Broken::kFencing) {
      if (database.epoch_ != epoch) {
        return fenced();
      }
      for (const SinkMove& move : moves) {
        if (database.positions[static_cast<std::size_t>(move.partition.value())] != move.from) {
          return Error(ErrorCode::kRetry, "the position has changed");
        }
      }
    }
    for (const std::string& value : values) {
      if (database.refuses(value)) {
        return Error(ErrorCode::kInvalid, "constraint violated by " + value);
      }
    }
    for (const std::string& value : values) {
      ++database.rows[value];
    }
    if (database.broken == FakeDatabase::Broken::kAtomicity) {
      return Error(ErrorCode::kRetry, "the connection broke between rows and positions");
    }
    for (const SinkMove& move : moves) {
      database.positions[static_cast<std::size_t>(move.partition.value())] = move.to;
    }
    return {};
  }

  FakeDatabase& database_;
  const std::uint64_t owner_;
  std::uint64_t epoch_ = 0;
  bool had_it_ = false;
  std::vector<std::string> values_;
};

}  // namespace penstock::sinks
