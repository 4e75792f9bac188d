#include "sinks/redis/redis_updates.h"

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "core/check.h"
#include "schema/json_pointer.h"
#include "sinks/redis/connection.h"

namespace penstock::sinks {
namespace {

using config::TemplatePart;

// Far in the future: what the probe writes must not expire under its hands.
constexpr Timestamp kProbeTime(4'102'444'800'000);

constexpr std::int64_t kTimeMsMax = 253'402'300'799'999;  // the end of 9999

bool is_there(const JsonValue& value) {
  return value.type != JsonType::kMissing && value.type != JsonType::kNull;
}

std::string is_not(const std::string& pointer, const JsonValue& value, std::string_view what) {
  constexpr std::size_t kShown = 60;
  std::string why = pointer + " is " + std::string(to_string(value.type));
  if (is_there(value)) {
    why += " " + std::string(value.json().substr(0, kShown));
  }
  return why + ", not " + std::string(what);
}

}  // namespace

Result<std::unique_ptr<RedisUpdates>> RedisUpdates::make(const Options& options) {
  std::vector<std::string> pointers;
  const auto place_of = [&pointers](const std::string& pointer) {
    pointers.push_back(pointer);
    return pointers.size() - 1;
  };
  const auto placed = [&place_of](const config::KeyTemplate& parts) {
    std::vector<Part> to;
    for (const TemplatePart& part : parts) {
      to.push_back({part, part.kind == TemplatePart::Kind::kValue ? place_of(part.text) : 0});
    }
    return to;
  };
  Plan plan;
  plan.key = placed(options.key);
  plan.field = placed(options.field.value_or(config::KeyTemplate()));
  plan.member = placed(options.member);
  for (const config::HashField& field : options.fields) {
    plan.fields.push_back(place_of(field.pointer));
  }
  plan.increment = options.increment.has_value() ? place_of(*options.increment) : 0;
  plan.score = options.mode == Mode::kSortedSet ? place_of(options.score) : 0;
  std::vector<JsonPointer> parsed;
  for (const std::string& text : pointers) {
    PENSTOCK_TRY_ASSIGN(JsonPointer pointer, JsonPointer::parse(text));
    parsed.push_back(std::move(pointer));
  }
  return std::unique_ptr<RedisUpdates>(
      new RedisUpdates(options, std::move(plan), ExtractPlan::compile(parsed)));
}

RedisUpdates::RedisUpdates(const Options& options, Plan plan, ExtractPlan extract_plan)
    : options_(options),
      plan_(std::move(plan)),
      extract_plan_(std::move(extract_plan)),
      extractor_(extract_plan_) {}

std::vector<Refusal> RedisUpdates::prepare(std::span<const SinkRecord> records) {
  bytes_.clear();
  rows_.clear();
  extractor_.clear();
  for (const SinkRecord& record : records) {
    extractor_.add(record.record.value.value_or(ByteView()));
  }
  extractor_.run();
  std::vector<Refusal> refusals;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (std::string why = encode(records[i], extractor_.values(i), extractor_.ok(i));
        !why.empty()) {
      refusals.push_back({i, std::move(why)});
    }
    end_row();
  }
  return refusals;
}

RedisUpdates::Encoded RedisUpdates::operator[](std::size_t index) const {
  const Row& row = rows_[index];
  const std::string_view bytes = bytes_;
  return {bytes.substr(row.begin, row.key_end - row.begin),
          bytes.substr(row.key_end, row.end - row.key_end), row.word_count};
}

RedisUpdates::Encoded RedisUpdates::probe(std::string_view key, Offset offset) {
  bytes_.clear();
  rows_.clear();
  constexpr std::string_view kOne = "1";
  SinkRecord record;
  record.record.offset = offset;
  record.record.timestamp = kProbeTime;
  record.record.key = as_bytes(kOne);
  record.record.value = as_bytes(kOne);
  const std::vector<JsonValue> values(extract_plan_.size(),
                                      JsonValue{.raw = kOne, .type = JsonType::kNumber});
  begin_row(key, offset);
  PENSTOCK_CHECK(add_commands(record, values).empty());
  begin_command("DEL", 0);
  end_row();
  return (*this)[0];
}

// Empty, or why the record is no update.
std::string RedisUpdates::encode(const SinkRecord& record, std::span<const JsonValue> values,
                                 bool is_json) {
  rows_.push_back({bytes_.size(), bytes_.size(), bytes_.size(), 0});
  const bool is_tombstone = !record.record.value.has_value();
  if (is_tombstone && options_.mode != Mode::kLatest) {
    return "the record has no value";
  }
  if (!is_tombstone && !is_json) {
    return "the event is not JSON";
  }
  if (std::string why = fill(plan_.key, record, values, key_); !why.empty()) {
    return why;
  }
  rows_.pop_back();
  begin_row(key_, record.record.offset);
  return add_commands(record, values);
}

std::string RedisUpdates::add_commands(const SinkRecord& record,
                                       std::span<const JsonValue> values) {
  std::string why;
  switch (options_.mode) {
    case Mode::kLatest:
      add_latest(record, values);
      break;
    case Mode::kCounter:
      why = add_counter(record, values);
      break;
    case Mode::kSortedSet:
      why = add_score(record, values);
      break;
    case Mode::kSession:
      add_session(record, values);
      break;
  }
  return why;
}

void RedisUpdates::add_latest(const SinkRecord& record, std::span<const JsonValue> values) {
  if (!record.record.value.has_value()) {
    begin_command("DEL", 0);
    return;
  }
  if (!options_.fields.empty()) {
    const auto is_gone = [&](std::size_t place) { return !is_there(values[place]); };
    const auto gone = std::count_if(plan_.fields.begin(), plan_.fields.end(), is_gone);
    if (gone > 0) {
      begin_command("HDEL", static_cast<std::size_t>(gone));
      for (std::size_t i = 0; i < plan_.fields.size(); ++i) {
        if (is_gone(plan_.fields[i])) {
          add_word(options_.fields[i].name);
        }
      }
    }
    add_fields(values);
    add_expiry(record);
    return;
  }
  begin_command("SET", options_.ttl.has_value() ? 3 : 1);
  add_word(as_text(*record.record.value));
  if (options_.ttl.has_value()) {
    add_word("PXAT");
    add_word(expiry(record));
  }
}

// The fields that are there.
void RedisUpdates::add_fields(std::span<const JsonValue> values) {
  const auto count = std::count_if(plan_.fields.begin(), plan_.fields.end(),
                                   [&](std::size_t place) { return is_there(values[place]); });
  if (count == 0) {
    return;
  }
  begin_command("HSET", 2 * static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < plan_.fields.size(); ++i) {
    const JsonValue& value = values[plan_.fields[i]];
    if (is_there(value)) {
      add_word(options_.fields[i].name);
      add_word(value.type == JsonType::kString ? string_text(value, scratch_) : value.json());
    }
  }
}

std::string RedisUpdates::add_counter(const SinkRecord& record, std::span<const JsonValue> values) {
  std::int64_t increment = 1;
  if (options_.increment.has_value()) {
    const auto number = values[plan_.increment].as_int64();
    if (!number.has_value()) {
      return is_not(*options_.increment, values[plan_.increment], "a whole number of 64 bits");
    }
    increment = *number;
  }
  if (options_.field.has_value()) {
    if (std::string why = fill(plan_.field, record, values, text_); !why.empty()) {
      return why;
    }
    begin_command("HINCRBY", 2);
    add_word(text_);
  } else {
    begin_command("INCRBY", 1);
  }
  add_word(increment);
  add_expiry(record);
  return {};
}

std::string RedisUpdates::add_score(const SinkRecord& record, std::span<const JsonValue> values) {
  const JsonValue& score = values[plan_.score];
  if (!score.as_double().has_value()) {
    return is_not(options_.score, score, "a number that a score can hold");
  }
  if (std::string why = fill(plan_.member, record, values, text_); !why.empty()) {
    return why;
  }
  switch (options_.score_update) {
    case ScoreUpdate::kAdd:
      begin_command("ZINCRBY", 2);
      break;
    case ScoreUpdate::kSet:
      begin_command("ZADD", 2);
      break;
    case ScoreUpdate::kMax:
      begin_command("ZADD", 3);
      add_word("GT");
      break;
    case ScoreUpdate::kMin:
      begin_command("ZADD", 3);
      add_word("LT");
      break;
  }
  add_word(score.raw);
  add_word(text_);
  add_expiry(record);
  return {};
}

void RedisUpdates::add_session(const SinkRecord& record, std::span<const JsonValue> values) {
  begin_command("HINCRBY", 2);
  add_word("events");
  add_word(1);
  begin_command("HSETNX", 2);
  add_word("first_at");
  add_word(record.record.timestamp.value());
  begin_command("HSET", 2);
  add_word("last_at");
  add_word(record.record.timestamp.value());
  add_fields(values);
  add_expiry(record);
}

// Never sooner than it was: an event that comes late does not shorten anything.
void RedisUpdates::add_expiry(const SinkRecord& record) {
  if (!options_.ttl.has_value()) {
    return;
  }
  for (const std::string_view condition : {"NX", "GT"}) {
    begin_command("PEXPIREAT", 2);
    add_word(expiry(record));
    add_word(condition);
  }
}

std::int64_t RedisUpdates::expiry(const SinkRecord& record) const {
  return std::clamp<std::int64_t>(record.record.timestamp.value(), 1, kTimeMsMax) +
         options_.ttl->count();
}

std::string RedisUpdates::fill(const std::vector<Part>& parts, const SinkRecord& record,
                               std::span<const JsonValue> values, std::string& to) {
  to.clear();
  for (const auto& [part, place] : parts) {
    switch (part.kind) {
      case TemplatePart::Kind::kText:
        to += part.text;
        break;
      case TemplatePart::Kind::kPartition:
        to += to_string(record.partition);
        break;
      case TemplatePart::Kind::kKey:
        if (!record.record.key.has_value()) {
          return "the record has no key";
        }
        to += as_text(*record.record.key);
        break;
      case TemplatePart::Kind::kValue:
        const auto text = key_text(values[place], scratch_);
        if (!text.has_value()) {
          return is_not(part.text, values[place], "a string, a number, true or false");
        }
        to += *text;
        break;
    }
  }
  return {};
}

// --- words --------------------------------------------------------------------------------------

void RedisUpdates::begin_row(std::string_view key, Offset offset) {
  Row row;
  row.begin = bytes_.size();
  append_word(bytes_, key);
  row.key_end = bytes_.size();
  rows_.push_back(row);
  add_word(offset.value());
}

void RedisUpdates::begin_command(std::string_view name, std::size_t argument_count) {
  add_word(static_cast<std::int64_t>(argument_count + 1));
  add_word(name);
}

void RedisUpdates::add_word(std::string_view word) {
  append_word(bytes_, word);
  ++rows_.back().word_count;
}

void RedisUpdates::add_word(std::int64_t number) {
  add_word(std::to_string(number));
}

void RedisUpdates::end_row() {
  add_word("0");
  rows_.back().end = bytes_.size();
}

}  // namespace penstock::sinks
