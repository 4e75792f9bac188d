// RedisUpdates is what a batch of events does to Redis: for each record its key and its commands,
// in the form that the write script takes (scripts.h), encoded once and sent in any pieces.
//
// Of a record's commands only the first can be refused: it finds out whether the key is of the
// right type, and the others cannot fail after it. So a record is done or not, although Redis has
// no rollback.
//
// Expiry counts from the record's time, not from when it is delivered: delivered again, it gives
// the same.
//
// Threads   one.
// Errors    kInvalid  a JSON Pointer cannot be read
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/key_template.h"
#include "core/result.h"
#include "schema/extract_plan.h"
#include "schema/json_extractor.h"
#include "sinks/runtime/destination.h"

namespace penstock::sinks {

class RedisUpdates {
 public:
  enum class Mode { kLatest, kCounter, kSortedSet, kSession };
  enum class ScoreUpdate { kSet, kAdd, kMax, kMin };

  struct Options {
    Mode mode = Mode::kLatest;
    config::KeyTemplate key;
    std::vector<config::HashField> fields;     // of kLatest (none: the event as a string), kSession
    std::optional<config::KeyTemplate> field;  // of kCounter: it is a field of a hash
    std::optional<std::string> increment;      // of kCounter; absent: 1
    config::KeyTemplate member;                // of kSortedSet
    std::string score;
    ScoreUpdate score_update = ScoreUpdate::kSet;
    std::optional<std::chrono::milliseconds> ttl;
  };

  // A record as it goes into a call of the script: words as RESP writes them.
  struct Encoded {
    std::string_view key;
    std::string_view words;
    std::size_t word_count = 0;
  };

  [[nodiscard]] static Result<std::unique_ptr<RedisUpdates>> make(const Options& options);

  [[nodiscard]] std::vector<Refusal> prepare(std::span<const SinkRecord> records);

  // Of record `index` of those given to prepare(), if it was not refused.
  [[nodiscard]] Encoded operator[](std::size_t index) const;

  // A record that tries all commands on `key` and leaves nothing behind. Valid until the next
  // prepare() or probe().
  [[nodiscard]] Encoded probe(std::string_view key, Offset offset);

 private:
  struct Part {
    config::TemplatePart part;
    std::size_t value = 0;  // its place in the plan, of a pointer
  };

  struct Row {
    std::size_t begin = 0;
    std::size_t key_end = 0;
    std::size_t end = 0;
    std::size_t word_count = 0;
  };

  // Where the values are in the plan.
  struct Plan {
    std::vector<Part> key;
    std::vector<Part> field;
    std::vector<Part> member;
    std::vector<std::size_t> fields;
    std::size_t increment = 0;
    std::size_t score = 0;
  };

  RedisUpdates(const Options& options, Plan plan, ExtractPlan extract_plan);

  [[nodiscard]] std::string encode(const SinkRecord& record, std::span<const JsonValue> values,
                                   bool is_json);
  [[nodiscard]] std::string add_commands(const SinkRecord& record,
                                         std::span<const JsonValue> values);
  void add_latest(const SinkRecord& record, std::span<const JsonValue> values);
  [[nodiscard]] std::string add_counter(const SinkRecord& record,
                                        std::span<const JsonValue> values);
  [[nodiscard]] std::string add_score(const SinkRecord& record, std::span<const JsonValue> values);
  void add_session(const SinkRecord& record, std::span<const JsonValue> values);
  void add_fields(std::span<const JsonValue> values);
  void add_expiry(const SinkRecord& record);
  [[nodiscard]] std::int64_t expiry(const SinkRecord& record) const;
  // Empty: `to` is the text; otherwise why there is none.
  [[nodiscard]] std::string fill(const std::vector<Part>& parts, const SinkRecord& record,
                                 std::span<const JsonValue> values, std::string& to);

  void begin_row(std::string_view key, Offset offset);
  void begin_command(std::string_view name, std::size_t argument_count);
  void add_word(std::string_view word);
  void add_word(std::int64_t number);
  void end_row();

  const Options options_;
  const Plan plan_;
  const ExtractPlan extract_plan_;
  JsonExtractor extractor_;
  std::string bytes_;
  std::vector<Row> rows_;
  std::string key_;
  std::string text_;
  std::string scratch_;
};

}  // namespace penstock::sinks
