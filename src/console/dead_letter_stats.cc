#include "console/dead_letter_stats.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/json_writer.h"
#include "core/rfc3339.h"
#include "record/dead_letter.h"
#include "record/record_batch.h"

namespace penstock::console {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

struct TopicStats {
  std::uint64_t count = 0;
  std::int64_t oldest_ms = 0;
  std::int64_t newest_ms = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> by_reason;  // code, sink
  std::map<std::int64_t, std::uint64_t> by_hour;                           // its beginning
  bool is_complete = true;
};

void add(TopicStats& stats, const DeadLetterView& letter) {
  const std::int64_t time = letter.time.value();
  stats.oldest_ms = stats.count == 0 ? time : std::min(stats.oldest_ms, time);
  stats.newest_ms = stats.count == 0 ? time : std::max(stats.newest_ms, time);
  ++stats.count;
  ++stats.by_reason[{std::string(letter.code), std::string(letter.sink)}];
  ++stats.by_hour[time - ((time % kHourMs) + kHourMs) % kHourMs];
}

Result<TopicStats> count_topic(const log::Log& log, EventReader& reader,
                               const log::TopicInfo& topic, const DeadLetterQuery& query) {
  TopicStats stats;
  std::uint64_t left = query.letters_max;
  for (std::int32_t number = 0; number < topic.config.partition_count && left > 0; ++number) {
    const TopicPartition partition{topic.id, PartitionId(number)};
    PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log.offsets(partition));
    PENSTOCK_TRY_ASSIGN(
        const Offset next,
        reader.scan({partition, offsets.start, offsets.end}, [&](const RecordView& record) {
          const auto letter = read_dead_letter(record);
          if (query.filter.matches(letter)) {
            add(stats, letter);
          }
          return --left > 0;
        }));
    stats.is_complete = stats.is_complete && (left > 0 || next >= offsets.end);
  }
  return stats;
}

void write(JsonWriter& json, std::string_view topic, const TopicStats& stats) {
  json.begin_object().key("topic").value(topic).key("count").value(stats.count);
  json.key("oldest").value(format_rfc3339(stats.oldest_ms));
  json.key("newest").value(format_rfc3339(stats.newest_ms));
  json.key("reasons").begin_array();
  for (const auto& [reason, count] : stats.by_reason) {
    json.begin_object().key("code").value(reason.first);
    if (!reason.second.empty()) {
      json.key("sink").value(reason.second);
    }
    json.key("count").value(count).end_object();
  }
  json.end_array().key("hours").begin_array();
  for (const auto& [hour, count] : stats.by_hour) {
    json.begin_object().key("hour").value(format_rfc3339(hour));
    json.key("count").value(count).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

Result<DeadLetterFilter> dead_letter_filter(const Parameters& parameters,
                                            std::uint32_t replays_max) {
  using Quarantine = DeadLetterFilter::Quarantine;
  DeadLetterFilter filter;
  filter.code = parameters.text("code").value_or("");
  filter.sink = parameters.text("sink").value_or("");
  PENSTOCK_TRY_ASSIGN(filter.since, parameters.time("since"));
  PENSTOCK_TRY_ASSIGN(filter.until, parameters.time("until"));
  if (const auto quarantined = parameters.text("quarantined")) {
    if (*quarantined != "true" && *quarantined != "false") {
      return Error(ErrorCode::kInvalid, "parameter `quarantined` must be true or false");
    }
    filter.quarantine = *quarantined == "true" ? Quarantine::kInside : Quarantine::kOutside;
  }
  filter.replays_max = replays_max;
  return filter;
}

Result<DeadLetterQuery> parse_dead_letter_query(std::string_view query, std::uint32_t replays_max) {
  PENSTOCK_TRY_ASSIGN(
      const Parameters parameters,
      Parameters::parse(query, {"topic", "code", "sink", "since", "until", "quarantined"}));
  DeadLetterQuery parsed;
  parsed.topic = parameters.text("topic").value_or("");
  PENSTOCK_TRY_ASSIGN(parsed.filter, dead_letter_filter(parameters, replays_max));
  return parsed;
}

Result<std::string> dead_letter_stats(const log::Log& log, EventReader& reader,
                                      const DeadLetterQuery& query) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("topics").begin_array();
  bool is_complete = true;
  bool found = false;
  for (const log::TopicInfo& topic : log.topics()) {
    const bool wanted = query.topic.empty() ? is_dead_letter_topic(topic.config.name)
                                            : topic.config.name == dead_letter_topic(query.topic);
    if (!wanted) {
      continue;
    }
    found = true;
    PENSTOCK_TRY_ASSIGN(const TopicStats stats, count_topic(log, reader, topic, query));
    is_complete = is_complete && stats.is_complete;
    if (stats.count > 0) {
      std::string_view name = topic.config.name;
      name.remove_suffix(dead_letter_topic("").size());
      write(json, name, stats);
    }
  }
  if (!found && !query.topic.empty()) {
    return Error(ErrorCode::kNotFound,
                 "there is no topic \"" + query.topic + "\" with dead letters");
  }
  json.end_array().key("complete").value(is_complete).end_object();
  return body;
}

}  // namespace penstock::console
