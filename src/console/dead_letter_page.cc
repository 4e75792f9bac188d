#include "console/dead_letter_page.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "console/dead_letter_stats.h"
#include "console/parameters.h"
#include "core/base64.h"
#include "core/json_writer.h"
#include "core/rfc3339.h"
#include "core/units.h"
#include "core/utf8.h"
#include "record/dead_letter.h"

namespace penstock::console {
namespace {

constexpr std::int64_t kLimitMax = 10'000;
constexpr std::size_t kPageBytesMax = 4 * kMiB;
constexpr std::uint32_t kLookedAtMax = 100'000;

void write(JsonWriter& json, std::string_view topic, const DeadLetterView& letter,
           const DeadLetterFilter& filter) {
  json.begin_object().key("topic").value(topic).key("offset").value(letter.offset.value());
  json.key("time").value(format_rfc3339(letter.time.value())).key("code").value(letter.code);
  json.key("message").value(letter.message).key("source").value(letter.source);
  if (!letter.sink.empty()) {
    json.key("sink").value(letter.sink);
  }
  json.key("replays").value(letter.replays);
  json.key("quarantined").value(letter.replays >= filter.replays_max);
  if (is_utf8(as_text(letter.event))) {
    json.key("event").value(as_text(letter.event));
  } else {
    std::string base64;
    append_base64(base64, letter.event);
    json.key("event_base64").value(base64);
  }
  json.end_object();
}

}  // namespace

Result<DeadLetterPageQuery> parse_dead_letter_page(std::string topic, std::string_view query,
                                                   std::uint32_t replays_max) {
  PENSTOCK_TRY_ASSIGN(const Parameters parameters,
                      Parameters::parse(query, {"code", "sink", "since", "until", "quarantined",
                                                "offset", "limit"}));
  DeadLetterPageQuery parsed;
  parsed.topic = std::move(topic);
  PENSTOCK_TRY_ASSIGN(parsed.filter, dead_letter_filter(parameters, replays_max));
  PENSTOCK_TRY_ASSIGN(const auto offset,
                      parameters.integer("offset", 0, std::numeric_limits<std::int64_t>::max()));
  PENSTOCK_TRY_ASSIGN(const auto limit, parameters.integer("limit", 1, kLimitMax));
  parsed.offset = Offset(offset.value_or(0));
  parsed.limit = static_cast<std::uint32_t>(limit.value_or(parsed.limit));
  return parsed;
}

Result<std::string> dead_letter_page(const log::Log& log, EventReader& reader,
                                     const DeadLetterPageQuery& query) {
  const auto topic = log.topic(dead_letter_topic(query.topic));
  if (!topic) {
    return Error(ErrorCode::kNotFound,
                 "there is no topic \"" + query.topic + "\" with dead letters");
  }
  const TopicPartition partition{topic->id, PartitionId(0)};
  PENSTOCK_TRY_ASSIGN(const log::PartitionOffsets offsets, log.offsets(partition));
  std::string body;
  JsonWriter json(body);
  json.begin_object().key("letters").begin_array();
  std::uint32_t left = query.limit;
  std::uint32_t looked_at = 0;
  const Offset begin = std::max(query.offset, offsets.start);
  PENSTOCK_TRY_ASSIGN(const Offset next,
                      reader.scan({partition, begin, offsets.end}, [&](const RecordView& record) {
                        const DeadLetterView letter = read_dead_letter(record);
                        if (query.filter.matches(letter)) {
                          write(json, query.topic, letter, query.filter);
                          --left;
                        }
                        return left > 0 && ++looked_at < kLookedAtMax &&
                               body.size() < kPageBytesMax;
                      }));
  json.end_array().key("next_offset").value(next.value());
  json.key("end").value(offsets.end.value()).end_object();
  return body;
}

}  // namespace penstock::console
